/**
 * A linear layer: y = x · Wᵀ + b on the lanes of a runtime.
 * @module
 */
import { fail, got } from '../errors.js';
import { type Lease, type Ownership, TensorLease } from '../memory/index.js';
import { productOf } from '../numbers.js';
import {
  QuantizedTensor,
  type QuantizeOptions,
  type Runtime,
  type SchemeInput,
  type TensorInput,
} from '../runtime/index.js';
import { foreign } from '../runtime/input.js';
import { type Job, NOWHERE } from '../runtime/job.js';
import { checkDone } from '../runtime/outcome.js';
import { RowForm } from '../scheme/codes.js';
import { codesAt } from './codes-at.js';
import { checkFactor, kindOf, type WeightKind } from './kinds.js';
import { type LinearPlan, productKind, rowBytes, rowsKind } from './plan.js';

/** How a layer is applied: as `quantize` is, where it quantizes its input. */
export type ForwardOptions = Omit<QuantizeOptions, 'stats' | 'outliers' | 'tensorScale'>;

/** What a layer is applied to: values, or for weights of int8 codes that were quantized before. */
export type LinearInput = TensorInput | QuantizedTensor;

type Values = TensorLease<'float32'>;

/** Bytes behind the result that kernels may read: they read four floats at a time. */
const BEHIND = 16;

/** A linear layer. Made by `createLinear`; its weights are in one lease until `release`. */
export class Linear {
  /** What the weights are kept as. */
  readonly weights: WeightKind;
  /** Values of a row of the input and of the result. */
  readonly inputs: number;
  readonly outputs: number;
  /** Inputs that share a scale; all of them where an output has one scale or none. */
  readonly groupSize: number;
  /** What rows are quantized with, as a name or scheme; null where they stay floats. */
  readonly activations: SchemeInput | null;
  readonly #runtime: Runtime;
  readonly #plan: LinearPlan;
  readonly #lease: Lease;
  #users = 0;
  #isReleased = false;

  /** @internal Layers are made by `createLinear`. */
  constructor(runtime: Runtime, plan: LinearPlan, lease: Lease, activations: SchemeInput | null) {
    this.weights = plan.kind;
    this.inputs = plan.inputs;
    this.outputs = plan.outputs;
    this.groupSize = plan.group;
    this.activations = activations;
    this.#runtime = runtime;
    this.#plan = plan;
    this.#lease = lease;
  }

  /** Bytes of weights, scales, sums and bias. */
  get byteLength(): number {
    return this.#plan.bytes;
  }

  /** Whether it has been given back. */
  get released(): boolean {
    return this.#isReleased;
  }

  /**
   * Applies the layer to rows (equations L3 to L6). A row's result does not depend on other rows but through the scheme
   * that they are quantized with, nor on lanes or kernels.
   *
   * A lease is used up, as by `quantize`, unless `keep` is set; a tensor that is quantized already stays the caller's, who
   * must not release it meanwhile.
   * @param x values of shape [..., inputs]; float32 where the layer does not quantize them
   * @returns a lease of float32 of shape [..., outputs]; release it
   * @throws ERR_QUANTLANE_LEASE_RELEASED for a layer that was released, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_DTYPE,
   * ERR_QUANTLANE_ARGUMENT for codes that are no factors, and errors of `quantize`
   */
  async forward(x: LinearInput, options: ForwardOptions = {}): Promise<Values> {
    return this.#using(async () => {
      if (!kindOf(this.weights).isInteger) {
        const tensor = valuesOf(x, this.weights);
        return await this.#runtime.calls.run(tensor, options, (input) => this.#floatWork(input));
      }
      if (x instanceof QuantizedTensor) return await this.#multiply(x, options.signal);
      const q = await this.#runtime.quantize(x, this.activations!, options);
      try {
        return await this.#multiply(q, options.signal);
      } finally {
        q.release();
      }
    });
  }

  /** The same at once, on this thread, however long that takes. Errors are those of `forward` and of `quantizeSync`. */
  forwardSync(x: LinearInput, options: ForwardOptions = {}): Values {
    this.#enter();
    try {
      if (!kindOf(this.weights).isInteger) {
        const tensor = valuesOf(x, this.weights);
        return this.#runtime.calls.runNow(tensor, options.keep === true, (input) => this.#floatWork(input));
      }
      if (x instanceof QuantizedTensor) return this.#multiplyNow(x);
      const q = this.#runtime.quantizeSync(x, this.activations!, options);
      try {
        return this.#multiplyNow(q);
      } finally {
        q.release();
      }
    } finally {
      this.#leave();
    }
  }

  /** Gives the weights back, once what runs is done; a second time is ERR_QUANTLANE_DOUBLE_RELEASE. */
  release(): void {
    if (this.#isReleased) {
      throw fail('ERR_QUANTLANE_DOUBLE_RELEASE', 'Expected to release a layer once, got one that was released before');
    }
    this.#isReleased = true;
    if (this.#users === 0) this.#lease.release();
  }

  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }

  /** Shape of the result for an input of `shape`, and its rows. */
  #resultOf(shape: readonly number[]): { readonly shape: readonly number[]; readonly rows: number } {
    if (shape.length > 0 && shape.at(-1) === this.inputs && productOf(shape) > 0) {
      return { shape: [...shape.slice(0, -1), this.outputs], rows: productOf(shape.slice(0, -1)) };
    }
    const text = `Expected at least one row of ${this.inputs} values, got shape [${shape.join(', ')}]`;
    throw fail('ERR_QUANTLANE_SHAPE', text);
  }

  #floatWork(input: { readonly dtype: string; readonly shape: readonly number[]; readonly byteOffset: number }) {
    const { arena } = this.#runtime.engine;
    if (input.dtype !== 'float32') {
      throw fail('ERR_QUANTLANE_DTYPE', `Expected float32 for weights as ${this.weights}, got ${input.dtype}`);
    }
    const { shape, rows } = this.#resultOf(input.shape);
    return {
      bytes: rows * this.outputs * 4 + BEHIND,
      job: (result: Lease) => this.#product(rows, RowForm.Wide, input.byteOffset, 0, result),
      result: (outcome: Parameters<typeof checkDone>[0], result: Lease) => {
        checkDone(outcome);
        return new TensorLease(result, arena, 'float32', shape);
      },
    };
  }

  /** Codes times weights: rows are laid out, then multiplied. */
  async #multiply(q: QuantizedTensor, signal?: AbortSignal): Promise<Values> {
    const { arena, scheduler } = this.#runtime.engine;
    const { calls } = this.#runtime;
    const { token, steps } = this.#begin(q);
    let rows: Lease | undefined;
    let result: Lease | undefined;
    try {
      const room = async (bytes: number, holding: number): Promise<Lease> => {
        const lease = arena.tryLease(bytes) ?? (await arena.acquire(bytes, { signal, holding }));
        signal?.throwIfAborted();
        return lease;
      };
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

  #multiplyNow(q: QuantizedTensor): Values {
    const { arena, scheduler } = this.#runtime.engine;
    const { calls } = this.#runtime;
    const { token, steps } = this.#begin(q);
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

  /** Takes codes in hand, and says what is done with them. */
  #begin(q: QuantizedTensor): { readonly token: Ownership; readonly steps: Steps } {
    const { engine, calls } = this.#runtime;
    engine.assertOpen();
    checkFactor(q.scheme, 'a tensor');
    if (q.data.buffer !== engine.arena.buffer) throw foreign('quantized tensor');
    const { shape, rows } = this.#resultOf(q.shape);
    const token = q.consume();
    calls.enter();
    const paramsAt = rows * rowBytes(this.#plan);
    const { rowForm } = engine;
    const steps: Steps = {
      shape,
      rowsBytes: paramsAt + rows * 8,
      resultBytes: rows * this.outputs * 4 + BEHIND,
      rows: ({ byteOffset: codes }) => ({
        kind: rowsKind(this.#plan, q.scheme, rows, rowForm),
        places: { ...codesAt(q, token), codes, rangeLow: codes + paramsAt },
      }),
      product: ({ byteOffset }, result) => this.#product(rows, rowForm, byteOffset, byteOffset + paramsAt, result),
    };
    return { token, steps };
  }

  #product(rows: number, rowForm: RowForm, values: number, rangeLow: number, result: Lease): Job {
    const { scales, sums, bias } = this.#plan;
    const start = this.#lease.byteOffset;
    const places = { ...NOWHERE, values, rangeLow, codes: result.byteOffset, rangeHigh: start };
    return {
      kind: productKind(this.#plan, rows, rowForm),
      places: { ...places, scale: start + scales, zeroPoint: start + sums, tensorScale: start + bias },
    };
  }

  async #using<T>(body: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await body();
    } finally {
      this.#leave();
    }
  }

  /** The weights stay until `#leave`. */
  #enter(): void {
    if (this.#isReleased) throw fail('ERR_QUANTLANE_LEASE_RELEASED', 'Expected a layer, got one that was released');
    this.#users++;
  }

  #leave(): void {
    this.#users--;
    if (this.#isReleased && this.#users === 0) this.#lease.release();
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

/** Values that are not codes. */
function valuesOf(x: LinearInput, kind: WeightKind): TensorInput {
  if (!(x instanceof QuantizedTensor)) return x;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected float32 values for weights as ${kind}, got ${got(x)}`);
}
