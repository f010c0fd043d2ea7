/**
 * Quantizing one tensor of a file, box by box.
 * @module
 */
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { bytesOf, type InputDtype, type TensorLease } from '../memory/index.js';
import {
  type ErrorStatistics,
  type GivenRange,
  mergeStatistics,
  NO_ERROR,
  type QuantizedTensor,
  type QuantizeOptions,
  type Runtime,
} from '../runtime/index.js';
import { partsOf } from '../runtime/parts.js';
import { layoutOf } from '../scheme/index.js';
import type { Choice } from './choice.js';
import { type Context, Progress } from './context.js';
import { boxesOf, type Cost, type Cut, cutOf } from './cut.js';
import { Faults } from './faults.js';
import { type Given, givenPart } from './given.js';
import { type Box, boxElements, boxParameters, boxShape, type Grid, gridOf } from './grid.js';
import { inFlight } from './in-flight.js';
import { type Planted, plant, planted, Ranges } from './ranges.js';
import { checkFloats } from './values.js';

/** A tensor whose boxes are read. */
export interface BoxSource {
  readonly runtime: Runtime;
  readonly file: TensorFile;
  readonly entry: TensorEntry;
  readonly grid: Grid;
  readonly context: Context;
}

/** One tensor to be quantized. */
export interface TensorJob extends BoxSource {
  /** Parameters or ranges that do not come from the values, those of all of it. */
  readonly given: Given | undefined;
  /** For a scheme that keeps outliers apart, their columns. */
  readonly outliers: Int32Array | undefined;
  /** Who takes the boxes; where nobody does, only the statistics are made. */
  readonly sink: Sink | undefined;
}

/**
 * How a scheme lies on a tensor of a file, and what is given for it.
 * @throws ERR_QUANTLANE_DTYPE for other values than floats, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_PARAMETERS
 */
export function placedOn(file: TensorFile, entry: TensorEntry, choice: Choice): Pick<TensorJob, 'grid' | 'given'> {
  checkFloats(entry);
  const grid = gridOf(choice.scheme, entry.shape);
  const isOnly = file.tensors.length === 1;
  return { grid, given: choice.given({ name: entry.name, isOnly, parameters: grid.parameters }) };
}

/** A part of a tensor that is quantized. */
export interface QuantizedBox {
  readonly box: Box;
  readonly quantized: QuantizedTensor;
  /** Elements of `quantized`, and of `values`, that stand before those of the box. */
  readonly before: number;
  /** What was quantized; released where the sink did not ask for it. */
  readonly values: TensorLease;
}

/** Takes the boxes of a tensor. */
export interface Sink {
  /** Whether it wants the values, and has room for those that the codes stand for. */
  readonly compares: boolean;
  /** Takes a box, in the order of the boxes, one at a time. */
  take(box: QuantizedBox): Promise<void>;
}

/**
 * Quantizes a tensor and hands codes and parameters over.
 * @throws ERR_QUANTLANE_NON_FINITE with the count and the first position of the whole tensor, and errors of reading,
 * quantizing and of the sink
 */
export async function quantizeTensor(job: TensorJob): Promise<ErrorStatistics> {
  const { grid, entry, runtime, given, sink } = job;
  const { capacity } = runtime.metrics().arena;
  const cut = cutOf(grid, capacity, (shape) => costOf(job, shape), given !== undefined);
  const isTwice = cut.isSplit && given === undefined;
  const progress = new Progress(job.context.show, entry.name, grid.elements * (isTwice ? 2 : 1));
  const ranges = isTwice ? await rangesOf(job, cut, progress) : undefined;
  const faults = new Faults();
  const statistics: ErrorStatistics[] = [];
  await inFlight(boxesOf(grid, cut.step), cut.inFlight, async (box, index, earlier) => {
    const { first, count } = boxElements(grid, box);
    const plan = ranges === undefined || ranges.isFinite(box) ? undefined : planted(grid, box);
    const lease = await readBox(job, box, plan);
    const options = optionsFor(job, box, plan === undefined ? ranges : undefined);
    try {
      const surplus = plan && (await plantRanges(runtime, lease, plan, ranges!.of(box)));
      using quantized = await runtime.quantize(lease, plan?.scheme ?? grid.scheme, options);
      statistics[index] = surplus === undefined ? quantized.stats! : withoutStatistics(quantized.stats!, surplus);
      await earlier;
      // After a value that is refused the rest is only counted.
      if (faults.isEmpty) await sink?.take({ box, quantized, before: plan?.before ?? 0, values: lease });
    } catch (error) {
      faults.take(error, first);
    } finally {
      lease[Symbol.dispose]();
    }
    progress.add(count);
  });
  faults.check(entry.shape);
  return statistics.reduce(mergeStatistics, NO_ERROR);
}

/** The first pass: the range of every parameter. */
async function rangesOf(job: TensorJob, cut: Cut, progress: Progress): Promise<Ranges> {
  const { grid } = job;
  const ranges = new Ranges(grid);
  const faults = new Faults();
  await inFlight(boxesOf(grid, cut.step), cut.inFlight, async (box) => {
    const { first, count } = boxElements(grid, box);
    using lease = await readBox(job, box, undefined);
    try {
      ranges.merge(box, await job.runtime.range(lease, grid.scheme, { signal: job.context.signal }));
    } catch (error) {
      faults.take(error, first);
    }
    progress.add(count);
  });
  faults.check(job.entry.shape);
  return ranges;
}

/** Plants the ranges of a box before its values; returns the statistics of what was planted. */
async function plantRanges(
  runtime: Runtime,
  lease: TensorLease,
  { scheme, before, plant: shape }: Planted,
  range: GivenRange,
): Promise<ErrorStatistics> {
  plant(lease, range, before);
  using alone = await runtime.quantize({ dtype: lease.dtype, shape, data: lease.data.slice(0, before) }, scheme, {
    stats: true,
  });
  return alone.stats!;
}

/** The statistics of a whole without a part of it, whose values the whole has a second time. */
function withoutStatistics(whole: ErrorStatistics, { signal, noise, saturated }: ErrorStatistics): ErrorStatistics {
  const rest = { ...whole, signal: -signal, noise: -noise, saturated: -saturated };
  return mergeStatistics(whole, rest);
}

/** Bytes that a box of a shape takes, with everything that may be asked for. */
export function costOf(
  { grid: { scheme }, entry, sink, outliers }: Pick<TensorJob, 'grid' | 'entry' | 'sink' | 'outliers'>,
  shape: number[],
): Cost {
  const input = bytesOf(entry.dtype as InputDtype, shape);
  const restored = sink?.compares === true ? bytesOf('float32', shape) : 0;
  const layout = { ...layoutOf(scheme, shape), count: outliers?.length ?? 0 };
  const bytes = partsOf(scheme, layout, true, true).bytes + restored;
  // Two rows more may be planted in a box of one; input and result are rounded to 64 bytes each.
  const rows = scheme.nonFinite === 'propagate' && scheme.granularity.kind !== 'perTensor' ? 3 : 1;
  return { input, total: (input + bytes) * rows + 1024 };
}

/** Reads a box straight into the arena. */
export async function readBox(job: BoxSource, box: Box, plan: Planted | undefined): Promise<TensorLease> {
  const { file, entry, grid } = job;
  const dtype = entry.dtype as InputDtype;
  const lease = await job.runtime.acquire(dtype, plan?.shape ?? boxShape(grid, box.size), {
    signal: job.context.signal,
  });
  try {
    const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = lease.data;
    const skipped = (plan?.before ?? 0) * size;
    const target = new Uint8Array(buffer, byteOffset + skipped, byteLength - skipped);
    await file.read(entry, boxElements(grid, box).first * size, target);
    return lease;
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** What a box is quantized with: its part of the ranges, or of what is given. */
function optionsFor(job: TensorJob, box: Box, ranges: Ranges | undefined): QuantizeOptions {
  const { outliers, sink, given } = job;
  const keep = sink?.compares === true;
  const options = { signal: job.context.signal, stats: true, keep, ...(outliers && { outliers }) };
  if (ranges !== undefined) return { ...options, range: ranges.of(box) };
  return { ...options, ...(given && givenPart(given, boxParameters(job.grid, box))) };
}
