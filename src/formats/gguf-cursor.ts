/**
 * A place in the beginning of a GGUF file, of which only a part may have been read yet.
 * @module
 */

import { refuse, truncated } from './refusals.js';

/** The most bytes before the data; the vocabularies of large models need about 20 MB. */
export const MAX_HEADER = 2 ** 26;

/** The most values of all lists together; a list counts as 16 values, for the memory that it costs. */
export const MAX_VALUES = 2 ** 22;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Values that a list costs besides its elements. */
export const LIST_COST = 16;

/** Thrown when the file has more bytes than were read, and the header needs them: read more and start again. */
export class NeedsBytes extends Error {
  /** Bytes of the header that are needed, at least. */
  readonly bytes: number;

  constructor(bytes: number) {
    super(`Expected ${bytes} bytes of the header`);
    this.bytes = bytes;
  }
}

/** Reads little-endian values one after the other. Nothing is read or allocated that the file does not have. */
export class GgufCursor {
  /** The file's path, for messages. */
  readonly where: string;
  /** Bytes of the whole file. */
  readonly fileSize: number;
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  /**
   * @param bytes - the beginning of the file
   * @param fileSize - bytes of the whole file
   * @param where - the file's path, for messages
   */
  constructor(bytes: Uint8Array, fileSize: number, where: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.fileSize = fileSize;
    this.where = where;
  }

  /** Bytes that were passed. */
  get at(): number {
    return this.#at;
  }

  /**
   * Makes sure of the next bytes without passing them.
   * @throws `ERR_QUANTLANE_FORMAT` when the file or the largest header ends before, `NeedsBytes` when they were not
   *   read yet.
   */
  need(count: number): void {
    const end = this.#at + count;
    if (end <= this.#bytes.length) return;
    if (end > this.fileSize) throw truncated(this.where, end, this.fileSize);
    if (end > MAX_HEADER) throw refuse(this.where, `Expected a GGUF header of at most ${MAX_HEADER} bytes, got ${end}`);
    throw new NeedsBytes(end);
  }

  /**
   * Counts the values of a list before memory is taken for them.
   * @param count - its elements
   * @param bytes - the fewest bytes of one element
   */
  list(count: number, bytes: number): void {
    this.need(count * bytes);
    this.#values += count + LIST_COST;
    if (this.#values <= MAX_VALUES) return;
    throw refuse(this.where, `Expected lists of at most ${MAX_VALUES} values together, got ${this.#values}`);
  }

  /** An integer of 1, 2 or 4 bytes. */
  integer(size: number, signed = false): number {
    const at = this.#pass(size);
    return signed ? this.#bytes.readIntLE(at, size) : this.#bytes.readUIntLE(at, size);
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#pass(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#pass(8));
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#pass(8));
  }

  f32(): number {
    return this.#bytes.readFloatLE(this.#pass(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#pass(8));
  }

  /**
   * An unsigned 64-bit integer that counts something.
   * @param what - what it counts, for messages
   */
  count(what: string): number {
    const value = this.u64();
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value);
    throw refuse(this.where, `Expected ${what} below 2^53 at byte ${this.#at - 8}, got ${value}`);
  }

  /** A text with its length before it; bytes that are not UTF-8 become U+FFFD, since tokens may hold any bytes. */
  text(): string {
    const length = this.count('a string length');
    this.need(length);
    const at = this.#pass(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /**
   * A text that names something, in UTF-8, of 1 to `limit` bytes.
   * @param what - what it names, for messages
   */
  name(what: string, limit: number): string {
    const length = this.count('a string length');
    if (length > limit || length === 0) {
      throw refuse(this.where, `Expected ${what} of 1 to ${limit} bytes at byte ${this.#at}, got ${length}`);
    }
    const at = this.#pass(length);
    try {
      return UTF8.decode(this.#bytes.subarray(at, at + length));
    } catch (cause) {
      throw refuse(this.where, `Expected ${what} in UTF-8 at byte ${at}, got other bytes`, { cause });
    }
  }

  /** Passes bytes and gives the position of the first. */
  #pass(count: number): number {
    this.need(count);
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
