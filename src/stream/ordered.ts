/**
 * Batches in work, whose results come out in the order of the batches.
 * @module
 */
import { setMaxListeners } from 'node:events';
import type { QuantizedTensor, QuantizeOptions, Runtime, SchemeInput, TensorInput } from '../runtime/index.js';
import type { StreamSettings } from './options.js';
import { Observation } from './running-range.js';
import { discard } from './source.js';

/** What is at the front: a result, or why there is none. */
export type Front = { readonly result: QuantizedTensor } | { readonly error: unknown };

/** A batch in work; `front` is there when it is done. */
interface Slot {
  front: Front | undefined;
}

/** Batches in work. */
export class OrderedWork {
  readonly #runtime: Runtime;
  readonly #scheme: SchemeInput;
  readonly #options: QuantizeOptions;
  readonly #observation: Observation | undefined;
  readonly #onReady: () => void;
  readonly #slots: Slot[] = [];
  readonly #abort = new AbortController();
  #largestResult: number | undefined;
  #isStopped = false;

  /** @param onReady called when the batch at the front is done */
  constructor(runtime: Runtime, scheme: SchemeInput, settings: StreamSettings, onReady: () => void) {
    this.#runtime = runtime;
    this.#scheme = scheme;
    this.#options = { ...settings.quantize, signal: this.#abort.signal };
    this.#observation = settings.running && new Observation(settings.running, this.#abort.signal);
    this.#onReady = onReady;
    // Every batch in work listens.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Batches that are in work or whose result was not taken. */
  get size(): number {
    return this.#slots.length;
  }

  /** Bytes of the arena that the largest result so far took; undefined before the first. */
  get largestResult(): number | undefined {
    return this.#largestResult;
  }

  /** Begins a batch. */
  start(batch: TensorInput): void {
    const slot: Slot = { front: undefined };
    this.#slots.push(slot);
    let result: QuantizedTensor | undefined;
    try {
      result = this.#quantizeNow(batch);
    } catch (error) {
      return this.#done(slot, { error });
    }
    if (result !== undefined) return this.#finish(slot, result);
    this.#quantize(batch).then(
      (result) => this.#finish(slot, result),
      (error) => this.#done(slot, { error }),
    );
  }

  /** Takes what is at the front; undefined while that is in work, or where there is nothing. */
  take(): Front | undefined {
    const front = this.#slots[0]?.front;
    if (front !== undefined) this.#slots.shift();
    return front;
  }

  /** Gives up what is in work, and releases results that were not taken. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#abort.abort();
    for (const { front } of this.#slots.splice(0)) {
      if (front !== undefined && 'result' in front) front.result.release();
    }
  }

  async #quantize(batch: TensorInput): Promise<QuantizedTensor> {
    if (this.#observation === undefined) return this.#runtime.quantize(batch, this.#scheme, this.#options);
    const range = await this.#observation.rangeFor(batch).catch((error: unknown) => {
      discard(batch, this.#options);
      throw error;
    });
    return this.#runtime.quantize(batch, this.#scheme, { ...this.#options, range });
  }

  /** What is done at once needs no promise. */
  #quantizeNow(batch: TensorInput): QuantizedTensor | undefined {
    if (this.#observation !== undefined) return undefined;
    return this.#runtime.quantizeNow(batch, this.#scheme, this.#options);
  }

  #finish(slot: Slot, result: QuantizedTensor): void {
    this.#largestResult = Math.max(this.#largestResult ?? 0, result.plan.parts.bytes);
    if (this.#isStopped) result.release();
    else this.#done(slot, { result });
  }

  #done(slot: Slot, front: Front): void {
    slot.front = front;
    if (this.#slots[0] === slot) this.#onReady();
  }
}
