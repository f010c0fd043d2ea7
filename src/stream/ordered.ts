/**
 * Batches in work, whose results come out in the order of the batches.
 * @module
 */
import { QuantlaneError } from '../errors.js';
import { allowListeners } from '../host.js';
import { TensorLease } from '../memory/index.js';
import { late } from '../runtime/due.js';
import type {
  GivenRange,
  QuantizedTensor,
  QuantizeOptions,
  Runtime,
  SchemeInput,
  TensorInput,
} from '../runtime/index.js';
import type { JobKind } from '../runtime/job.js';
import type { StreamSettings } from './options.js';
import { Observation } from './running-range.js';
import { discard } from './source.js';

/** What is at the front: a result, or why there is none. */
export type Front = { readonly result: QuantizedTensor } | { readonly error: unknown };

/** A batch that has come, and what is to be known of it until its result is taken. */
export interface Arrival {
  readonly batch: TensorInput;
  /** Bytes of its values. */
  readonly bytes: number;
  /** When the source brought it, by `performance.now()`; 0 where nobody asks. */
  readonly at: number;
}

/** A batch in work; `front` is there when it is done. */
interface Slot {
  front: Front | undefined;
  readonly bytes: number;
  /** It was dropped: nothing comes out. */
  isDropped: boolean;
}

/** Batches in work. */
export class OrderedWork {
  readonly #runtime: Runtime;
  readonly #scheme: SchemeInput;
  readonly #options: QuantizeOptions;
  /** Made for the first batch that is not done at once: many streams have none. */
  #abort: AbortController | undefined;
  readonly #observation: Observation | undefined;
  readonly #onReady: () => void;
  readonly #deadline: number | undefined;
  readonly #onDrop: StreamSettings['onDrop'];
  #bytes = 0;
  readonly #slots: Slot[] = [];
  #largestResult: number | undefined;
  /** The work of the last result: that of the next batch is expected to be the same. */
  #kind: JobKind | undefined;
  #isStopped = false;

  /** @param onReady called when the batch at the front is done */
  constructor(runtime: Runtime, scheme: SchemeInput, settings: StreamSettings, onReady: () => void) {
    this.#runtime = runtime;
    this.#scheme = scheme;
    this.#deadline = settings.deadline;
    this.#onDrop = settings.onDrop;
    // The streams of a runtime take turns.
    this.#options = { ...settings.quantize, source: this };
    this.#observation = settings.running && new Observation(settings.running, this.#signal);
    this.#onReady = onReady;
  }

  /** Batches that are in work or whose result was not taken. */
  get size(): number {
    return this.#slots.length;
  }

  /** Bytes of the values of these batches. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there may be one more batch, of so many bytes. */
  hasRoom(bytes: number, { concurrency, maxBytes }: StreamSettings): boolean {
    if (this.#slots.length === 0) return true;
    return this.#slots.length < concurrency && this.#bytes + bytes <= maxBytes && !this.#runtime.calls.isFull;
  }

  /** Whether another batch had to wait for the next turn of the event loop; `resume` is then called in one with time. */
  rests(resume: () => void): boolean {
    if (!this.#mustWait) return false;
    this.#runtime.engine.scheduler.atNextTurn(resume);
    return true;
  }

  /** Settles in a turn of the event loop that has time for another batch. */
  async untilTime(): Promise<void> {
    const { scheduler } = this.#runtime.engine;
    if (this.#mustWait) await new Promise<void>((resolve) => scheduler.atNextTurn(resolve));
  }

  /** Bytes of the arena that the largest result so far took; undefined before the first. */
  get largestResult(): number | undefined {
    return this.#largestResult;
  }

  /** When a batch comes now; see `Arrival`. */
  arrival(batch: TensorInput): Arrival {
    return { batch, bytes: bytesOf(batch), at: this.#deadline === undefined ? 0 : performance.now() };
  }

  /** Begins a batch. */
  start(arrival: Arrival): void {
    const { batch, bytes } = arrival;
    const slot: Slot = { front: undefined, bytes, isDropped: false };
    this.#slots.push(slot);
    this.#bytes += bytes;
    let result: QuantizedTensor | undefined;
    try {
      result = this.#quantizeNow(batch);
    } catch (error) {
      return this.#done(slot, { error });
    }
    if (result !== undefined) return this.#finish(slot, result);
    this.#quantize(arrival).then(
      (result) => this.#finish(slot, result),
      (error) => {
        if (this.#isStopped || this.#deadline === undefined || !isLate(error)) return this.#done(slot, { error });
        this.#drop(slot, batch, error);
      },
    );
  }

  /** Takes what is at the front; undefined while that is in work, or where there is nothing. */
  take(): Front | undefined {
    while (this.#slots[0]?.isDropped) this.#leave();
    const front = this.#slots[0]?.front;
    if (front !== undefined) this.#leave();
    return front;
  }

  /** Gives up what is in work, and releases results that were not taken. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#abort?.abort();
    for (const { front } of this.#slots.splice(0)) {
      if (front !== undefined && 'result' in front) front.result.release();
    }
  }

  get #mustWait(): boolean {
    return this.#runtime.engine.scheduler.mustWait(this.#kind);
  }

  #leave(): void {
    this.#bytes -= this.#slots.shift()!.bytes;
  }

  async #quantize({ batch, at }: Arrival): Promise<QuantizedTensor> {
    if (this.#deadline !== undefined) return this.#quantizeInTime(batch, at + this.#deadline);
    const options = { ...this.#options, signal: this.#signal };
    if (this.#observation === undefined) return this.#runtime.quantize(batch, this.#scheme, options);
    const range = await this.#rangeFor(batch);
    return this.#runtime.quantize(batch, this.#scheme, { ...options, range });
  }

  /** A batch is observed whether it is late or not: ranges depend on the batches alone. */
  async #quantizeInTime(batch: TensorInput, due: number): Promise<QuantizedTensor> {
    const range = this.#observation === undefined ? undefined : await this.#rangeFor(batch);
    const deadline = due - performance.now();
    if (deadline <= 0) {
      discard(batch, this.#options);
      throw late(-deadline);
    }
    const options = { ...this.#options, signal: this.#signal, deadline, ...(range !== undefined && { range }) };
    return this.#runtime.quantize(batch, this.#scheme, options);
  }

  async #rangeFor(batch: TensorInput): Promise<GivenRange> {
    return this.#observation!.rangeFor(batch).catch((error: unknown) => {
      discard(batch, this.#options);
      throw error;
    });
  }

  /** Gives up what is in work. */
  get #signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      // Every batch in work listens.
      allowListeners(this.#abort.signal);
      if (this.#isStopped) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  #drop(slot: Slot, batch: TensorInput, reason: QuantlaneError): void {
    try {
      this.#onDrop(batch, reason);
    } catch (error) {
      return this.#done(slot, { error });
    }
    slot.isDropped = true;
    this.#onReady();
  }

  /** What is done at once needs no promise. */
  #quantizeNow(batch: TensorInput): QuantizedTensor | undefined {
    if (this.#observation !== undefined || this.#isStopped) return undefined;
    return this.#runtime.quantizeNow(batch, this.#scheme, this.#options);
  }

  #finish(slot: Slot, result: QuantizedTensor): void {
    const { kind, parts } = result.plan;
    this.#kind = kind;
    this.#largestResult = Math.max(this.#largestResult ?? 0, parts.bytes);
    if (this.#isStopped) result.release();
    else this.#done(slot, { result });
  }

  #done(slot: Slot, front: Front): void {
    slot.front = front;
    if (this.#slots[0] === slot) this.#onReady();
  }
}

/** Bytes of a batch; 0 for what is none, which its call will refuse. */
function bytesOf(batch: TensorInput): number {
  return (batch instanceof TensorLease ? batch.byteLength : batch?.data?.byteLength) || 0;
}

function isLate(error: unknown): error is QuantlaneError {
  return error instanceof QuantlaneError && error.code === 'ERR_QUANTLANE_DEADLINE';
}
