/**
 * From codes back to values: what a call takes, gives back and is counted as.
 * @module
 */
import { type Arena, type Lease, type Ownership, TensorLease } from '../memory/index.js';
import type { Calls } from './calls.js';
import type { Engine } from './engine.js';
import { foreign } from './input.js';
import type { Job } from './job.js';
import { dequantizeJob, unpackJob } from './jobs.js';
import type { CallOptions } from './options.js';
import { checkOutcome } from './outcome.js';
import type { QuantizedTensor } from './quantized.js';

/** A call that runs: codes that are the runtime's until it ends. */
interface Call {
  readonly token: Ownership;
  /** Bytes of the lease that the values are written to. */
  readonly bytes: number;
  /** The jobs, in their order, that write the values to a lease. */
  jobs(lease: Lease): readonly Job[];
}

/** Carries out the calls. */
export class Dequantizer {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #calls: Calls;

  constructor(engine: Engine, calls: Calls) {
    this.#engine = engine;
    this.#arena = engine.arena;
    this.#calls = calls;
  }

  /** The values, where there is room and by whom there is time. */
  async run(quantized: QuantizedTensor, { signal, sighting }: CallOptions): Promise<TensorLease<'float32'>> {
    const { scheduler } = this.#engine;
    const { token, bytes, jobs } = this.#begin(quantized);
    let lease: Lease | undefined;
    try {
      signal?.throwIfAborted();
      lease =
        this.#arena.tryLease(bytes) ?? (await this.#arena.acquire(bytes, { signal, holding: token.allocatedBytes }));
      signal?.throwIfAborted();
      for (const job of jobs(lease))
        checkOutcome(await scheduler.run(job, { signal, sighting }), quantized.plan.scheme);
      return new TensorLease(lease, this.#arena, 'float32', quantized.shape);
    } catch (error) {
      this.#fail(lease);
      throw error;
    } finally {
      this.#end(token);
    }
  }

  /** The values at once, on this thread. */
  runNow(quantized: QuantizedTensor): TensorLease<'float32'> {
    const { scheduler } = this.#engine;
    const { token, bytes, jobs } = this.#begin(quantized);
    let lease: Lease | undefined;
    try {
      lease = this.#arena.lease(bytes);
      for (const job of jobs(lease)) checkOutcome(scheduler.runNow(job), quantized.plan.scheme);
      return new TensorLease(lease, this.#arena, 'float32', quantized.shape);
    } catch (error) {
      this.#fail(lease);
      throw error;
    } finally {
      this.#end(token);
    }
  }

  #begin(quantized: QuantizedTensor): Call {
    this.#engine.assertOpen();
    if (quantized.data.buffer !== this.#arena.buffer) throw foreign('quantized tensor');
    const token = quantized.consume();
    this.#calls.enter();
    const { plan } = quantized;
    const { elements } = plan.layout;
    if (plan.parts.unpacked < 0) {
      return { token, bytes: elements * 4, jobs: (lease) => [dequantizeJob(plan, token, token.byteOffset, lease)] };
    }
    // Codes that share bytes are unpacked behind the values.
    const jobs = (lease: Lease) => {
      const codes = lease.byteOffset + elements * 4;
      return [unpackJob(plan, token, codes), dequantizeJob(plan, token, codes, lease)];
    };
    return { token, bytes: elements * 5, jobs };
  }

  #fail(lease: Lease | undefined): void {
    lease?.release();
    this.#calls.counts.failed++;
  }

  #end(token: Ownership): void {
    token.restore();
    this.#calls.leave();
  }
}
