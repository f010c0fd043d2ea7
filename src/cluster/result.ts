/**
 * A result as a message: codes and parameters as tensors, ranges, or the error that there is instead.
 * @module
 */
import { type ErrorDetails, fail, isErrorCode, QuantlaneError } from '../errors.js';
import type { FileDtype } from '../formats/index.js';
import { type Arena, bytesIn } from '../memory/index.js';
import { QuantizedTensor, type RangeResult } from '../runtime/index.js';
import { planWith } from '../runtime/outliers.js';
import type { Plan } from '../runtime/plan.js';
import { copySlowly } from '../runtime/tensor.js';
import { Size } from '../scheme/descriptor.js';
import { dataDtype, scaleBytes, zeroPointBytes, zeroPointDtype } from '../scheme/index.js';
import { assertDtype, type Frame, type FramedTensor, framed } from './framing.js';

/** A part of a quantized tensor: its name in a message, and where it lies in the memory of the result. */
export interface Part {
  readonly name: string;
  readonly dtype: FileDtype;
  readonly shape: readonly number[];
  readonly at: number;
  readonly byteLength: number;
}

/** What the message is, and its version. */
const FORMAT = 'quantlane-result-1';

/** The parts that a plan's result has. */
export function partsOf({ scheme, layout, parts }: Plan): Part[] {
  const { parameters, parameterShape, count, units } = layout;
  const found: Part[] = [];
  const add = (name: string, dtype: FileDtype, shape: readonly number[], at: number, byteLength: number): void => {
    if (at >= 0) found.push({ name, dtype, shape, at, byteLength });
  };
  add('codes', dataDtype(scheme), layout.codeShape, 0, layout.codeBytes);
  add('scale', scheme.scaleDtype, parameterShape, parts.scale, parameters * scaleBytes(scheme));
  if (parts.zeroPoint >= 0) {
    const bytes = parameters * zeroPointBytes(scheme);
    add('zero_point', zeroPointDtype(scheme), parameterShape, parts.zeroPoint, bytes);
  }
  add('outliers', 'int32', [count], parts.outliers, count * 4);
  add('outlier_values', 'float32', [units, count], parts.outlierValues, units * count * 4);
  add('tensor_scale', 'float32', [], parts.tensorScale, 4);
  const records = [units, Size.StatisticsDoubles];
  add('statistics', 'float64', records, parts.statistics, units * Size.StatisticsDoubles * 8);
  return found;
}

/** A quantized tensor as a message; it stays the caller's. */
export function resultMessage(result: QuantizedTensor, host: string): Promise<Uint8Array> {
  const { buffer, byteOffset } = result.data;
  const tensors = partsOf(result.plan).map(({ at, byteLength, ...tensor }) => ({
    ...tensor,
    bytes: new Uint8Array(buffer, byteOffset + at, byteLength),
  }));
  return framed(tensors, { format: FORMAT, host });
}

/** Ranges as a message. */
export function rangeMessage({ min, max, shape }: RangeResult, host: string): Promise<Uint8Array> {
  const tensor = (name: string, values: Float32Array): FramedTensor => ({
    name,
    dtype: 'float32',
    shape,
    bytes: bytesIn(values),
  });
  return framed([tensor('min', min), tensor('max', max)], { format: FORMAT, host });
}

/** An error as a message. What is none of the library's is told by its class alone: it may hold what is not to be seen. */
export function errorMessage(error: unknown, host: string): Promise<Uint8Array> {
  const isOurs = error instanceof QuantlaneError;
  const code = isOurs ? error.code : 'ERR_QUANTLANE_KERNEL';
  const text = isOurs ? error.message : `Expected a host that works, got ${(error as object)?.constructor?.name}`;
  const details = JSON.stringify(isOurs ? error.details : {});
  return framed([], { format: FORMAT, host, code, text, details });
}

/** @throws the error that a message holds, and ERR_QUANTLANE_FORMAT for what is no result */
export function checkResult({ metadata }: Frame): void {
  const { format, code, text = '', details = '{}' } = metadata;
  if (format !== FORMAT) throw fail('ERR_QUANTLANE_FORMAT', `Expected a message of format ${FORMAT}, got ${format}`);
  if (code === undefined) return;
  // A newer host may know more codes.
  const known = isErrorCode(code) ? code : 'ERR_QUANTLANE_KERNEL';
  throw fail(known, text, { details: JSON.parse(details) as ErrorDetails });
}

/** The ranges of a message. */
export function rangeOf(frame: Frame): RangeResult {
  const [min, max] = ['min', 'max'].map((name) => {
    const tensor = frame.find(name);
    if (tensor === undefined) throw missing(name);
    assertDtype(tensor, 'float32');
    return { shape: tensor.shape, values: new Float32Array(tensor.bytes.slice().buffer) };
  });
  return { min: min!.values, max: max!.values, shape: min!.shape };
}

/**
 * Puts the codes and parameters of a message into the arena.
 * @param planned what the batch comes to; how many columns of outliers there are, the message tells
 * @param closing aborted when there is no use in waiting for room any more
 * @throws ERR_QUANTLANE_FORMAT where the message holds something else, and errors of the arena
 */
export async function landed(
  frame: Frame,
  planned: Plan,
  arena: Arena,
  signal: AbortSignal | undefined,
  closing: AbortSignal,
): Promise<QuantizedTensor> {
  const plan = planned.scheme.outliers === null ? planned : planWith(planned, frame.find('outliers')?.shape[0] ?? 0);
  const parts = partsOf(plan).map((part) => ({ ...part, bytes: bytesOf(frame, part) }));
  const { bytes } = plan.parts;
  const lease = arena.tryLease(bytes) ?? (await arena.acquire(bytes, { signal: either(signal, closing) }));
  try {
    for (const { at, bytes } of parts) {
      await copySlowly(bytes, new Uint8Array(arena.buffer, lease.byteOffset + at, bytes.length), signal);
    }
    return new QuantizedTensor(lease, plan, arena.buffer);
  } catch (error) {
    lease.release();
    throw error;
  }
}

/**
 * The bytes of a part.
 * @throws ERR_QUANTLANE_FORMAT where the message has it not, or otherwise
 */
export function bytesOf(frame: Frame, { name, dtype, byteLength }: Part): Uint8Array {
  const tensor = frame.find(name);
  if (tensor === undefined) throw missing(name);
  assertDtype(tensor, dtype);
  if (tensor.byteLength === byteLength) return tensor.bytes;
  const text = `Expected ${byteLength} bytes of ${name} in a result, got ${tensor.byteLength}`;
  throw fail('ERR_QUANTLANE_FORMAT', text);
}

function missing(name: string): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected ${name} in a result, got a message without it`);
}

/** Aborted when one of two signals is. */
export function either(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal === undefined ? other : AbortSignal.any([signal, other]);
}
