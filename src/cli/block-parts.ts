/**
 * Scales and codes as they lie in blocks of a foreign layout.
 * @module
 */
import { bytesIn, halves } from '../memory/index.js';
import { productOf } from '../numbers.js';
import type { QuantizedTensor } from '../runtime/index.js';
import { Element } from '../scheme/codes.js';
import {
  arrayDtype,
  BLOCK_FORMATS,
  CODE_FACTS,
  codeSize,
  codeValue,
  isPacked,
  minifloatCode,
  type Scheme,
} from '../scheme/index.js';
import { valuesOf } from './values.js';

/** What a run of whole blocks holds. */
export interface BlockParts {
  readonly scales: Float32Array;
  readonly codes: ArrayLike<number>;
}

const NONE = new Float32Array();

/** The smallest and the largest code of a scheme. */
export function codeEnds({ format, codes }: Scheme): readonly [number, number] {
  return format === null ? codes : BLOCK_FORMATS[format].codes;
}

/** The codes of a quantized tensor but for the first few; those of blocks, taken out of them, are always all. */
export function codesOf({ scheme, data, shape }: QuantizedTensor, before: number): ArrayLike<number> {
  if (scheme.layout === 'planar') {
    const raw = isPacked(scheme.dtype) ? unpacked(scheme, data).slice(0, productOf(shape)) : data;
    const { float } = CODE_FACTS[scheme.dtype];
    if (float === undefined) return raw.slice(before);
    // By size, −0 below 0.
    const signBit = 1 << (float.exponent + float.mantissa);
    return Array.from(raw.slice(before), (code) => (code & signBit ? signBit - 1 - code : code));
  }
  const bytes = Uint8Array.from(bytesIn(data));
  return blockParts(scheme, bytes, { position: 0, columns: shape.at(-1) ?? 1 }).codes;
}

/** The smallest and the largest number that `codesOf` gives, but for NaN. */
export function codeSpan(scheme: Scheme): readonly [number, number] {
  const { float, element } = CODE_FACTS[scheme.dtype];
  if (float !== undefined) {
    const most = minifloatCode(float, scheme.codes[1]);
    return [-1 - most, most];
  }
  return element === Element.Integer ? codeEnds(scheme) : [0, 15];
}

/** Codes that share bytes; those after the last one are zero. */
export function unpacked({ dtype, packing }: Scheme, bytes: ArrayLike<number>): number[] {
  const { bits, storage } = CODE_FACTS[dtype];
  const perByte = 8 / bits;
  const places = Array.from({ length: perByte }, (_, i) => (packing === 'low-first' ? i : perByte - 1 - i) * bits);
  // What is shifted to the sign of int32 and back keeps the sign of its own.
  const back = (code: number): number => (storage === 'int8' ? (code << (32 - bits)) >> (32 - bits) : code);
  return Array.from(bytes, (byte) => places.map((place) => back((byte >> place) & (2 ** bits - 1)))).flat();
}

/** The numbers that the codes of a planar scheme stand for, from the bytes of a file. */
export function numbersOf(scheme: Scheme, bytes: Uint8Array<ArrayBuffer>): ArrayLike<number> {
  const { dtype } = scheme;
  const codes = isPacked(dtype) ? unpacked(scheme, bytes) : valuesOf(arrayDtype(dtype), bytes);
  return CODE_FACTS[dtype].element === Element.Integer ? codes : Array.from(codes, (code) => codeValue(dtype, code));
}

/** Where a run of bytes lies: its first byte in the tensor, and the values of a row. */
export interface Place {
  readonly position: number;
  readonly columns: number;
}

/**
 * Scales and codes of whole blocks. Formats of single values have no scales; the bits of 16-bit floats count as codes.
 * @param bytes at the beginning of their buffer
 */
export function blockParts(scheme: Scheme, bytes: Uint8Array<ArrayBuffer>, place: Place): BlockParts {
  const { format, layout, granularity, dtype } = scheme;
  if (format !== null && BLOCK_FORMATS[format].size === 1)
    return { scales: NONE, codes: valuesOf(arrayDtype(dtype), bytes) };
  if (format !== null && BLOCK_FORMATS[format].ragged) return { scales: NONE, codes: bitsOf(scheme, bytes, place) };
  if (layout === 'planar' || granularity.kind !== 'perBlock') return { scales: NONE, codes: [] };
  const { blockBytes, codesAt } = layout;
  const view = new DataView(bytes.buffer, 0, bytes.length);
  const blocks = bytes.length / blockBytes;
  const scales: number[] = [];
  const packed = format !== null && dtype === 'uint8';
  const size = packed ? granularity.size / 2 : granularity.size * codeSize(dtype);
  const codes = new Uint8Array(blocks * size);
  // The fifth bits of Q5 lie before the others; byte j of those has the codes j and j + 16.
  const fifths = format === 'q5_0' || format === 'q5_1';
  const found: number[] = [];
  for (let at = 0, block = 0; block < blocks; at += blockBytes, block++) {
    scales.push(...scalesAt(scheme, view, at));
    codes.set(bytes.subarray(at + codesAt, at + codesAt + size), block * size);
    if (!packed) continue;
    const high = fifths ? view.getUint32(at + codesAt - 4, true) : 0;
    for (let j = 0; j < size; j++) {
      const byte = bytes[at + codesAt + j]!;
      const [low, second] = fifths ? [(high >>> j) & 1, (high >>> (j + 16)) & 1] : [0, 0];
      found.push((byte & 15) | (low << 4), (byte >> 4) | (second << 4));
    }
  }
  return { scales: Float32Array.from(scales), codes: packed ? found : valuesOf(arrayDtype(dtype), codes) };
}

/** The bits of bytes, without those that fill the last byte of a row. */
function bitsOf({ format, dtype }: Scheme, bytes: Uint8Array, { position, columns }: Place): Uint8Array {
  const rowBytes = Math.ceil(columns / 8);
  const bits = new Uint8Array(bytes.length * 8);
  const bias = dtype === 'int8' ? 128 : 0;
  let count = 0;
  for (const [index, byte] of bytes.entries()) {
    const column = ((position + index) % rowBytes) * 8;
    const end = Math.min(8, columns - column);
    for (let i = 0; i < end; i++) bits[count++] = ((byte ^ bias) >> (format === 'bits-low' ? i : 7 - i)) & 1;
  }
  return bits.subarray(0, count);
}

/** The scales of the block at `at`. */
function scalesAt({ format, scaleDtype }: Scheme, view: DataView, at: number): number[] {
  if (format === 'mxfp4') return [2 ** (view.getUint8(at) - 127)];
  if (format === 'nvfp4') return [0, 1, 2, 3].map((part) => e4m3(view.getUint8(at + part)));
  const isWide = format === null ? scaleDtype === 'float32' : format === 'q8_K';
  return [isWide ? view.getFloat32(at, true) : halves()[view.getUint16(at, true)]!];
}

/** An unsigned E4M3. */
function e4m3(bits: number): number {
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  return exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10);
}
