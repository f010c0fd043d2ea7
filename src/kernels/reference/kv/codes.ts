/**
 * Rows of stored codes as float32, by definition.
 * @module
 */
import { CacheCode } from '../../../scheme/attention.js';
import { CODE_FACTS } from '../../../scheme/code-dtypes.js';
import { minifloatValue } from '../../../scheme/minifloat.js';
import type { Memory } from '../memory.js';

/** Bits of a code. */
export function codeBits(code: CacheCode): number {
  if (code === CacheCode.Float32) return 32;
  if (code === CacheCode.Int4 || code === CacheCode.Uint4) return 4;
  return code === CacheCode.Int2 || code === CacheCode.Uint2 ? 2 : 8;
}

const SIGNED: readonly CacheCode[] = [CacheCode.Int8, CacheCode.Int4, CacheCode.Int2];

/** The small float without its rule for NaN. */
const FLOAT8 = { ...CODE_FACTS.float8e4m3fn.float!, special: 256 };
const float8Values = Float32Array.from({ length: 256 }, (_, code) => minifloatValue(FLOAT8, code));

/** What `into.length` codes from `address` on stand for, without scale and minimum. */
export function readCodes({ view }: Memory, code: CacheCode, address: number, into: Float32Array): void {
  if (code === CacheCode.Float32) {
    for (let i = 0; i < into.length; i++) into[i] = view.getFloat32(address + i * 4, true);
    return;
  }
  const bits = codeBits(code);
  const isSigned = SIGNED.includes(code);
  for (let i = 0; i < into.length; i++) {
    const byte = view.getUint8(address + Math.floor((i * bits) / 8));
    const raw = (byte >> ((i * bits) % 8)) & (2 ** bits - 1);
    if (code === CacheCode.Float8) into[i] = float8Values[raw]!;
    else into[i] = isSigned && raw >= 2 ** (bits - 1) ? raw - 2 ** bits : raw;
  }
}
