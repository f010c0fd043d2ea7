/**
 * Types of codes: integers, small floats and small tables, and how each is stored.
 * @module
 */
import { MAX_FLOAT32 } from '../numbers.js';
import { Element } from './codes.js';

/** Type of the codes. */
export type CodeDtype =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'float8e4m3fn'
  | 'float8e5m2'
  | 'float8e4m3fnuz'
  | 'float8e5m2fnuz'
  | 'float6e3m2'
  | 'float6e2m3'
  | 'float4e2m1'
  | 'nf4'
  | 'fp4';

/** Integer type that a code lies in before it is packed. */
export type StorageDtype = 'int8' | 'uint8' | 'int16' | 'uint16';

/** A small float: a sign, `exponent` bits and `mantissa` bits, without −0 where `isUnsignedZero`. */
export interface MinifloatFacts {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  /** The largest value. */
  readonly max: number;
  /** The first magnitude that is no number; what is above it is NaN, and so is it but for an infinity. */
  readonly special: number;
  readonly hasInfinity: boolean;
  /** Zero has no sign, and the code of −0 is NaN. */
  readonly isUnsignedZero: boolean;
}

/** What a type of codes is. */
export interface CodeFacts {
  readonly element: Element;
  readonly storage: StorageDtype;
  /** Bits of a code in the result; below 8, several codes share a byte. */
  readonly bits: 2 | 4 | 8 | 16;
  /** Smallest and largest value that a code stands for, before scale and zero point. */
  readonly range: readonly [number, number];
  /** For a small float. */
  readonly float?: MinifloatFacts;
  /** The code of NaN; for integers there is none. */
  readonly nanCode?: number;
}

/** Every type of codes. */
export const CODE_FACTS: Readonly<Record<CodeDtype, CodeFacts>> = Object.freeze({
  int8: integer('int8', 8, -128, 127),
  uint8: integer('uint8', 8, 0, 255),
  int16: integer('int16', 16, -32768, 32767),
  uint16: integer('uint16', 16, 0, 65535),
  int4: integer('int8', 4, -8, 7),
  uint4: integer('uint8', 4, 0, 15),
  int2: integer('int8', 2, -2, 1),
  uint2: integer('uint8', 2, 0, 3),
  float8e4m3fn: minifloat(8, { exponent: 4, mantissa: 3, bias: 7, max: 448, special: 0x7f }, 0x7f),
  float8e5m2: minifloat(8, { exponent: 5, mantissa: 2, bias: 15, max: 57344, special: 0x7c, hasInfinity: true }, 0x7f),
  float8e4m3fnuz: minifloat(8, { exponent: 4, mantissa: 3, bias: 8, max: 240, isUnsignedZero: true }, 0x80),
  float8e5m2fnuz: minifloat(8, { exponent: 5, mantissa: 2, bias: 16, max: 57344, isUnsignedZero: true }, 0x80),
  float6e3m2: minifloat(8, { exponent: 3, mantissa: 2, bias: 3, max: 28 }, 0),
  float6e2m3: minifloat(8, { exponent: 2, mantissa: 3, bias: 1, max: 7.5 }, 0),
  float4e2m1: minifloat(4, { exponent: 2, mantissa: 1, bias: 1, max: 6 }, 7),
  nf4: facts({ element: Element.Nf4, storage: 'uint8', bits: 4, range: [-1, 1] }),
  fp4: facts({ element: Element.Fp4, storage: 'uint8', bits: 4, range: [-1, 1] }),
});

/** The names of the types of codes. */
export const CODE_DTYPES = Object.freeze(Object.keys(CODE_FACTS)) as readonly CodeDtype[];

/** Smallest and largest value that a code of each type stands for. */
export const CODE_RANGE: Readonly<Record<CodeDtype, readonly [number, number]>> = Object.freeze(
  Object.fromEntries(Object.entries(CODE_FACTS).map(([dtype, { range }]) => [dtype, range])) as Record<
    CodeDtype,
    readonly [number, number]
  >,
);

/** Whether a code is an integer, which a zero point can be added to. */
export function isIntegerCode(dtype: CodeDtype): boolean {
  return CODE_FACTS[dtype].element === Element.Integer;
}

/** Bytes of a code before it is packed. */
export function codeSize(dtype: CodeDtype): 1 | 2 {
  return CODE_FACTS[dtype].bits === 16 ? 2 : 1;
}

/** Whether several codes share a byte. */
export function isPacked(dtype: CodeDtype): boolean {
  return CODE_FACTS[dtype].bits < 8;
}

/** Bytes of so many codes in the result. */
export function packedBytes(dtype: CodeDtype, codes: number): number {
  return Math.ceil((codes * CODE_FACTS[dtype].bits) / 8);
}

/** Type of the array of codes in the result. */
export function arrayDtype(dtype: CodeDtype): StorageDtype {
  return isPacked(dtype) ? 'uint8' : CODE_FACTS[dtype].storage;
}

/** The float32 nearest to zero and to infinity that a scale may be. */
export const SCALE_RANGE: readonly [number, number] = Object.freeze([2 ** -149, MAX_FLOAT32] as const);

function facts(of: CodeFacts): CodeFacts {
  return Object.freeze({ ...of, range: Object.freeze(of.range) });
}

function integer(storage: StorageDtype, bits: CodeFacts['bits'], lowest: number, highest: number): CodeFacts {
  return facts({ element: Element.Integer, storage, bits, range: [lowest, highest] });
}

function minifloat(
  bits: 4 | 8,
  given: Partial<MinifloatFacts> & Pick<MinifloatFacts, 'exponent' | 'mantissa' | 'bias' | 'max'>,
  nanCode: number,
): CodeFacts {
  const float = Object.freeze({ special: 256, hasInfinity: false, isUnsignedZero: false, ...given });
  const range = [-float.max, float.max] as const;
  return facts({ element: Element.Minifloat, storage: 'uint8', bits, range, float, nanCode });
}
