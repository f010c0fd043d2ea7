/**
 * Quantizing one tensor of a file, box by box.
 * @module
 */
import type { TensorEntry, TensorFile, TensorWriter } from '../formats/index.js';
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
import { type Context, Progress } from './context.js';
import { boxesOf, type Cost, type Cut, cutOf } from './cut.js';
import { Faults } from './faults.js';
import { type Box, boxElements, boxParameters, boxShape, codeBytes, type Grid } from './grid.js';
import { inFlight } from './in-flight.js';
import type { Parameters } from './parameters.js';
import { type Planted, plant, planted, Ranges } from './ranges.js';

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
  /** For a scheme whose parameters are given, all of them. */
  readonly parameters: Parameters | undefined;
  /** For a scheme that keeps outliers apart, their columns. */
  readonly outliers: Int32Array | undefined;
  readonly writer: TensorWriter;
}

/**
 * Quantizes a tensor and writes codes and parameters.
 * @throws ERR_QUANTLANE_NON_FINITE with the count and the first position of the whole tensor, and errors of reading,
 * writing and quantizing
 */
export async function quantizeTensor(job: TensorJob): Promise<ErrorStatistics> {
  const { grid, entry, runtime } = job;
  const { capacity } = runtime.metrics().arena;
  const cut = cutOf(grid, capacity, (shape) => costOf(job, shape), job.parameters !== undefined);
  const isTwice = cut.isSplit && job.parameters === undefined;
  const progress = new Progress(job.context.show, entry.name, grid.elements * (isTwice ? 2 : 1));
  const ranges = isTwice ? await rangesOf(job, cut, progress) : undefined;
  const faults = new Faults();
  const statistics: ErrorStatistics[] = [];
  await inFlight(boxesOf(grid, cut.step), cut.inFlight, async (box, index) => {
    const { first, count } = boxElements(grid, box);
    const plan = ranges === undefined || ranges.isFinite(box) ? undefined : planted(grid, box);
    const lease = await readBox(job, box, plan);
    const options = optionsFor(job, box, plan === undefined ? ranges : undefined);
    try {
      const surplus = plan && (await plantRanges(runtime, lease, plan, ranges!.of(box)));
      using quantized = await runtime.quantize(lease, plan?.scheme ?? grid.scheme, options);
      statistics[index] = surplus === undefined ? quantized.stats! : withoutStatistics(quantized.stats!, surplus);
      // After a value that is refused the rest is only counted.
      if (faults.isEmpty) await writeBox(job, box, quantized, plan?.before ?? 0);
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
  { grid: { scheme }, entry, outliers }: Pick<TensorJob, 'grid' | 'entry' | 'outliers'>,
  shape: number[],
): Cost {
  const input = bytesOf(entry.dtype as InputDtype, shape);
  const { bytes } = partsOf(scheme, { ...layoutOf(scheme, shape), count: outliers?.length ?? 0 }, true, true);
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

/** What a box is quantized with: its part of the ranges, or of the given parameters. */
function optionsFor(job: TensorJob, box: Box, ranges: Ranges | undefined): QuantizeOptions {
  const { outliers } = job;
  const options = { signal: job.context.signal, stats: true, ...(outliers && { outliers }) };
  if (ranges !== undefined) return { ...options, range: ranges.of(box) };
  if (job.parameters === undefined) return options;
  const { first, count } = boxParameters(job.grid, box);
  const { scale, zeroPoint } = job.parameters;
  const end = first + count;
  const zero = zeroPoint === undefined ? {} : { zeroPoint: zeroPoint.subarray(first, end) };
  return { ...options, parameters: { scale: scale.subarray(first, end), ...zero } };
}

/** Writes codes and parameters of a box. Boxes that share a parameter write the same one. */
async function writeBox(job: TensorJob, box: Box, quantized: QuantizedTensor, before: number): Promise<void> {
  const { writer, grid, entry } = job;
  const { name } = entry;
  const position = codeBytes(grid, boxElements(grid, box).first);
  await writer.write(name, position, bytesIn(quantized.data).subarray(codeBytes(grid, before)));
  const { scale, zeroPoint } = quantized;
  const { first } = boxParameters(grid, box);
  if (scale !== null) await writer.write(`${name}.scale`, first * scale.BYTES_PER_ELEMENT, bytesIn(scale));
  if (zeroPoint !== null)
    await writer.write(`${name}.zero_point`, first * zeroPoint.BYTES_PER_ELEMENT, bytesIn(zeroPoint));
  const { outliers, outlierValues } = quantized;
  if (outliers === null || outlierValues === null) return;
  await writer.write(`${name}.outliers`, 0, bytesIn(outliers));
  await writer.write(`${name}.outlier_values`, box.at[0] * outliers.byteLength, bytesIn(outlierValues));
}

function bytesIn(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
