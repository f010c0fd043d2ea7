/**
 * Where batches come from.
 * @module
 */
import { isObservable, type Observable } from 'rxjs';
import { fail, got } from '../errors.js';
import { TensorLease } from '../memory/index.js';
import type { QuantizeOptions, TensorInput } from '../runtime/index.js';

/** What is pulled: asked for one batch at a time. */
export type PullSource = AsyncIterable<TensorInput> | Iterable<TensorInput> | ReadableStream<TensorInput>;

/** Where batches come from. */
export type StreamSource = Observable<TensorInput> | PullSource;

/** An iterator of batches, at once or later. */
export type BatchIterator = AsyncIterator<TensorInput> | Iterator<TensorInput>;

/**
 * Passes what batches can come from, without touching it.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function checkSource(source: StreamSource): StreamSource {
  if (isObservable(source)) return source;
  if (typeof source === 'object' && source !== null) {
    if (isReadable(source) || Symbol.asyncIterator in source || Symbol.iterator in source) return source;
  }
  const expected = 'an Observable, an AsyncIterable, an Iterable or a ReadableStream';
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected} of tensors, got ${got(source)}`);
}

/**
 * Begins to pull.
 * @throws what the source throws, such as the TypeError of a ReadableStream that somebody else reads
 */
export function iteratorOf(source: PullSource): BatchIterator {
  if (isReadable(source)) return readerOf(source);
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** Gives a lease back that nobody will quantize, unless it stays the caller's. */
export function discard(batch: TensorInput, { keep }: Pick<QuantizeOptions, 'keep'>): void {
  if (batch instanceof TensorLease && keep !== true) batch[Symbol.dispose]();
}

function isReadable(source: object): source is ReadableStream<TensorInput> {
  return 'getReader' in source && typeof source.getReader === 'function';
}

/**
 * Reads a ReadableStream. Its own iterator would cancel it only after a read that is under way, which may never end;
 * this one cancels at once. The stream is unlocked at the end.
 */
function readerOf(stream: ReadableStream<TensorInput>): AsyncIterator<TensorInput> {
  const reader = stream.getReader();
  return {
    async next(): Promise<IteratorResult<TensorInput, undefined>> {
      try {
        const { value, done } = await reader.read();
        if (!done) return { value, done };
      } catch (error) {
        reader.releaseLock();
        throw error;
      }
      reader.releaseLock();
      return { value: undefined, done: true };
    },
    async return(): Promise<IteratorResult<TensorInput, undefined>> {
      const cancelled = reader.cancel();
      reader.releaseLock();
      await cancelled;
      return { value: undefined, done: true };
    },
  };
}
