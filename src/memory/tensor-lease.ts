/**
 * A lease that is a tensor: memory of the arena with an element type and a shape.
 * @module
 */

import { fail } from '../errors.js';
import type { Arena } from './arena.js';
import { bytesOf, elementsOf, type InputDtype, type InputView, viewOf } from './dtype.js';
import type { Lease, LeaseState, Ownership } from './lease.js';

/** A tensor in shared memory, owned as its lease is. */
export class TensorLease<D extends InputDtype = InputDtype> {
  readonly dtype: D;
  /** Dimensions, the slowest first; frozen. */
  readonly shape: readonly number[];
  /** Number of elements: 1 for a scalar, 0 when a dimension is 0. */
  readonly elements: number;
  /** Bytes from the beginning of the memory, a multiple of 64. */
  readonly byteOffset: number;
  /** Bytes of the elements. */
  readonly byteLength: number;
  /** @internal The memory. */
  readonly buffer: SharedArrayBuffer;
  readonly #lease: Lease;
  #data: InputView<D> | undefined;

  /**
   * Takes over the lease: from now on it must not be released but through the tensor.
   * @param lease - at least as long as the tensor; of this arena
   * @throws `ERR_QUANTLANE_DTYPE`, `ERR_QUANTLANE_SHAPE` for a bad type or shape, or a tensor longer than the lease,
   *   `ERR_QUANTLANE_LEASE_RELEASED` when it is not owned. The lease then still belongs to the caller.
   */
  constructor(lease: Lease, arena: Arena, dtype: D, shape: readonly number[]) {
    const byteLength = bytesOf(dtype, shape);
    lease.assertOwned();
    if (byteLength > lease.byteLength) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected a tensor of at most ${lease.byteLength} bytes, got ${byteLength}`);
    }
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.elements = elementsOf(shape);
    this.byteOffset = lease.byteOffset;
    this.byteLength = byteLength;
    this.#lease = lease;
    this.buffer = arena.buffer;
  }

  /**
   * The elements: numbers for float32, raw bits for the 16-bit types. The same view each time; not zero at first. A
   * view that is kept beyond the release sees the bytes of the next owner.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when the tensor was released or consumed.
   */
  get data(): InputView<D> {
    this.#lease.assertOwned();
    this.#data ??= viewOf(this.dtype, this.buffer, this.byteOffset, this.elements);
    return this.#data;
  }

  /** Bytes that the tensor takes of the arena: those of its lease, a multiple of 64. */
  get allocatedBytes(): number {
    return this.#lease.allocatedBytes;
  }

  /** Number of its lease among all of the arena, from 1. */
  get generation(): number {
    return this.#lease.generation;
  }

  /** Who owns the memory. */
  get state(): LeaseState {
    return this.#lease.state;
  }

  /** Whether the handle does not own the memory any more: released or consumed. */
  get released(): boolean {
    return this.#lease.released;
  }

  /**
   * Gives the memory back.
   * @throws `ERR_QUANTLANE_DOUBLE_RELEASE` when it was released or consumed before.
   */
  release(): void {
    this.#lease.release();
  }

  /**
   * Hands the memory to the runtime; see `Lease.consume`.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when the handle does not own it.
   */
  consume(): Ownership {
    return this.#lease.consume();
  }

  /** @internal See `Lease.spend`. */
  spend(): void {
    this.#lease.spend();
  }

  /**
   * Passes when the handle owns the memory.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when it was released or consumed.
   */
  assertOwned(): void {
    this.#lease.assertOwned();
  }

  /** Releases what is still owned; does nothing after `release` or `consume`. */
  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
  }
}
