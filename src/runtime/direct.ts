/**
 * The short way of a call: a leased tensor that is quantized at once on this thread, as one asked for before was. It gives
 * what the long way gives and makes nothing on the heap but the result and its lease.
 * @module
 */
import { type Arena, TensorLease } from '../memory/index.js';
import { Source } from '../scheme/codes.js';
import type { Calls } from './calls.js';
import type { Engine } from './engine.js';
import { type Job, NOWHERE, type WritablePlaces } from './job.js';
import { placeResult } from './jobs.js';
import { checkOutcome } from './outcome.js';
import type { Plan, Planner, QuantizeOptions, SchemeInput } from './plan.js';
import { QuantizedTensor } from './quantized.js';
import type { TensorInput } from './tensor.js';

/** Quantizes at once where there is nothing to wait for, to check or to prepare. */
export class Direct {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #calls: Calls;
  readonly #planner: Planner;
  /** The job of the last plan; its addresses change from call to call. */
  readonly #places: WritablePlaces = { ...NOWHERE };
  #plan: Plan | undefined;
  #job: Job | undefined;

  constructor(engine: Engine, calls: Calls, planner: Planner) {
    this.#engine = engine;
    this.#arena = engine.arena;
    this.#calls = calls;
    this.#planner = planner;
  }

  /**
   * Codes and parameters of `tensor`; undefined, and nothing is touched, where the call must go the long way.
   * @param waits whether a call that is too long for this turn of the event loop may go another way
   * @throws as the long way
   */
  quantize(
    tensor: TensorInput,
    scheme: SchemeInput,
    options: QuantizeOptions,
    waits: boolean,
  ): QuantizedTensor | undefined {
    if (!(tensor instanceof TensorLease) || tensor.released || tensor.buffer !== this.#arena.buffer) return undefined;
    if (!this.#engine.isOpen || options.signal?.aborted === true || options.deadline !== undefined) return undefined;
    if (this.#calls.isFull && options.source === undefined) return undefined;
    const plan = this.#planner.again(scheme, tensor.dtype, tensor.shape, options);
    if (plan === undefined || !this.#takes(plan)) return undefined;
    const { scheduler } = this.#engine;
    if (waits && !scheduler.hasTimeFor(this.#job!)) return undefined;
    const lease = this.#arena.leaseIfRoom(plan.parts.bytes);
    if (lease === undefined) return undefined;
    this.#calls.counts.calls++;
    placeResult(this.#places, plan, tensor.byteOffset, lease.byteOffset, plan.scheme.seed);
    try {
      if (!scheduler.runClean(this.#job!)) checkOutcome(scheduler.outcome, plan.scheme);
    } catch (error) {
      lease.release();
      this.#calls.counts.failed++;
      throw error;
    } finally {
      if (options.keep !== true) tensor.spend();
    }
    this.#calls.counts.elements += plan.layout.elements;
    return new QuantizedTensor(lease, plan, this.#arena.buffer);
  }

  /** Whether a plan is one job that needs nothing before or after it; then its job is ready. */
  #takes(plan: Plan): boolean {
    if (plan === this.#plan) return this.#job !== undefined;
    this.#plan = plan;
    const { scheme, packing, source, parts } = plan;
    const isOneJob = scheme.outliers === null && packing === null && source === Source.Data && parts.tensorScale < 0;
    this.#job = isOneJob ? { kind: plan.kind, places: this.#places } : undefined;
    return isOneJob;
  }
}
