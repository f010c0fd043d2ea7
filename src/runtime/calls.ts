/**
 * The calls of a runtime: what each of them takes, gives back and is counted as.
 * @module
 */
import { fail } from '../errors.js';
import type { Lease } from '../memory/index.js';
import { assertInTime, beforeDue, type Due, dueIn } from './due.js';
import type { Engine } from './engine.js';
import { Input } from './input.js';
import type { Job } from './job.js';
import { checkDone, type Outcome } from './outcome.js';
import type { TensorInput } from './tensor.js';
import type { Watchable } from './watch.js';

/** A job of a call, once type and shape of its values are known. */
interface Part {
  /** Bytes of the lease that the job writes to. */
  readonly bytes: number;
  /** The job, once the values are in the arena. */
  job(lease: Lease): Job;
}

/** The work of a call. */
export interface Work<T> extends Part {
  /** A second job on the same lease, once the first one is done; it cannot go wrong but by a kernel. */
  readonly more?: ((outcome: Outcome, lease: Lease) => Job) | undefined;
  /** What the call gives; from here on the lease is its own. */
  result(outcome: Outcome, lease: Lease): T;
}

/** Work that must be done before it is known what more there is; its lease is given back in between. */
export interface Survey<T> extends Part {
  next(outcome: Outcome, lease: Lease): Work<T>;
}

/** How a call is carried out. */
export interface CallSettings extends Watchable {
  readonly keep?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from now on within which its work must have begun. */
  readonly deadline?: number | undefined;
  /** Where it comes from: sources take turns on the lanes. */
  readonly source?: object | undefined;
}

/** Calls that run, and counts of all that ran. */
export class Calls {
  /** Calls so far, those that failed, values quantized, bytes copied. */
  readonly counts = { calls: 0, failed: 0, elements: 0, copiedBytes: 0 };
  readonly #engine: Engine;
  #pending = 0;
  /** Who waits until no call is pending. */
  #drained: (() => void)[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Calls that are not over. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * A call begins: it takes its tensor over, even where the runtime is closed or has too many calls.
   * @param isPaced whether somebody sees to it that there are not too many, as a stream does
   */
  begin(tensor: TensorInput, keep: boolean, isPaced = false): Input {
    const input = new Input(tensor, this.#engine.arena, keep);
    const isFull = this.#pending >= this.#engine.maxPending && !isPaced;
    if (this.#engine.isOpen && !isFull) {
      this.enter();
      this.counts.calls++;
      return input;
    }
    input.end();
    this.#engine.assertOpen();
    const text = `Expected at most ${this.#engine.maxPending} calls at a time, got one more`;
    throw fail('ERR_QUANTLANE_OVERLOADED', text, { details: { maxPending: this.#engine.maxPending } });
  }

  /** Whether one more call would be one too many. */
  get isFull(): boolean {
    return this.#pending >= this.#engine.maxPending;
  }

  /** A call ends: its tensor goes back to the arena, or to the caller. */
  end(input: Input): void {
    this.counts.copiedBytes += input.copiedBytes;
    input.end();
    this.leave();
  }

  /** Something is pending until `leave`. */
  enter(): void {
    this.#pending++;
  }

  leave(): void {
    this.#pending--;
    if (this.#pending > 0) return;
    if (this.#drained.length > 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** Settles when no call is pending. */
  drain(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /**
   * One call from its tensor to its result. Whatever becomes of it, the tensor is given back, and where it fails the
   * lease too.
   */
  async run<T>(tensor: TensorInput, options: CallSettings, plan: (input: Input) => Work<T> | Survey<T>): Promise<T> {
    const { arena, scheduler } = this.#engine;
    const { signal, keep, deadline } = options;
    const input = this.begin(tensor, keep === true, options.source !== undefined);
    let lease: Lease | undefined;
    try {
      signal?.throwIfAborted();
      const call: CallSettings & Due = deadline === undefined ? options : { ...options, due: dueIn(deadline) };
      let work = plan(input);
      if (input.isPlain) await beforeDue(call, (ended) => input.bring(arena, ended));
      for (;;) {
        const { bytes } = work;
        const holding = input.allocatedBytes;
        lease =
          arena.tryLease(bytes) ?? (await beforeDue(call, (ended) => arena.acquire(bytes, { signal: ended, holding })));
        // It may have been aborted, or have got late, while the call waited.
        signal?.throwIfAborted();
        assertInTime(call);
        const ran = scheduler.run(work.job(lease), call);
        const outcome = ran instanceof Promise ? await ran : ran;
        if ('result' in work) {
          if (work.more !== undefined)
            checkDone(await scheduler.run(work.more(outcome, lease), { signal, source: options.source }));
          return work.result(outcome, lease);
        }
        work = work.next(outcome, lease);
        lease.release();
        lease = undefined;
      }
    } catch (error) {
      lease?.release();
      this.counts.failed++;
      throw error;
    } finally {
      this.end(input);
    }
  }

  /** The same at once, on this thread. */
  runNow<T>(tensor: TensorInput, keep: boolean, plan: (input: Input) => Work<T> | Survey<T>): T {
    const { arena, scheduler } = this.#engine;
    const input = this.begin(tensor, keep);
    let lease: Lease | undefined;
    try {
      let work = plan(input);
      if (input.isPlain) input.bringNow(arena);
      for (;;) {
        lease = arena.lease(work.bytes);
        const outcome = scheduler.runNow(work.job(lease));
        if ('result' in work) {
          if (work.more !== undefined) checkDone(scheduler.runNow(work.more(outcome, lease)));
          return work.result(outcome, lease);
        }
        work = work.next(outcome, lease);
        lease.release();
        lease = undefined;
      }
    } catch (error) {
      lease?.release();
      this.counts.failed++;
      throw error;
    } finally {
      this.end(input);
    }
  }
}
