/**
 * Products with the weights of a layer: what is leased, and the jobs.
 * @module
 */
import { fail } from '../errors.js';
import { type Lease, type Ownership, TensorLease } from '../memory/index.js';
import { productOf } from '../numbers.js';
import type { Work } from '../runtime/calls.js';
import type { QuantizedTensor, Runtime } from '../runtime/index.js';
import { foreign, type Input } from '../runtime/input.js';
import { type Job, NOWHERE } from '../runtime/job.js';
import { checkDone } from '../runtime/outcome.js';
import { RowForm } from '../scheme/codes.js';
import { codesAt } from './codes-at.js';
import { checkFactor } from './kinds.js';
import { type LinearPlan, productKind, rowBytes, rowsKind } from './plan.js';

/** A result of shape [..., outputs]. */
export type Values = TensorLease<'float32'>;

/** Weights in the arena. */
export interface Weights {
  readonly plan: LinearPlan;
  readonly byteOffset: number;
}

/** Bytes behind the result that kernels may read: they read four floats at a time. */
const BEHIND = 16;

/** The work of float32 times weights that are no int8 codes (equations L5 and L6). */
export function floatWork({ engine: { arena } }: Runtime, weights: Weights, input: Input): Work<Values> {
  const { kind } = weights.plan;
  if (input.dtype !== 'float32') {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected float32 for weights as ${kind}, got ${input.dtype}`);
  }
  const { shape, rows, bytes } = resultOf(weights, input.shape);
  return {
    bytes,
    job: (result) => productJob(weights, rows, RowForm.Wide, input.byteOffset, 0, result),
    result: (outcome, result) => {
      checkDone(outcome);
      return new TensorLease(result, arena, 'float32', shape);
    },
  };
}

/** Codes times codes (equations L3 and L4): rows are laid out, then multiplied. */
export async function multiply(
  { engine, calls }: Runtime,
  weights: Weights,
  q: QuantizedTensor,
  signal: AbortSignal | undefined,
): Promise<Values> {
  const { arena, scheduler } = engine;
  const room = async (bytes: number, holding: number): Promise<Lease> => {
    const lease = arena.tryLease(bytes) ?? (await arena.acquire(bytes, { signal, holding }));
    if (signal?.aborted !== true) return lease;
    lease.release();
    throw signal.reason;
  };
  const { token, steps } = begin({ engine, calls }, weights, q);
  let rows: Lease | undefined;
  let result: Lease | undefined;
  try {
    rows = await room(steps.rowsBytes, token.allocatedBytes);
    checkDone(await scheduler.run(steps.rows(rows), signal));
    result = await room(steps.resultBytes, token.allocatedBytes + rows.allocatedBytes);
    checkDone(await scheduler.run(steps.product(rows, result), signal));
    return new TensorLease(result, arena, 'float32', steps.shape);
  } catch (error) {
    result?.release();
    calls.counts.failed++;
    throw error;
  } finally {
    rows?.release();
    token.restore();
    calls.leave();
  }
}

/** The same at once, on this thread. */
export function multiplyNow({ engine, calls }: Runtime, weights: Weights, q: QuantizedTensor): Values {
  const { arena, scheduler } = engine;
  const { token, steps } = begin({ engine, calls }, weights, q);
  let rows: Lease | undefined;
  let result: Lease | undefined;
  try {
    rows = arena.lease(steps.rowsBytes);
    checkDone(scheduler.runNow(steps.rows(rows)));
    result = arena.lease(steps.resultBytes);
    checkDone(scheduler.runNow(steps.product(rows, result)));
    return new TensorLease(result, arena, 'float32', steps.shape);
  } catch (error) {
    result?.release();
    calls.counts.failed++;
    throw error;
  } finally {
    rows?.release();
    token.restore();
    calls.leave();
  }
}

/** What is done with codes. */
interface Steps {
  readonly shape: readonly number[];
  readonly rowsBytes: number;
  readonly resultBytes: number;
  rows(rows: Lease): Job;
  product(rows: Lease, result: Lease): Job;
}

/** Takes codes in hand, and says what is done with them. */
function begin(
  { engine, calls }: Pick<Runtime, 'engine' | 'calls'>,
  weights: Weights,
  q: QuantizedTensor,
): { readonly token: Ownership; readonly steps: Steps } {
  engine.assertOpen();
  checkFactor(q.scheme, 'a tensor');
  if (q.data.buffer !== engine.arena.buffer) throw foreign('quantized tensor');
  const { plan } = weights;
  const { rowForm } = engine;
  const { shape, rows, bytes } = resultOf(weights, q.shape);
  const parameters = rows * rowBytes(plan);
  const token = q.consume();
  calls.enter();
  return {
    token,
    steps: {
      shape,
      rowsBytes: parameters + rows * 8,
      resultBytes: bytes,
      rows: ({ byteOffset: codes }) => ({
        kind: rowsKind(plan, q.scheme, rows, rowForm),
        places: { ...codesAt(q, token), codes, rangeLow: codes + parameters },
      }),
      product: ({ byteOffset }, result) =>
        productJob(weights, rows, rowForm, byteOffset, byteOffset + parameters, result),
    },
  };
}

/** Shape and bytes of the result for an input of `shape`, and its rows. */
function resultOf({ plan: { inputs, outputs } }: Weights, shape: readonly number[]) {
  const rows = productOf(shape.slice(0, -1));
  if (shape.length > 0 && shape.at(-1) === inputs && rows > 0) {
    return { shape: [...shape.slice(0, -1), outputs], rows, bytes: rows * outputs * 4 + BEHIND };
  }
  const text = `Expected at least one row of ${inputs} values, got shape [${shape.join(', ')}]`;
  throw fail('ERR_QUANTLANE_SHAPE', text);
}

/** Rows at `values`, and their parameters at `rangeLow`, times the weights, to `result`. */
function productJob(
  { plan, byteOffset }: Weights,
  rows: number,
  rowForm: RowForm,
  values: number,
  rangeLow: number,
  result: Lease,
): Job {
  const { scales, sums, bias } = plan;
  const places = { ...NOWHERE, values, rangeLow, codes: result.byteOffset, rangeHigh: byteOffset };
  return {
    kind: productKind(plan, rows, rowForm),
    places: { ...places, scale: byteOffset + scales, zeroPoint: byteOffset + sums, tensorScale: byteOffset + bias },
  };
}
