/**
 * Where codes and parameters of a quantized tensor lie.
 * @module
 */
import type { Ownership } from '../memory/index.js';
import type { QuantizedTensor } from '../runtime/index.js';
import { NOWHERE, type Places } from '../runtime/job.js';

/** Addresses of the codes, scales and zero points of `q`, which `token` stands for. */
export function codesAt(q: QuantizedTensor, { byteOffset }: Ownership): Places {
  const { scale, zeroPoint } = q.plan.parts;
  return {
    ...NOWHERE,
    values: byteOffset,
    scale: byteOffset + scale,
    zeroPoint: zeroPoint < 0 ? 0 : byteOffset + zeroPoint,
  };
}
