/**
 * The reference vectors of `test/vectors`, as typed arrays that keep the bits of the files. The reader of `.npy` here is
 * a second one on purpose: a mistake in `src/formats` must not hide one in the kernels.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { blockValues } from './block-values.js';

/** Codes, zero points, or the bytes of blocks. */
export type Integers = Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Type of the codes. */
export type VectorCodeDtype = 'int8' | 'uint8' | 'int16' | 'uint16';

/** Type of the values. */
export type VectorDtype = 'float32' | 'float16' | 'bfloat16';

/** Scale and zero point with the shape that both have. */
export interface VectorParameters {
  readonly scale: Float32Array;
  readonly zeroPoint: Integers;
  readonly shape: readonly number[];
}

/** What the real system gave. */
export interface VectorOutput {
  /** The codes; for a preset of ggml the bytes of the blocks. */
  readonly codes: Integers;
  /** Shape of `codes`: that of the values, or [rows, bytes per row]. */
  readonly codeShape: readonly number[];
  /** Absent where the scale lies within the blocks. */
  readonly scale?: Float32Array;
  /** Absent where there is none. */
  readonly zeroPoint?: Integers;
  /** Shape of scale and zero point. */
  readonly parameterShape?: readonly number[];
  /** The values that the system reads back from the codes; with given parameters, and of blocks by their layout. */
  readonly dequantized?: Float32Array;
}

/** A tensor and what became of it. */
export interface VectorCase {
  /** `onnx/static-int8-axis0`, `ggml/ties/q8_0`. */
  readonly name: string;
  readonly dtype: VectorDtype;
  readonly shape: readonly number[];
  /** The values; 16-bit types as raw bits. */
  readonly data: Float32Array | Uint16Array;
  readonly preset: 'onnx-dynamic' | 'onnx-static' | `ggml-${(typeof GGML_TYPES)[number]}`;
  /** Options of the preset. */
  readonly options: { readonly dtype?: VectorCodeDtype; readonly axis?: number; readonly blockSize?: number };
  /** Given scale and zero point (`onnx-static`). */
  readonly parameters?: VectorParameters;
  readonly expected: VectorOutput;
}

/** Types of ggml that have cases, nine each. */
export const GGML_TYPES = [
  ...(['f16', 'bf16', 'q4_0', 'q4_1', 'q5_0', 'q5_1'] as const),
  ...(['q8_0', 'q8_1', 'q8_K', 'iq4_nl', 'mxfp4', 'nvfp4'] as const),
] as const;

/** How many cases there are. */
export const VECTOR_COUNTS = { onnxDynamic: 36, onnxStatic: 16, onnx: 52, ggml: 108, all: 160 } as const;

const ROOT = new URL('../vectors/', import.meta.url);

/** Every case of ONNX Runtime, in the order of its list. */
export function onnxVectors(): VectorCase[] {
  return listOf<OnnxEntry>('onnx').map((entry) => (entry.type === undefined ? dynamicCase(entry) : staticCase(entry)));
}

/** Every case of ggml, in the order of its list. */
export function ggmlVectors(): VectorCase[] {
  return listOf<GgmlEntry>('ggml').map(blockCase);
}

/** Every case there is. */
export function allVectors(): VectorCase[] {
  return [...onnxVectors(), ...ggmlVectors()];
}

/** Files of tensors in a folder, whether a case names them or not. */
export function vectorFiles(folder: 'onnx' | 'ggml'): string[] {
  return readdirSync(new URL(`${folder}/`, ROOT))
    .filter((name) => name.endsWith('.npy'))
    .sort();
}

interface OnnxEntry {
  readonly name: string;
  readonly operator: 'DynamicQuantizeLinear' | 'QuantizeLinear';
  readonly shape: readonly number[];
  /** Present in static cases. */
  readonly type?: VectorCodeDtype;
  readonly granularity?: 'tensor' | 'axis0' | 'axis1' | 'block';
  readonly block?: number;
}

interface GgmlEntry {
  readonly name: string;
  readonly type: (typeof GGML_TYPES)[number];
  readonly shape: readonly number[];
  readonly bytes_per_row: number;
}

function dynamicCase(entry: OnnxEntry): VectorCase {
  const { values, output, codes } = tensorsOf('onnx', entry.name, 'y', entry.shape);
  const { scale, zeroPoint } = parametersOf(entry.name, true);
  return {
    name: `onnx/${entry.name}`,
    ...values,
    preset: 'onnx-dynamic',
    options: {},
    expected: { codes, codeShape: output.shape, scale, zeroPoint, parameterShape: [] },
  };
}

function staticCase(entry: OnnxEntry): VectorCase {
  const { values, output, codes } = tensorsOf('onnx', entry.name, 'y', entry.shape);
  const parameters = parametersOf(entry.name, entry.granularity === 'tensor');
  const { scale, zeroPoint, shape: parameterShape } = parameters;
  const dequantized = floats(readNpy('onnx', `${entry.name}.dequantized`));
  return {
    name: `onnx/${entry.name}`,
    ...values,
    preset: 'onnx-static',
    options: { dtype: entry.type!, ...placeOf(entry) },
    parameters,
    expected: { codes, codeShape: output.shape, scale, zeroPoint, parameterShape, dequantized },
  };
}

function blockCase(entry: GgmlEntry): VectorCase {
  const { values, output, codes } = tensorsOf('ggml', entry.name, entry.type, entry.shape);
  const [rows, bytes] = output.shape;
  if (rows !== entry.shape[0] || bytes !== entry.bytes_per_row) throw wrong(entry.name, 'the listed rows of bytes');
  if (entry.type === 'iq4_nl') writeUnwritten(values.data, codes);
  return {
    name: `ggml/${entry.name}/${entry.type}`,
    ...values,
    preset: `ggml-${entry.type}`,
    options: {},
    expected: { codes, codeShape: output.shape, dequantized: blockValues(entry.type, codes, values.data.length) },
  };
}

/**
 * Where every magnitude of an IQ4_NL block is below 1e-15, ggml stores the scale 0 and does not write the codes: they
 * are those of the block before, or what the stack held (`0000 2000000000000000 60ffffffffffffff` in the cases `zeros`,
 * `zero-blocks` and `tiny`). Every code times 0 is zero. The library writes 8, the code that zero has in other blocks,
 * and so do the expected bytes.
 */
function writeUnwritten(values: Float32Array, blocks: Integers): void {
  for (let block = 0; block < values.length / 32; block++) {
    const isTiny = values.subarray(block * 32, block * 32 + 32).every((value) => Math.abs(value) < 1e-15);
    if (isTiny) blocks.fill(0x88, block * 18 + 2, block * 18 + 18);
  }
}

/** Axis and block size of a static case. */
function placeOf(entry: OnnxEntry): { axis?: number; blockSize?: number } {
  if (entry.granularity === 'tensor') return {};
  if (entry.granularity === 'axis0') return { axis: 0 };
  if (entry.granularity === 'axis1') return { axis: 1 };
  if (entry.block === undefined) throw wrong(entry.name, 'a block size');
  return { axis: 1, blockSize: entry.block };
}

/** The values and the codes of a case. */
function tensorsOf(folder: string, name: string, codesName: string, shape: readonly number[]) {
  const input = readNpy(folder, `${name}.x`);
  if (input.shape.join() !== shape.join()) throw wrong(name, 'the listed shape');
  const output = readNpy(folder, `${name}.${codesName}`);
  const values = { dtype: 'float32', shape: input.shape, data: floats(input) } as const;
  return { values, output, codes: integers(output) };
}

/** Scale and zero point of a case of ONNX Runtime; those of a whole tensor are stored as [1] and are []. */
function parametersOf(name: string, isPerTensor: boolean): VectorParameters {
  const scale = readNpy('onnx', `${name}.scale`);
  const zeroPoint = readNpy('onnx', `${name}.zero_point`);
  if (scale.shape.join() !== zeroPoint.shape.join()) throw wrong(name, 'one shape of scale and zero point');
  if (isPerTensor && scale.data.length !== 1) throw wrong(name, 'one scale');
  return { scale: floats(scale), zeroPoint: integers(zeroPoint), shape: isPerTensor ? [] : scale.shape };
}

function listOf<Entry>(folder: string): readonly Entry[] {
  return (JSON.parse(readFileSync(new URL(`${folder}/cases.json`, ROOT), 'utf8')) as { cases: Entry[] }).cases;
}

/** A tensor of a file. */
export interface Npy {
  readonly where: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Integers;
}

const VIEWS = {
  '<f4': Float32Array,
  '|i1': Int8Array,
  '|u1': Uint8Array,
  '<i2': Int16Array,
  '<u2': Uint16Array,
} as const;

/** Reads format 1.0 as NumPy writes it: row-major, of one of the types above. */
export function readNpy(folder: string, name: string): Npy {
  const url = new URL(`${folder}/${name}.npy`, ROOT);
  const where = fileURLToPath(url);
  const file = readFileSync(url);
  if (file.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00') throw wrong(where, 'npy 1.0');
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const match = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/.exec(header);
  const View = VIEWS[match?.[1] as keyof typeof VIEWS];
  if (match === null || View === undefined) throw wrong(where, `a known header, got ${header.trim()}`);
  const shape = match[2]!.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  // A copy of the bytes: views need an aligned start.
  const bytes = Uint8Array.from(file.subarray(start));
  const data = new View(bytes.buffer);
  if (data.length !== shape.reduce((product, size) => product * size, 1))
    throw wrong(where, 'as many values as its shape');
  return { where, shape, data };
}

export function floats(tensor: Npy): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  throw wrong(tensor.where, 'float32');
}

export function integers(tensor: Npy): Integers {
  if (!(tensor.data instanceof Float32Array)) return tensor.data;
  throw wrong(tensor.where, 'integers');
}

function wrong(where: string, expected: string): Error {
  return new Error(`${where}: expected ${expected}`);
}

/** The bytes of a view. */
export function bytesOfView(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Whether two views hold the same bytes; their types do not matter. */
export function sameBytes(actual: ArrayBufferView, expected: ArrayBufferView): boolean {
  return firstByte(actual, expected) < 0;
}

/**
 * Where two views first differ, in words, or '' where they hold the same bytes:
 * `element 7 of 256: got -128 (80), expected 127 (7f); 3 elements differ`.
 * Elements are those of `expected`; the bits are hexadecimal, the highest first.
 */
export function difference(actual: ArrayBufferView, expected: ArrayBufferView): string {
  const at = firstByte(actual, expected);
  if (at < 0) return '';
  const lengths = `got ${actual.byteLength} bytes, expected ${expected.byteLength}`;
  if (at >= Math.min(actual.byteLength, expected.byteLength)) return `one ends at byte ${at}: ${lengths}`;
  const size = 'BYTES_PER_ELEMENT' in expected ? (expected.BYTES_PER_ELEMENT as number) : 1;
  const index = Math.floor(at / size);
  const got = show(actual, index * size, expected, size);
  const wanted = show(expected, index * size, expected, size);
  const text = `element ${index} of ${expected.byteLength / size}: got ${got}, expected ${wanted}`;
  if (actual.byteLength !== expected.byteLength) return `${text}; ${lengths}`;
  const count = unequal(bytesOfView(actual), bytesOfView(expected), size);
  return `${text}; ${count} element${count === 1 ? ' differs' : 's differ'}`;
}

/** Index of the first byte that only one of the two has, or −1. */
function firstByte(actual: ArrayBufferView, expected: ArrayBufferView): number {
  const a = bytesOfView(actual);
  const b = bytesOfView(expected);
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}

/** The element at a byte, as the type of `like`, with its bits. */
function show(view: ArrayBufferView, at: number, like: ArrayBufferView, size: number): string {
  const bytes = bytesOfView(view).slice(at, at + size);
  const bits = Buffer.from(bytes).reverse().toString('hex');
  if (bytes.length < size || like instanceof DataView) return `(${bits})`;
  const View = like.constructor as new (buffer: ArrayBuffer) => ArrayLike<number | bigint>;
  const value = new View(bytes.buffer)[0]!;
  return `${Object.is(value, -0) ? '-0' : value} (${bits})`;
}

function unequal(a: Uint8Array, b: Uint8Array, size: number): number {
  let count = 0;
  for (let at = 0; at < b.length; at += size) {
    let differs = false;
    for (let i = at; i < at + size; i++) differs ||= a[i] !== b[i];
    if (differs) count++;
  }
  return count;
}
