/**
 * Little-endian records of a length that is not known before they are written.
 * @module
 */

/** Bytes of the first piece of memory. */
const FIRST = 256;

/** Appends numbers and text to memory that doubles when it is full. */
export class ByteWriter {
  #buffer = Buffer.alloc(FIRST);
  #length = 0;

  /** Bytes that were appended. */
  get length(): number {
    return this.#length;
  }

  /** All that was appended, on memory of its own. */
  finish(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  /** Appends an integer of `size` bytes, 1 to 6; a negative one as two's complement. */
  integer(value: number, size: number): this {
    const at = this.#room(size);
    if (value < 0) this.#buffer.writeIntLE(value, at, size);
    else this.#buffer.writeUIntLE(value, at, size);
    return this;
  }

  /** Appends unsigned 16-bit integers. */
  u16(...values: number[]): this {
    for (const value of values) this.integer(value, 2);
    return this;
  }

  /** Appends unsigned 32-bit integers. */
  u32(...values: number[]): this {
    for (const value of values) this.integer(value, 4);
    return this;
  }

  /** Appends 64-bit integers, given as numbers below 2^53 or as bigint; negative ones as two's complement. */
  u64(...values: (number | bigint)[]): this {
    for (const value of values) {
      const at = this.#room(8);
      this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
    }
    return this;
  }

  /** Appends a float of 4 bytes, rounded to the nearest. */
  f32(value: number): this {
    const at = this.#room(4);
    this.#buffer.writeFloatLE(value, at);
    return this;
  }

  /** Appends a float of 8 bytes. */
  f64(value: number): this {
    const at = this.#room(8);
    this.#buffer.writeDoubleLE(value, at);
    return this;
  }

  /** Appends bytes as they are. */
  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  /** Appends zeros up to a multiple of `alignment`; none when the length is one already. */
  align(alignment: number): this {
    this.#room((alignment - (this.#length % alignment)) % alignment);
    return this;
  }

  /** Makes room for `count` bytes, which are zero, and gives their position. It may replace the memory: call it first. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}
