/**
 * A tensor of a file, from its bytes to its codes.
 * @module
 */
import {
  type BrowserRuntime,
  type ErrorStatistics,
  type InputDtype,
  npyBlob,
  type PresetName,
  preset,
  type QuantizedTensor,
  quantizedBlob,
  type Scheme,
  type TensorEntry,
  type TensorFile,
  type TensorLease,
} from 'quantlane/browser/standalone';
import { type CodeCounts, countCodes } from './code-counts.js';

/** Bytes that are read from a file at a time. */
const PAGE = 2 ** 22;

/** What has become of a tensor. */
export interface Finding {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: InputDtype;
  readonly elements: number;
  readonly scheme: Scheme;
  readonly stats: ErrorStatistics;
  /** The smallest and the largest scale and zero point; undefined where they lie within blocks, or are none. */
  readonly scale: Spread | undefined;
  readonly zeroPoint: Spread | undefined;
  /** Bytes of the values, and of codes and parameters. */
  readonly before: number;
  readonly after: number;
  /** Milliseconds that it took to quantize, without reading. */
  readonly milliseconds: number;
  readonly counts: CodeCounts;
  /** The codes alone, and with parameters and metadata. */
  readonly npy: Blob;
  readonly safetensors: Blob;
}

/** The ends of some numbers. */
export interface Spread {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  /** Whether they are bits of a type that JavaScript has no numbers for. */
  readonly isRaw: boolean;
}

/** Told what is being done, and how much of it. */
export type Report = (stage: string, share?: number) => void;

/** Whether a preset works on a tensor alone: parameters that must be given come from elsewhere. */
export function isAlone(name: string): boolean {
  return preset(name).parameters !== 'given';
}

/** Whether a tensor holds values that can be quantized. */
export function isQuantizable({ dtype, byteLength }: TensorEntry): boolean {
  return byteLength > 0 && (dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16');
}

/** Quantizes a tensor of a file. */
export async function quantizeTensor(
  runtime: BrowserRuntime,
  file: TensorFile,
  entry: TensorEntry,
  name: PresetName,
  report: Report,
  signal: AbortSignal,
): Promise<Finding> {
  const scheme = preset(name);
  const lease = await read(runtime, file, entry, report, signal);
  const { dtype, elements, byteLength: before } = lease;
  let q: QuantizedTensor;
  let milliseconds: number;
  report('Quantizing');
  try {
    // A preset whose range is to be given takes that of the values here.
    const isGiven = scheme.parameters === 'range';
    const range = isGiven ? { range: await runtime.range(lease, scheme, { signal }) } : {};
    const start = performance.now();
    q = await runtime.quantize(lease, scheme, { ...range, stats: true, keep: true, signal });
    milliseconds = performance.now() - start;
  } finally {
    lease.release();
  }
  try {
    report('Counting codes');
    const counts = await countCodes(q, signal);
    const npy = await npyBlob({ dtype: codeDtype(q), shape: q.dataShape, data: q.data });
    const safetensors = await quantizedBlob(entry.name, q);
    const scale = q.scale && spread(q.scale, scheme.scaleDtype !== 'float32' && scheme.scaleDtype !== 'float64');
    const zeroPoint = q.zeroPoint && spread(q.zeroPoint, false);
    return {
      name: entry.name,
      shape: q.shape,
      dtype,
      elements,
      scheme,
      stats: q.stats!,
      scale: scale ?? undefined,
      zeroPoint: zeroPoint ?? undefined,
      before,
      after: q.byteLength,
      milliseconds,
      counts,
      npy,
      safetensors,
    };
  } finally {
    q.release();
  }
}

/** The values of a tensor in the memory of the runtime. */
async function read(
  runtime: BrowserRuntime,
  file: TensorFile,
  entry: TensorEntry,
  report: Report,
  signal: AbortSignal,
): Promise<TensorLease> {
  const lease = await runtime.acquire(entry.dtype as InputDtype, entry.shape, { signal });
  try {
    const { buffer, byteOffset, byteLength } = lease.data;
    for (let at = 0; at < byteLength; at += PAGE) {
      report('Reading', at / byteLength);
      await file.read(entry, at, new Uint8Array(buffer, byteOffset + at, Math.min(PAGE, byteLength - at)));
      signal.throwIfAborted();
    }
    return lease;
  } catch (error) {
    lease.release();
    throw error;
  }
}

function codeDtype({ data }: QuantizedTensor): 'int8' | 'uint8' | 'int16' | 'uint16' {
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  return data instanceof Int16Array ? 'int16' : 'uint16';
}

function spread(values: ArrayLike<number>, isRaw: boolean): Spread {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = 0; index < values.length; index++) {
    least = Math.min(least, values[index]!);
    most = Math.max(most, values[index]!);
  }
  return { least, most, count: values.length, isRaw };
}
