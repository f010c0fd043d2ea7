/**
 * The body of a request as it comes in: a JSON part, and bytes that go straight to where they belong.
 * @module
 */
import type { Readable } from 'node:stream';
import { fail } from '../errors.js';
import { copyToShared } from './copy.js';

/** Reads a body from its beginning to its end, once. */
export class Body {
  readonly #chunks: AsyncIterator<Buffer>;
  /** Rejects when the request is given up. */
  readonly #givenUp: Promise<never>;
  /** What came and was not read. */
  #rest: Buffer = Buffer.alloc(0);
  #isAtEnd = false;

  /** @param signal gives up waiting for bytes */
  constructor(stream: Readable, signal: AbortSignal) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#givenUp = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    this.#givenUp.catch(() => undefined);
  }

  /**
   * Fills a view with the next bytes.
   * @throws ERR_QUANTLANE_FORMAT where the body ends before
   */
  async fill(view: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < view.length) {
      if (this.#rest.length === 0 && !(await this.#more())) {
        throw tooShort(view.length - filled);
      }
      const part = this.#rest.subarray(0, view.length - filled);
      copyToShared(part, view.subarray(filled));
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
  }

  /**
   * All that is left, as JSON.
   * @param most bytes that it may have
   * @throws ERR_QUANTLANE_FORMAT for what is no JSON, ERR_QUANTLANE_ARENA_TOO_SMALL for more bytes
   */
  async json(most: number): Promise<unknown> {
    const parts = [this.#rest];
    let bytes = this.#rest.length;
    while (await this.#more()) {
      bytes += this.#rest.length;
      if (bytes > most) throw tooLarge(most);
      parts.push(this.#rest);
    }
    this.#rest = Buffer.alloc(0);
    return parsed(Buffer.concat(parts));
  }

  /** The next bytes as JSON; errors are those of `json` and `fill`. */
  async jsonOf(bytes: number, most: number): Promise<unknown> {
    if (bytes > most) throw tooLarge(most);
    const text = Buffer.alloc(bytes);
    await this.fill(text);
    return parsed(text);
  }

  /**
   * Passes where nothing is left.
   * @throws ERR_QUANTLANE_FORMAT
   */
  async end(): Promise<void> {
    if (this.#rest.length === 0 && !(await this.#more())) return;
    throw tooLong();
  }

  /** Waits for bytes; false at the end. */
  async #more(): Promise<boolean> {
    while (!this.#isAtEnd) {
      const { done, value } = await Promise.race([this.#chunks.next(), this.#givenUp]);
      this.#isAtEnd = done === true;
      if (done === true || value.length === 0) continue;
      this.#rest = value;
      return true;
    }
    return false;
  }
}

/**
 * The JSON of bytes.
 * @throws ERR_QUANTLANE_FORMAT for what is none
 */
export function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected JSON, got ${(cause as Error).message}`, { cause });
  }
}

/** The error of a request that ends so many bytes too early. */
export function tooShort(missing: number): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected a body with ${missing} more bytes, got its end`);
}

/** The error of a request that does not end where it should. */
export function tooLong(): Error {
  return fail('ERR_QUANTLANE_FORMAT', 'Expected the end of the body, got more bytes than were declared');
}

/** The error of a JSON part of more bytes than it may have. */
export function tooLarge(most: number): Error {
  return fail('ERR_QUANTLANE_ARENA_TOO_SMALL', `Expected at most ${most} bytes of JSON, got more`);
}
