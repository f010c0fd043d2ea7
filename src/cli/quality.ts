/**
 * How well a scheme does on a tensor: how close the values that a consumer reads are, for all and channel by channel, and
 * how the codes are used.
 * @module
 */
import { widened } from '../memory/index.js';
import {
  type ChannelLayout,
  type Closeness,
  CodeUsage,
  Comparison,
  channelLayout,
  medianOf,
  ONE_CHANNEL,
  OUTLIER_FACTOR,
  outlierChannels,
} from '../quality/index.js';
import type { ErrorStatistics } from '../runtime/index.js';
import type { Scheme } from '../scheme/index.js';
import { codeSpan, codesOf } from './block-parts.js';
import { boxElements } from './grid.js';
import { outlierColumns } from './outliers.js';
import { cosineText, countText, decibelText, jsonNumber, type Report, shareText, valueText } from './report.js';
import { type QuantizedBox, quantizeTensor, type TensorJob } from './tensor.js';

/** How well a scheme does on a tensor. */
export interface Quality {
  readonly scheme: Scheme;
  readonly stats: ErrorStatistics;
  readonly comparison: Comparison;
  readonly usage: CodeUsage;
  /** Axis of the channels; undefined where there are none. */
  readonly axis: number | undefined;
}

/** The most channels that are looked at one by one. */
const MAX_CHANNELS = 2 ** 16;

/** The most outliers that are named. */
const MAX_NAMED = 4;

/**
 * Quantizes a tensor and looks at what a consumer reads. Errors are those of `quantizeTensor`.
 * @param scheme that of `job.grid`, before its axis was counted in three dimensions
 */
export async function qualityOf(job: Omit<TensorJob, 'sink' | 'outliers'>, scheme: Scheme): Promise<Quality> {
  const { runtime, entry, grid, context } = job;
  const { axis, layout } = channelsOf(scheme, entry.shape);
  const comparison = new Comparison(layout);
  const [lo, hi] = codeSpan(scheme);
  // A scheme may have a code for NaN alone.
  const usage = new CodeUsage(Math.min(lo, scheme.nan.code), Math.max(hi, scheme.nan.code));
  const take = async ({ box, quantized, before, values }: QuantizedBox): Promise<void> => {
    using restored = await runtime.dequantize(quantized, { signal: context.signal });
    const data = values.data.subarray(before);
    const floats = data instanceof Float32Array ? data : widened(values.dtype as 'float16' | 'bfloat16', data);
    comparison.add(floats, restored.data.subarray(before), boxElements(grid, box).first);
    usage.add(codesOf(quantized, before));
  };
  const outliers = await outlierColumns(job);
  const stats = await quantizeTensor({ ...job, outliers, sink: { compares: true, take } });
  return { scheme, stats, comparison, usage, axis };
}

/** The channels of a scheme, or else those of the last axis; one for a tensor of one dimension, and where there are too many. */
function channelsOf({ granularity }: Scheme, shape: readonly number[]): { axis?: number; layout: ChannelLayout } {
  const isChannels = granularity.kind === 'perChannel';
  const axis = isChannels ? granularity.axis : -1;
  if (!isChannels && shape.length < 2) return { layout: ONE_CHANNEL };
  const layout = channelLayout(shape, axis);
  return layout.count > MAX_CHANNELS ? { layout: ONE_CHANNEL } : { axis, layout };
}

/** Quality as lines of a terminal and as JSON. */
export function qualityReport({ scheme, stats, comparison, usage, axis }: Quality): Report {
  const { cosine, sqnr, maxError } = comparison.total();
  const { entropy, used, total, codes, atEnds } = usage;
  const channels = axis === undefined ? undefined : channelReport(comparison, axis);
  return {
    lines: [
      `  ${scheme.name}: SQNR ${unitText(sqnr)}, cosine ${cosineText(cosine)}, max error ${valueText(maxError)}`,
      `  codes: entropy ${valueText(entropy)} bits, ${used} of ${codes[1] - codes[0] + 1} used, ${shareText(atEnds / total)} at an end, ${countText(stats.saturated)} saturated`,
      ...(channels?.lines ?? []),
    ],
    json: {
      preset: scheme.name,
      ...jsonOf({ sqnr, cosine, maxError }),
      saturated: stats.saturated,
      entropy,
      codesUsed: used,
      endShare: atEnds / total,
      channels: channels?.json ?? null,
    },
  };
}

function channelReport(comparison: Comparison, axis: number): Report {
  const all = Array.from({ length: comparison.layout.count }, (_, channel) => comparison.of(channel));
  const column = (key: 'sqnr' | 'cosine' | 'maxError' | 'amax'): number[] => all.map((one) => one[key]);
  const amax = column('amax');
  const median = medianOf(amax);
  const outliers = outlierChannels(amax);
  const named = outliers.slice(0, MAX_NAMED).map((channel) => `${channel} (${valueText(amax[channel]!)})`);
  const ends = (numbers: readonly number[], text: (value: number) => string): string =>
    [Math.min, Math.max].map((end) => text(numbers.reduce((a, b) => end(a, b)))).join(' to ');
  const rest = outliers.length > named.length ? ', …' : '';
  return {
    lines: [
      `  channels of axis ${axis}: ${all.length}, SQNR ${ends(column('sqnr'), unitText)}, amax ${ends(amax, valueText)}`,
      outliers.length === 0
        ? `  outliers: none above ${OUTLIER_FACTOR} × the median amax ${valueText(median)}`
        : `  outliers: ${outliers.length} above ${OUTLIER_FACTOR} × the median amax ${valueText(median)}: ${named.join(', ')}${rest}`,
    ],
    json: {
      axis,
      count: all.length,
      sqnr: column('sqnr').map(jsonNumber),
      cosine: column('cosine').map(jsonNumber),
      maxError: column('maxError').map(jsonNumber),
      amax,
      medianAmax: median,
      outliers,
    },
  };
}

/** A ratio with its unit. */
function unitText(ratio: number): string {
  return ratio === Number.POSITIVE_INFINITY ? decibelText(ratio) : `${decibelText(ratio)} dB`;
}

function jsonOf({ sqnr, cosine, maxError }: Pick<Closeness, 'sqnr' | 'cosine' | 'maxError'>): object {
  return { sqnr: jsonNumber(sqnr), cosine: jsonNumber(cosine), maxError: jsonNumber(maxError) };
}
