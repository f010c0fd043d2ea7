/**
 * What the codes of each type stand for, written out once more from the definitions. It shares nothing with the library.
 */

/** Bits of a code, and the number that they stand for. */
interface CodeType {
  readonly bits: number;
  readonly value: (bits: number) => number;
}

const TYPES: Readonly<Record<string, CodeType>> = {
  int8: signed(8),
  uint8: unsigned(8),
  int16: signed(16),
  uint16: unsigned(16),
  int4: signed(4),
  uint4: unsigned(4),
  int2: signed(2),
  uint2: unsigned(2),
  float8e4m3fn: float(4, 3, 7, (bits) => (bits & 0x7f) === 0x7f),
  float8e5m2: float(5, 2, 15, (bits) => (bits & 0x7f) > 0x7c),
  float8e4m3fnuz: float(4, 3, 8, (bits) => bits === 0x80),
  float8e5m2fnuz: float(5, 2, 16, (bits) => bits === 0x80),
  float4e2m1: float(2, 1, 1, () => false),
};

/** Whether the codes of a type are known here. */
export function isKnownCode(dtype: string): boolean {
  return Object.hasOwn(TYPES, dtype);
}

/** Bits of a code. */
export function codeBits(dtype: string): number {
  return TYPES[dtype]!.bits;
}

const ends = new Map<string, readonly [number, number]>();

/** Smallest and largest number that a code of a type stands for. */
export function codeEnds(dtype: string): readonly [number, number] {
  const known = ends.get(dtype);
  if (known !== undefined) return known;
  const { bits, value } = TYPES[dtype]!;
  const all = Array.from({ length: 2 ** bits }, (_, code) => value(code)).filter(Number.isFinite);
  const found = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))] as const;
  ends.set(dtype, found);
  return found;
}

/** The numbers of `count` codes; where several share a byte the first one is in its low bits. */
export function codeValues(dtype: string, codes: ArrayBufferView, count: number): number[] {
  const { bits, value } = TYPES[dtype]!;
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const at = (index * bits) >> 3;
    if (bits === 16) return value(bytes[at]! | (bytes[at + 1]! << 8));
    return value((bytes[at]! >> ((index * bits) & 7)) & (2 ** bits - 1));
  });
}

function unsigned(bits: number): CodeType {
  return { bits, value: (code) => code };
}

function signed(bits: number): CodeType {
  return { bits, value: (code) => (code >= 2 ** (bits - 1) ? code - 2 ** bits : code) };
}

/** A small float; E5M2 alone has infinities. */
function float(exponent: number, mantissa: number, bias: number, isNone: (bits: number) => boolean): CodeType {
  const value = (code: number) => {
    if (isNone(code)) return Number.NaN;
    const sign = code >> (exponent + mantissa) ? -1 : 1;
    const power = (code >> mantissa) & (2 ** exponent - 1);
    const fraction = (code & (2 ** mantissa - 1)) / 2 ** mantissa;
    if (exponent === 5 && bias === 15 && power === 31) return sign * Number.POSITIVE_INFINITY;
    return sign * (power === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (power - bias));
  };
  return { bits: 1 + exponent + mantissa, value };
}
