/**
 * The runtime: leases in, quantized tensors out.
 * @module
 */
import { type Arena, bytesOf, type InputDtype, type Lease, TensorLease } from '../memory/index.js';
import type { PresetName, Scheme } from '../scheme/index.js';
import type { LaneHandle } from './control.js';
import type { Engine } from './engine.js';
import { foreign, Input } from './input.js';
import { dequantizeJob, quantizeJob, type RangeResult, rangeJob, readRange } from './jobs.js';
import { loadParts, loadPlan, type QuantizedParts } from './load.js';
import type { RuntimeMetrics } from './metrics.js';
import { checkOutcome, type Outcome } from './outcome.js';
import { type Plan, Planner, type QuantizeOptions } from './plan.js';
import { QuantizedTensor } from './quantized.js';
import type { TensorInput } from './tensor.js';

/** A preset's name or a scheme. */
export type SchemeInput = Scheme | PresetName | (string & {});

/** How codes are turned back into values, or a range is taken. */
export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** Quantizes on memory of its own and any number of lanes. Made by `createRuntime`. */
export class Runtime {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #planner = new Planner();
  readonly #counts = { calls: 0, failed: 0, elements: 0, copiedBytes: 0 };
  /** Calls that are not over, and who waits for them. */
  #pending = 0;
  #drained: (() => void)[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#arena = engine.arena;
  }

  /**
   * Leases a tensor of shared memory now. Its bytes are whatever was there before.
   * @param shape sizes of the dimensions, outermost first
   * @throws ERR_QUANTLANE_ARENA_FULL where there is no room now, ERR_QUANTLANE_ARENA_TOO_SMALL where there never is,
   * ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_CLOSED
   */
  lease<D extends InputDtype>(dtype: D, shape: readonly number[]): TensorLease<D> {
    this.#engine.assertOpen();
    return new TensorLease(this.#arena.lease(bytesOf(dtype, shape)), this.#arena, dtype, shape);
  }

  /** Leases a tensor as soon as there is room; requests are served in order. Errors are those of `lease`. */
  async acquire<D extends InputDtype>(
    dtype: D,
    shape: readonly number[],
    options: CallOptions = {},
  ): Promise<TensorLease<D>> {
    this.#engine.assertOpen();
    const lease = await this.#arena.acquire(bytesOf(dtype, shape), { signal: options.signal });
    return new TensorLease(lease, this.#arena, dtype, shape);
  }

  /** Whether a tensor could be leased now. */
  hasRoom(dtype: InputDtype, shape: readonly number[]): boolean {
    return this.#arena.has(bytesOf(dtype, shape));
  }

  /**
   * Quantizes a tensor.
   *
   * A lease is used up, whatever the outcome, unless `keep` is set. A plain tensor is copied (`copiedBytes` counts).
   * The caller's thread is never held for more than a millisecond.
   * @returns codes and parameters in shared memory; release them
   * @throws ERR_QUANTLANE_NON_FINITE with the details `{ count, first }`, ERR_QUANTLANE_PRESET, ERR_QUANTLANE_SHAPE,
   * ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_PARAMETERS, ERR_QUANTLANE_LEASE_RELEASED, ERR_QUANTLANE_ARENA_TOO_SMALL,
   * ERR_QUANTLANE_ARENA_STUCK, ERR_QUANTLANE_POISON_BATCH, ERR_QUANTLANE_KERNEL, ERR_QUANTLANE_CLOSED, or the reason of
   * the signal
   */
  async quantize(tensor: TensorInput, scheme: SchemeInput, options: QuantizeOptions = {}): Promise<QuantizedTensor> {
    const input = this.#begin(tensor, options.keep === true);
    let lease: Lease | undefined;
    try {
      options.signal?.throwIfAborted();
      const plan = this.#planner.plan(scheme, input.dtype, input.shape, options);
      if (input.isPlain) await input.bring(this.#arena, options.signal);
      const { bytes } = plan.parts;
      lease =
        this.#arena.tryLease(bytes) ??
        (await this.#arena.acquire(bytes, { signal: options.signal, holding: input.allocatedBytes }));
      // It may have been aborted while the call waited.
      options.signal?.throwIfAborted();
      const ran = this.#engine.scheduler.run(
        quantizeJob(plan, options, this.#arena.buffer, input, lease),
        options.signal,
      );
      return this.#result(plan, ran instanceof Promise ? await ran : ran, lease);
    } catch (error) {
      lease?.release();
      this.#counts.failed++;
      throw error;
    } finally {
      this.#end(input);
    }
  }

  /**
   * The same at once, on this thread, for callers on a worker thread of their own: it returns when it is done, however
   * long that takes. Errors are those of `quantize`, and ERR_QUANTLANE_ARENA_FULL where there is no room now.
   */
  quantizeSync(tensor: TensorInput, scheme: SchemeInput, options: QuantizeOptions = {}): QuantizedTensor {
    const input = this.#begin(tensor, options.keep === true);
    let lease: Lease | undefined;
    try {
      const plan = this.#planner.plan(scheme, input.dtype, input.shape, options);
      if (input.isPlain) input.bringNow(this.#arena);
      lease = this.#arena.lease(plan.parts.bytes);
      const outcome = this.#engine.scheduler.runNow(quantizeJob(plan, options, this.#arena.buffer, input, lease));
      return this.#result(plan, outcome, lease);
    } catch (error) {
      lease?.release();
      this.#counts.failed++;
      throw error;
    } finally {
      this.#end(input);
    }
  }

  /**
   * The float32 values that a consumer reads from the codes: `(q − zeroPoint) · scale`. The quantized tensor stays the
   * caller's, who must not release it meanwhile.
   * @returns a lease of the same shape; release it
   */
  async dequantize(quantized: QuantizedTensor, options: CallOptions = {}): Promise<TensorLease<'float32'>> {
    this.#engine.assertOpen();
    if (quantized.data.buffer !== this.#arena.buffer) throw foreign('quantized tensor');
    const token = quantized.consume();
    let lease: Lease | undefined;
    this.#pending++;
    try {
      options.signal?.throwIfAborted();
      const bytes = quantized.plan.layout.elements * 4;
      lease =
        this.#arena.tryLease(bytes) ??
        (await this.#arena.acquire(bytes, { signal: options.signal, holding: token.allocatedBytes }));
      options.signal?.throwIfAborted();
      const job = dequantizeJob(quantized.plan, token, lease);
      checkOutcome(await this.#engine.scheduler.run(job, options.signal), quantized.scheme);
      return new TensorLease(lease, this.#arena, 'float32', quantized.shape);
    } catch (error) {
      lease?.release();
      this.#counts.failed++;
      throw error;
    } finally {
      token.restore();
      this.#over();
    }
  }

  /**
   * The range of the values of every parameter of a dynamic scheme, with zero in it; the first pass over a tensor that
   * comes in parts. A lease stays the caller's.
   */
  async range(tensor: TensorInput, scheme: SchemeInput, options: CallOptions = {}): Promise<RangeResult> {
    const input = this.#begin(tensor, true);
    let lease: Lease | undefined;
    try {
      options.signal?.throwIfAborted();
      const plan = this.#planner.plan(scheme, input.dtype, input.shape, {});
      if (input.isPlain) await input.bring(this.#arena, options.signal);
      lease = await this.#arena.acquire(plan.layout.parameters * 8, {
        signal: options.signal,
        holding: input.allocatedBytes,
      });
      options.signal?.throwIfAborted();
      const job = rangeJob(plan, input, lease);
      const outcome = await this.#engine.scheduler.run(job, options.signal);
      checkOutcome(outcome, plan.scheme);
      return readRange(plan, outcome, this.#arena.buffer, lease);
    } catch (error) {
      this.#counts.failed++;
      throw error;
    } finally {
      lease?.release();
      this.#end(input);
    }
  }

  /**
   * A quantized tensor of codes and parameters that come from elsewhere, such as a file. They are copied.
   * @throws ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_PARAMETERS where the parts do not fit the scheme
   */
  async load(parts: QuantizedParts, options: CallOptions = {}): Promise<QuantizedTensor> {
    this.#engine.assertOpen();
    const plan = loadPlan(this.#planner, parts);
    const lease = await this.#arena.acquire(plan.parts.bytes, { signal: options.signal });
    this.#pending++;
    try {
      const { buffer } = this.#arena;
      this.#counts.copiedBytes += await loadParts(plan, parts, buffer, lease.byteOffset, options.signal);
      return new QuantizedTensor(lease, plan, buffer);
    } catch (error) {
      lease.release();
      throw error;
    } finally {
      this.#over();
    }
  }

  /** The lanes, by index, each with its control channel; empty where everything runs in place. */
  get lanes(): readonly LaneHandle[] {
    return this.#engine.lanes;
  }

  /** What the runtime has done and holds. */
  metrics(): RuntimeMetrics {
    return { ...this.#counts, pending: this.#pending, ...this.#engine.metrics(), arena: this.#arena.statistics() };
  }

  /** Settles when no call is pending. */
  drain(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /**
   * Takes no more calls, lets those that run finish, and ends the lanes. Calls that wait for room are rejected with
   * ERR_QUANTLANE_CLOSED. Leases stay readable.
   */
  async close(): Promise<void> {
    this.#engine.refuse();
    await this.drain();
    await this.#engine.end();
  }

  /** Closes without waiting: calls that run are rejected with ERR_QUANTLANE_CLOSED as soon as the lanes let go. */
  async destroy(): Promise<void> {
    this.#engine.refuse();
    this.#engine.abort();
    await this.drain();
    await this.#engine.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Memory and threads, for the rooms above. */
  get engine(): Engine {
    return this.#engine;
  }

  #begin(tensor: TensorInput, keep: boolean): Input {
    const input = new Input(tensor, this.#arena, keep);
    if (this.#engine.isOpen) {
      this.#pending++;
      this.#counts.calls++;
      return input;
    }
    input.end();
    this.#engine.assertOpen();
    return input;
  }

  #end(input: Input): void {
    this.#counts.copiedBytes += input.copiedBytes;
    input.end();
    this.#over();
  }

  #over(): void {
    this.#pending--;
    if (this.#pending > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #result(plan: Plan, outcome: Outcome, lease: Lease): QuantizedTensor {
    checkOutcome(outcome, plan.scheme);
    this.#counts.elements += plan.layout.elements;
    return new QuantizedTensor(lease, plan, this.#arena.buffer);
  }
}
