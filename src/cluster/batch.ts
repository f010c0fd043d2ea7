/**
 * A batch as a message: the values, the scheme, and what the call says of them.
 * @module
 */
import { fail, got } from '../errors.js';
import { type InputDtype, isInputDtype } from '../memory/index.js';
import type { GivenParameters, GivenRange, QuantizeOptions, SchemeInput } from '../runtime/index.js';
import { defineScheme, type Scheme } from '../scheme/index.js';
import { type Frame, type FramedTensor, framed, numbersOf, numbersTensor, unframed } from './framing.js';

/** What a host is to do with the values. */
export type Task = 'quantize' | 'range';

/** The options of a call that a host must know. */
export type SentOptions = Pick<
  QuantizeOptions,
  'range' | 'parameters' | 'outliers' | 'tensorScale' | 'seed' | 'stats' | 'deadline'
>;

/** A batch on its way. */
export interface Batch {
  readonly task: Task;
  readonly scheme: SchemeInput;
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  /** The values, little-endian; at any address. */
  readonly bytes: Uint8Array;
  readonly options: SentOptions;
  /** What results are ordered by, and the number of the batch among those of its key; for those who watch. */
  readonly key: string | undefined;
  readonly sequence: number;
}

/** What the message is, and its version. */
const FORMAT = 'quantlane-batch-1';

/** Texts of schemes: a stream sends the same again and again. */
const texts = new WeakMap<Scheme, string>();
/** Schemes of texts, the other way. */
const schemes = new Map<string, SchemeInput>();
const MOST_SCHEMES = 256;

/** A batch as a message; its values are copied. */
export async function batchMessage(batch: Batch, signal?: AbortSignal): Promise<Uint8Array> {
  const { task, scheme, dtype, shape, bytes, options, key, sequence } = batch;
  const { range, parameters, outliers, tensorScale, seed, stats, deadline } = options;
  const tensors: FramedTensor[] = [{ name: 'values', dtype, shape, bytes }];
  if (range !== undefined) {
    tensors.push(numbersTensor('range.min', range.min), numbersTensor('range.max', range.max));
  }
  if (parameters !== undefined) {
    tensors.push(numbersTensor('parameters.scale', parameters.scale));
    if (parameters.zeroPoint !== undefined) {
      tensors.push(numbersTensor('parameters.zeroPoint', parameters.zeroPoint));
    }
  }
  if (outliers !== undefined) tensors.push(numbersTensor('outliers', outliers));
  const metadata = {
    format: FORMAT,
    task,
    scheme: schemeText(scheme),
    options: JSON.stringify({ tensorScale, seed, stats, deadline }),
    ...(key !== undefined && { key, sequence: String(sequence) }),
  };
  return framed(tensors, metadata, signal);
}

/**
 * The batch of a message.
 * @throws ERR_QUANTLANE_FORMAT for what is no batch, and errors of `defineScheme`
 */
export function readBatch(message: Uint8Array): Batch {
  const frame = unframed(message);
  const { format, task, scheme = '', options = '{}', key, sequence = '0' } = frame.metadata;
  if (format !== FORMAT) throw wrong(`a message of format ${FORMAT}`, format);
  if (task !== 'quantize' && task !== 'range') throw wrong('the task quantize or range', task);
  const values = frame.find('values');
  if (values === undefined || !isInputDtype(values.dtype)) throw wrong('values of a float type', values?.dtype);
  const { dtype, shape, bytes } = values;
  return {
    task,
    scheme: schemeOf(scheme),
    dtype,
    shape,
    bytes,
    options: { ...plainOptions(options), ...givenOptions(frame) },
    key,
    sequence: Number(sequence),
  };
}

function plainOptions(text: string): SentOptions {
  const { tensorScale, seed, stats, deadline } = parsed(text) as Record<string, unknown>;
  // What is of a wrong type, the runtime refuses as it would from its own caller.
  return {
    ...(tensorScale !== undefined && { tensorScale: tensorScale as number }),
    ...(seed !== undefined && { seed: seed as number }),
    ...(stats === true && { stats }),
    ...(typeof deadline === 'number' && { deadline }),
  };
}

function givenOptions(frame: Frame): SentOptions {
  const min = numbersOf(frame, 'range.min');
  const max = numbersOf(frame, 'range.max');
  const scale = numbersOf(frame, 'parameters.scale');
  const zeroPoint = numbersOf(frame, 'parameters.zeroPoint');
  const outliers = numbersOf(frame, 'outliers');
  const range: GivenRange | undefined = min !== undefined && max !== undefined ? { min, max } : undefined;
  const parameters: GivenParameters | undefined =
    scale === undefined ? undefined : { scale, ...(zeroPoint !== undefined && { zeroPoint }) };
  return {
    ...(range !== undefined && { range }),
    ...(parameters !== undefined && { parameters }),
    ...(typeof outliers === 'object' && { outliers }),
  };
}

function schemeText(scheme: SchemeInput): string {
  if (typeof scheme === 'string') return JSON.stringify(scheme);
  const known = texts.get(scheme);
  if (known !== undefined) return known;
  const text = JSON.stringify(scheme);
  texts.set(scheme, text);
  return text;
}

function schemeOf(text: string): SchemeInput {
  const known = schemes.get(text);
  if (known !== undefined) return known;
  const value = parsed(text);
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) throw wrong('a scheme', value);
  const scheme = typeof value === 'string' ? value : defineScheme(value as Scheme);
  if (schemes.size >= MOST_SCHEMES) schemes.clear();
  schemes.set(text, scheme);
  return scheme;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('ERR_QUANTLANE_FORMAT', 'Expected a batch with JSON in its metadata, got other text', { cause });
  }
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected ${expected}, got ${got(actual)}`);
}
