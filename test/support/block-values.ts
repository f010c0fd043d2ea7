/**
 * What the blocks of ggml mean, written out once more from the layouts: the values that any reader must get. It shares
 * nothing with the library.
 */

const IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
const FP4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** Values a block, bytes a block, and the value at `i` of the block at `at`. */
type Layout = readonly [values: number, bytes: number, value: (view: DataView, at: number, i: number) => number];

const LAYOUTS: Readonly<Record<string, Layout>> = {
  q8_0: [32, 34, (view, at, i) => view.getInt8(at + 2 + i) * half(view, at)],
  q8_1: [32, 36, (view, at, i) => view.getInt8(at + 4 + i) * half(view, at)],
  q8_K: [256, 292, (view, at, i) => view.getInt8(at + 4 + i) * view.getFloat32(at, true)],
  q4_0: [32, 18, (view, at, i) => (nibble(view, at + 2, i, 16) - 8) * half(view, at)],
  q4_1: [32, 20, (view, at, i) => sum(nibble(view, at + 4, i, 16) * half(view, at), half(view, at + 2))],
  q5_0: [32, 22, (view, at, i) => (five(view, at + 2, i) - 16) * half(view, at)],
  q5_1: [32, 24, (view, at, i) => sum(five(view, at + 4, i) * half(view, at), half(view, at + 2))],
  iq4_nl: [32, 18, (view, at, i) => IQ4[nibble(view, at + 2, i, 16)]! * half(view, at)],
  mxfp4: [32, 17, (view, at, i) => tiny(nibble(view, at + 1, i, 16)) * 2 ** (view.getUint8(at) - 127)],
  nvfp4: [
    64,
    36,
    (view, at, i) => tiny(nibble(view, at + 4 + (i >> 4) * 8, i & 15, 8)) * e4m3(view.getUint8(at + (i >> 4))),
  ],
  f16: [1, 2, half],
  bf16: [1, 2, (view, at) => new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0]!],
};

/** The values of `count` elements in blocks of a type of ggml, such as `q4_0`. */
export function blockValues(type: string, blocks: ArrayBufferView, count: number): Float32Array {
  const [values, bytes, value] = LAYOUTS[type]!;
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  return Float32Array.from({ length: count }, (_, i) => value(view, Math.floor(i / values) * bytes, i % values));
}

function sum(a: number, b: number): number {
  return Math.fround(a) + b;
}

/** Code `i` of 4 bits: of each `span` bytes first all the low halves, then all the high ones. */
function nibble(view: DataView, at: number, i: number, span: number): number {
  const byte = view.getUint8(at + (i % span));
  return i < span ? byte & 15 : byte >> 4;
}

function five(view: DataView, at: number, i: number): number {
  return nibble(view, at + 4, i, 16) + (((view.getUint32(at, true) >>> i) & 1) << 4);
}

/** E2M1; a zero has no sign. */
function tiny(code: number): number {
  const size = FP4[code & 7]!;
  return code > 8 ? -size : size;
}

function e4m3(bits: number): number {
  const exponent = bits >> 3;
  return exponent === 0 ? (bits & 7) * 2 ** -9 : (8 + (bits & 7)) * 2 ** (exponent - 10);
}

/** The number of float16 bits that are no NaN or infinity. */
function half(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  const exponent = (bits >> 10) & 31;
  const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}
