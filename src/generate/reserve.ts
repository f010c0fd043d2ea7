/**
 * Memory that caches leave for products.
 * @module
 */
import { fail } from '../errors.js';
import type { Runtime } from '../runtime/index.js';

/**
 * Room that the products of a row need. A cache that would take it fails, and with it one text; without room for products
 * all texts would.
 */
export class Reserve {
  readonly #runtime: Runtime;
  #bytes = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** At least so many bytes. */
  raise(bytes: number): void {
    this.#bytes = Math.max(this.#bytes, bytes);
  }

  /** @throws ERR_QUANTLANE_ARENA_FULL where it is touched */
  check(): void {
    if (this.#runtime.hasRoom('float32', [Math.ceil(this.#bytes / 4)])) return;
    throw fail('ERR_QUANTLANE_ARENA_FULL', `Expected ${this.#bytes} bytes to stay free beside a cache, got less`);
  }
}
