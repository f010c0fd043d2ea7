/**
 * Ranges that run along a stream: each batch is observed in the order of the stream and quantized with the range that the
 * observer has then, so that the bytes do not depend on how many batches are in work.
 * @module
 */
import { nextTurn } from '../host.js';
import { type InputDtype, TensorLease } from '../memory/index.js';
import type { GivenRange, TensorInput } from '../runtime/index.js';
import { checkPlain } from '../runtime/tensor.js';

/** What gives a stream its ranges; the observers of `quantlane/ranges` do. */
export interface RunningRange {
  /** Takes in a batch: numbers for float32, raw bits for the 16-bit types. Throws what ends the stream. */
  observe(values: Float32Array | Uint16Array, dtype: InputDtype, shape: readonly number[]): void;
  /** The range that the batch which was observed last is quantized with. */
  range(): GivenRange;
  /** The same as `observe` in short steps, between which the event loop gets its turn; used instead where it is there. */
  observing?(values: Float32Array | Uint16Array, dtype: InputDtype, shape: readonly number[]): Iterator<unknown>;
  /** The range of a batch before it is observed; null, or not there, where `range()` says it afterwards. */
  ahead?(): GivenRange | null;
}

/** Whether a range of a stream is one that runs along. */
export function isRunning(range: unknown): range is RunningRange {
  const { observe, range: answer } = (range ?? {}) as Partial<RunningRange>;
  return typeof observe === 'function' && typeof answer === 'function';
}

/** Milliseconds of observing in one turn of the event loop. */
const TURN_MS = 0.4;

/** When an observer is done with the batches so far; two streams may share it. */
const batches = new WeakMap<RunningRange, Promise<unknown>>();

/** One run of a stream along an observer. */
export class Observation {
  readonly #observer: RunningRange;
  readonly #signal: AbortSignal;
  /** Why a batch was not observed: later ones are not either, whatever was in work by then. */
  #failure: { readonly error: unknown } | undefined;
  /** Milliseconds of observing in this turn. */
  #spent = 0;

  /** @param signal gives up all batches */
  constructor(observer: RunningRange, signal: AbortSignal) {
    this.#observer = observer;
    this.#signal = signal;
  }

  /**
   * Observes a batch after those before it, and says which range it is quantized with. A lease cannot be used until then,
   * and stays owned as it was.
   * @throws what the observer throws, errors of a tensor that is none, or the reason of the signal
   */
  async rangeFor(batch: TensorInput): Promise<GivenRange> {
    const isLease = batch instanceof TensorLease;
    const { dtype, shape, data } = isLease ? batch : checkPlain(batch);
    const token = isLease ? batch.consume() : undefined;
    const before = batches.get(this.#observer);
    const found = (async () => {
      await before;
      return this.#next(data, dtype, shape);
    })();
    batches.set(
      this.#observer,
      found.catch(() => undefined),
    );
    try {
      return await found;
    } finally {
      token?.restore();
    }
  }

  async #next(values: Float32Array | Uint16Array, dtype: InputDtype, shape: readonly number[]): Promise<GivenRange> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      this.#signal.throwIfAborted();
      const ahead = this.#observer.ahead?.() ?? null;
      await this.#observe(values, dtype, shape);
      return ahead ?? this.#timed(() => this.#observer.range());
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #observe(values: Float32Array | Uint16Array, dtype: InputDtype, shape: readonly number[]): Promise<void> {
    const steps = this.#observer.observing?.(values, dtype, shape);
    if (steps === undefined) return this.#timed(() => this.#observer.observe(values, dtype, shape));
    do {
      if (this.#spent < TURN_MS) continue;
      await nextTurn();
      this.#signal.throwIfAborted();
      this.#spent = 0;
    } while (this.#timed(() => steps.next()).done !== true);
  }

  /** What `body` returns, whose time counts. */
  #timed<T>(body: () => T): T {
    const start = performance.now();
    const result = body();
    this.#spent += performance.now() - start;
    return result;
  }
}
