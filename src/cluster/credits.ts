/**
 * Credits: how many batches, and how many bytes of them, may be on their way at a time.
 * @module
 */

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/** A count of batches and bytes; who asks for more than there is waits, first come, first served. */
export class Credits {
  readonly #most: number;
  readonly #mostBytes: number;
  #count = 0;
  #bytes = 0;
  readonly #waiting: Waiter[] = [];

  /** @param mostBytes a batch that is alone may have more */
  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  /** Batches on their way. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of those. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Batches that may still set out. */
  get free(): number {
    return this.#most - this.#count;
  }

  /** Waits for a credit; rejects with the reason of the signal, and none is taken then. */
  acquire(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal!.reason);
        this.#serve();
      };
      const waiter = {
        bytes,
        resolve: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Gives one back. */
  release(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
    this.#serve();
  }

  #fits(bytes: number): boolean {
    return this.#count === 0 || (this.#count < this.#most && this.#bytes + bytes <= this.#mostBytes);
  }

  #take(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)) {
      const { bytes, resolve } = this.#waiting.shift()!;
      this.#take(bytes);
      resolve();
    }
  }
}
