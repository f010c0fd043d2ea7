/**
 * The runtime: leases in, quantized tensors out.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { fail, got } from '../errors.js';
import { type Arena, bytesOf, type InputDtype, parseSize, TensorLease } from '../memory/index.js';
import { Op } from '../scheme/codes.js';
import { Calls } from './calls.js';
import { connect } from './connection.js';
import type { LaneHandle } from './control.js';
import { Dequantizer } from './dequantize.js';
import { Direct } from './direct.js';
import type { Engine } from './engine.js';
import type { RangeResult } from './jobs.js';
import { loadParts, loadPlan, type QuantizedParts } from './load.js';
import type { RuntimeMetrics } from './metrics.js';
import type { CallOptions, CloseOptions, ConnectOptions } from './options.js';
import { Planner, type QuantizeOptions, type SchemeInput } from './plan.js';
import { QuantizedTensor } from './quantized.js';
import type { TensorInput } from './tensor.js';
import { type RotateOptions, type TransformOptions, Transforms } from './transforms.js';
import { isWatched, type Watchable, watched } from './watch.js';
import { Works } from './works.js';

/** No options: one object for all calls. */
const NO_OPTIONS: QuantizeOptions = Object.freeze({});

/** Quantizes on memory of its own and any number of lanes. Made by `createRuntime`. */
export class Runtime {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #planner = new Planner();
  readonly #calls: Calls;
  readonly #transforms: Transforms;
  readonly #works: Works;
  readonly #direct: Direct;
  readonly #dequantizer: Dequantizer;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#arena = engine.arena;
    this.#calls = new Calls(engine);
    this.#transforms = new Transforms(this.#calls, engine.arena);
    this.#works = new Works(this.#calls, this.#planner, engine.arena);
    this.#direct = new Direct(engine, this.#calls, this.#planner);
    this.#dequantizer = new Dequantizer(engine, this.#calls);
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
   * ERR_QUANTLANE_ARENA_STUCK, ERR_QUANTLANE_POISON_BATCH, ERR_QUANTLANE_KERNEL, ERR_QUANTLANE_DEADLINE,
   * ERR_QUANTLANE_OVERLOADED, ERR_QUANTLANE_CLOSED, or the reason of the signal
   */
  quantize(tensor: TensorInput, scheme: SchemeInput, options: QuantizeOptions = NO_OPTIONS): Promise<QuantizedTensor> {
    if (isWatched(options)) return watched(this, 'quantize', this.quantize, tensor, scheme, options);
    try {
      const quantized = this.#direct.quantize(tensor, scheme, options, true);
      if (quantized !== undefined) return Promise.resolve(quantized);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#calls.run(tensor, options, (input) => this.#works.quantize(input, scheme, options));
  }

  /**
   * The same at once, on this thread, for callers on a worker thread of their own: it returns when it is done, however
   * long that takes. Errors are those of `quantize`, and ERR_QUANTLANE_ARENA_FULL where there is no room now.
   */
  quantizeSync(tensor: TensorInput, scheme: SchemeInput, options: QuantizeOptions = NO_OPTIONS): QuantizedTensor {
    if (isWatched(options)) return watched(this, 'quantize', this.quantizeSync, tensor, scheme, options);
    const quantized = this.#direct.quantize(tensor, scheme, options, false);
    if (quantized !== undefined) return quantized;
    return this.#calls.runNow(tensor, options.keep === true, (input) => this.#works.quantize(input, scheme, options));
  }

  /**
   * The float32 values that a consumer reads from the codes: `(q − zeroPoint) · scale`. The quantized tensor stays the
   * caller's, who must not release it meanwhile.
   * @returns a lease of the same shape; release it
   */
  dequantize(quantized: QuantizedTensor, options: CallOptions = {}): Promise<TensorLease<'float32'>> {
    if (isWatched(options)) return watched(this, 'dequantize', this.dequantize, quantized, options);
    return this.#dequantizer.run(quantized, options);
  }

  /**
   * The same at once, on this thread, as `quantizeSync`: it returns when it is done, however long that takes.
   * @returns a lease of float32 of the same shape; release it
   * @throws ERR_QUANTLANE_ARENA_FULL where there is no room now, ERR_QUANTLANE_ARENA_TOO_SMALL where there never is,
   * ERR_QUANTLANE_ARGUMENT for a tensor of another runtime, ERR_QUANTLANE_LEASE_RELEASED, ERR_QUANTLANE_KERNEL,
   * ERR_QUANTLANE_CLOSED
   */
  dequantizeSync(quantized: QuantizedTensor, options: Watchable = NO_OPTIONS): TensorLease<'float32'> {
    if (isWatched(options)) return watched(this, 'dequantize', this.dequantizeSync, quantized, options);
    return this.#dequantizer.runNow(quantized);
  }

  /**
   * The range of the values of every parameter of a dynamic scheme, with zero in it; the first pass over a tensor that
   * comes in parts. A lease stays the caller's.
   */
  range(tensor: TensorInput, scheme: SchemeInput, options: CallOptions = {}): Promise<RangeResult> {
    if (isWatched(options)) return watched(this, 'range', this.range, tensor, scheme, options);
    return this.#calls.run(tensor, { ...options, keep: true }, (input) => this.#works.range(input, scheme));
  }

  /**
   * The columns of a tensor that hold an outlier, ascending, under a scheme that keeps them apart; the first pass over a
   * tensor that comes in parts. A lease stays the caller's.
   * @throws ERR_QUANTLANE_ARGUMENT for another scheme, and errors of `quantize`
   */
  outliers(tensor: TensorInput, scheme: SchemeInput, options: CallOptions = {}): Promise<Int32Array> {
    if (isWatched(options)) return watched(this, 'outliers', this.outliers, tensor, scheme, options);
    return this.#calls.run(tensor, { ...options, keep: true }, (input) => this.#works.outliers(input, scheme));
  }

  /**
   * Rotates each row of the last axis by an orthonormal Hadamard matrix, which spreads its outliers (equations 40 to 43).
   * The matrix is symmetric: to rotate twice gives the values again, but for rounding. A block is the whole row where a
   * matrix of its size can be made, else the largest power of two that divides it.
   * @returns a lease of float32 of the same shape; the input is used up as by `quantize`
   * @throws ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_ARGUMENT for a block that no matrix has, and errors of `quantize`
   */
  rotate(tensor: TensorInput, options: RotateOptions = {}): Promise<TensorLease<'float32'>> {
    if (isWatched(options)) return watched(this, 'rotate', this.rotate, tensor, options);
    return this.#transforms.rotate(tensor, options);
  }

  /**
   * SmoothQuant's migration: divides each column of activations by its scale (equation 44); see `smoothScales`.
   * @param scales a positive finite number for every index of the last axis
   * @returns as `rotate`
   * @throws ERR_QUANTLANE_PARAMETERS for wrong scales, ERR_QUANTLANE_SHAPE, and errors of `quantize`
   */
  smooth(
    tensor: TensorInput,
    scales: ArrayLike<number>,
    options: TransformOptions = {},
  ): Promise<TensorLease<'float32'>> {
    if (isWatched(options)) return watched(this, 'smooth', this.smooth, tensor, scales, options);
    return this.#transforms.scale(Op.Divide, tensor, scales, options);
  }

  /** The other side of `smooth`: multiplies each column of weights `[outputs, inputs]` with its scale (equation 45). */
  fold(
    tensor: TensorInput,
    scales: ArrayLike<number>,
    options: TransformOptions = {},
  ): Promise<TensorLease<'float32'>> {
    if (isWatched(options)) return watched(this, 'fold', this.fold, tensor, scales, options);
    return this.#transforms.scale(Op.Multiply, tensor, scales, options);
  }

  /**
   * Exchanges the last two axes, so that any scheme applies to either axis of a matrix.
   * @returns a lease of float32 of the new shape; the input is used up as by `quantize`
   * @throws ERR_QUANTLANE_SHAPE for fewer than two axes, and errors of `quantize`
   */
  transpose(tensor: TensorInput, options: TransformOptions = {}): Promise<TensorLease<'float32'>> {
    if (isWatched(options)) return watched(this, 'transpose', this.transpose, tensor, options);
    return this.#transforms.transpose(tensor, options);
  }

  /**
   * A quantized tensor of codes and parameters that come from elsewhere, such as a file. They are copied.
   * @throws ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_PARAMETERS where the parts do not fit the scheme
   */
  async load(parts: QuantizedParts, options: CallOptions = {}): Promise<QuantizedTensor> {
    this.#engine.assertOpen();
    const plan = loadPlan(this.#planner, parts);
    const lease = await this.#arena.acquire(plan.parts.bytes, { signal: options.signal });
    this.#calls.enter();
    try {
      const { buffer } = this.#arena;
      this.#calls.counts.copiedBytes += await loadParts(plan, parts, buffer, lease.byteOffset, options.signal);
      return new QuantizedTensor(lease, plan, buffer);
    } catch (error) {
      lease.release();
      throw error;
    } finally {
      this.#calls.leave();
    }
  }

  /**
   * Connects another thread of the host, such as a worker: it takes the port to `attachRuntime` and has this API, a part of
   * the arena of its own for its leases, its own thread for work in place, and the lanes for the rest. The memory comes back
   * when that runtime is closed, or its thread ends.
   * @throws ERR_QUANTLANE_ARENA_FULL, ERR_QUANTLANE_ARENA_TOO_SMALL, ERR_QUANTLANE_CLOSED, ERR_QUANTLANE_ARGUMENT
   */
  connect({ memory = '16MiB' }: ConnectOptions = {}): MessagePort {
    this.#engine.assertOpen();
    return connect(this.#engine, this.#calls, parseSize(memory));
  }

  /** The lanes, by index, each with its control channel; empty where everything runs in place. */
  get lanes(): readonly LaneHandle[] {
    return this.#engine.lanes;
  }

  /** What the runtime has done and holds. */
  metrics(): RuntimeMetrics {
    const { counts, pending } = this.#calls;
    return { ...counts, pending, ...this.#engine.metrics(), arena: this.#arena.statistics() };
  }

  /** Settles when no call is pending. */
  drain(): Promise<void> {
    return this.#calls.drain();
  }

  /**
   * Takes no more calls, lets those that run finish, and ends the lanes. Calls that wait for room are rejected with
   * ERR_QUANTLANE_CLOSED, and with a `grace` of so many milliseconds also those that run then. Leases stay readable.
   */
  async close({ grace }: CloseOptions = {}): Promise<void> {
    if (grace !== undefined && !(grace >= 0)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a grace in milliseconds, got ${got(grace)}`);
    }
    this.#engine.refuse();
    const timer =
      grace === undefined ? undefined : setTimeout(() => this.#engine.abort(), Math.min(grace, 2 ** 31 - 1));
    await this.drain();
    clearTimeout(timer);
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

  /** @internal Quantizes at once what takes no longer than work in place may, and needs no more; else undefined. */
  quantizeNow(tensor: TensorInput, scheme: SchemeInput, options: QuantizeOptions): QuantizedTensor | undefined {
    if (isWatched(options)) return watched(this, 'quantize', this.quantizeNow, tensor, scheme, options);
    return this.#direct.quantize(tensor, scheme, options, true);
  }

  /** @internal Calls and their counts, for the rooms above. */
  get calls(): Calls {
    return this.#calls;
  }

  /** @internal Memory and threads, for the rooms above. */
  get engine(): Engine {
    return this.#engine;
  }
}
