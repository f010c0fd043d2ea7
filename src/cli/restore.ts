/**
 * Dequantizing one tensor of a file, box by box.
 * @module
 */

import type { Stored } from '../formats/container.js';
import type { FileDtype, TensorEntry, TensorFile, TensorWriter } from '../formats/index.js';
import { bytesIn, bytesOf, type TensorLease } from '../memory/index.js';
import type { CodeArray, Runtime, ScaleArray, ZeroPointArray } from '../runtime/index.js';
import { partsOf } from '../runtime/parts.js';
import { dataDtype, layoutOf, scaleBytes, zeroPointBytes } from '../scheme/index.js';
import { type Context, Progress } from './context.js';
import { boxesOf, type Cost, type Cut, cutOf } from './cut.js';
import { type Box, boxElements, boxParameters, boxShape, codeBytes, type Grid, gridOf } from './grid.js';
import { inFlight } from './in-flight.js';
import { valuesOf } from './values.js';

/** A quantized tensor of a file, and where it is dequantized. */
export interface Restorable {
  readonly file: TensorFile;
  readonly stored: Stored;
  readonly runtime: Runtime;
  readonly context: Context;
}

/** One tensor to be dequantized. */
export interface RestoreJob extends Restorable {
  readonly writer: TensorWriter;
  /** Name of the tensor that is written. */
  readonly name: string;
}

/**
 * Dequantizes a tensor and writes its values.
 * @returns how many there are
 */
export async function restoreTensor(job: RestoreJob): Promise<number> {
  const { stored, context } = job;
  const { grid, cut } = cutStored(job);
  const progress = new Progress(context.show, stored.name, grid.elements);
  await inFlight(boxesOf(grid, cut.step), cut.inFlight, async (box) => {
    const { first, count } = boxElements(grid, box);
    using values = await restoreBox(job, grid, box);
    await job.writer.write(job.name, first * 4, bytesIn(values.data));
    progress.add(count);
  });
  return grid.elements;
}

/** Dequantizes a tensor and yields its values in their order, in parts that are good until the next. */
export async function* restoredValues(job: Restorable): AsyncGenerator<Float32Array> {
  const { grid, cut } = cutStored(job);
  for (const box of boxesOf(grid, cut.step)) {
    using values = await restoreBox(job, grid, box);
    yield values.data;
  }
}

function cutStored({ stored, runtime }: Restorable): { grid: Grid; cut: Cut } {
  const grid = gridOf(stored.scheme, stored.note.shape);
  const { capacity } = runtime.metrics().arena;
  return { grid, cut: cutOf(grid, capacity, (shape) => costOf(grid, shape, columnsOf(stored)), true) };
}

/** The values of a box; release them. */
async function restoreBox(job: Restorable, grid: Grid, box: Box): Promise<TensorLease<'float32'>> {
  const { runtime, context } = job;
  using quantized = await runtime.load(await readParts(job, grid, box), { signal: context.signal });
  return await runtime.dequantize(quantized, { signal: context.signal });
}

/** How many columns of outliers are kept apart. */
function columnsOf({ outliers }: Stored): number {
  return outliers?.shape[0] ?? 0;
}

/** Bytes that a box of a shape takes. */
function costOf({ scheme }: Grid, shape: number[], columns: number): Cost {
  const input = bytesOf('float32', shape);
  const layout = { ...layoutOf(scheme, shape), count: columns };
  return { input, total: input + partsOf(scheme, layout, false, false).bytes + 128 };
}

/** Codes and parameters of a box. */
async function readParts(job: Restorable, grid: Grid, box: Box) {
  const { scheme, codes, scale, zeroPoint, outliers, outlierValues } = job.stored;
  const { first, count } = boxElements(grid, box);
  const { first: at, count: parameters } = boxParameters(grid, box);
  const data = await readRun(job.file, codes, codeBytes(grid, first), codeBytes(grid, count));
  const ofScale = scaleBytes(scheme);
  const ofZero = zeroPointBytes(scheme);
  const ofApart = columnsOf(job.stored) * 4;
  return {
    scheme: grid.scheme,
    shape: boxShape(grid, box.size),
    data: rawIn<CodeArray>(dataDtype(scheme), data),
    scale: scale && rawIn<ScaleArray>(scale.dtype, await readRun(job.file, scale, at * ofScale, parameters * ofScale)),
    zeroPoint:
      zeroPoint &&
      rawIn<ZeroPointArray>(zeroPoint.dtype, await readRun(job.file, zeroPoint, at * ofZero, parameters * ofZero)),
    outliers: outliers && rawIn<Int32Array>('int32', await readRun(job.file, outliers, 0, ofApart)),
    outlierValues:
      outlierValues &&
      rawIn<Float32Array>('float32', await readRun(job.file, outlierValues, at * ofApart, parameters * ofApart)),
  };
}

async function readRun(
  file: TensorFile,
  entry: TensorEntry,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.read(entry, position, bytes);
  return bytes;
}

/** Numbers as the library has them: 16-bit and 8-bit floats as raw bits. */
function rawIn<A extends CodeArray | ScaleArray | ZeroPointArray>(dtype: FileDtype, bytes: Uint8Array<ArrayBuffer>): A {
  const raw = { float16: 'uint16', float8e4m3fn: 'uint8', float8e5m2: 'uint8', float8e8m0: 'uint8' } as const;
  return valuesOf(Object.hasOwn(raw, dtype) ? raw[dtype as keyof typeof raw] : dtype, bytes) as unknown as A;
}
