/**
 * Batches in work, whose results come out in the order of the batches.
 * @module
 */
import type { QuantizedTensor, Runtime, SchemeInput, TensorInput } from '../runtime/index.js';
import type { StreamSettings } from './options.js';

interface Slot {
  result: QuantizedTensor | undefined;
  error: { readonly cause: unknown } | undefined;
}

/** What is at the front: a result, or why there is none. */
export type Front = { readonly result: QuantizedTensor } | { readonly error: unknown };

/** Batches in work. */
export class OrderedWork {
  readonly #runtime: Runtime;
  readonly #scheme: SchemeInput;
  readonly #settings: StreamSettings;
  readonly #onReady: () => void;
  readonly #slots: Slot[] = [];
  readonly #abort = new AbortController();
  #isStopped = false;

  /** @param onReady called when the batch at the front is done */
  constructor(runtime: Runtime, scheme: SchemeInput, settings: StreamSettings, onReady: () => void) {
    this.#runtime = runtime;
    this.#scheme = scheme;
    this.#settings = settings;
    this.#onReady = onReady;
  }

  /** Batches that are in work or whose result was not taken. */
  get size(): number {
    return this.#slots.length;
  }

  /** Begins a batch. */
  start(batch: TensorInput): void {
    const slot: Slot = { result: undefined, error: undefined };
    this.#slots.push(slot);
    const options = { ...this.#settings.quantize, signal: this.#abort.signal };
    this.#runtime.quantize(batch, this.#scheme, options).then(
      (result) => {
        if (this.#isStopped) return result.release();
        slot.result = result;
        if (this.#slots[0] === slot) this.#onReady();
      },
      (cause) => {
        slot.error = { cause };
        if (!this.#isStopped && this.#slots[0] === slot) this.#onReady();
      },
    );
  }

  /** Takes what is at the front; undefined while that is in work. */
  take(): Front | undefined {
    const slot = this.#slots[0];
    if (slot?.result !== undefined) {
      this.#slots.shift();
      return { result: slot.result };
    }
    return slot?.error === undefined ? undefined : { error: slot.error.cause };
  }

  /** Gives up what is in work, and releases results that were not taken. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#abort.abort();
    for (const slot of this.#slots.splice(0)) slot.result?.release();
  }
}
