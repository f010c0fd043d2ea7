/**
 * The values of one call: a lease that the call takes over, or memory of its own that plain values are copied to.
 * @module
 */
import { fail } from '../errors.js';
import type { Arena, InputDtype, Ownership } from '../memory/index.js';
import { bytesIn, TensorLease } from '../memory/index.js';
import { checkPlain, copySlowly, type PlainTensor, type TensorInput } from './tensor.js';

/** The values of one call. */
export class Input {
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  /** Bytes copied to bring the values into the arena. */
  copiedBytes = 0;
  readonly #plain: PlainTensor | undefined;
  readonly #keep: boolean;
  #token: Ownership | undefined;

  /**
   * Takes a tensor over.
   * @throws ERR_QUANTLANE_LEASE_RELEASED, ERR_QUANTLANE_ARGUMENT for a lease of another arena, ERR_QUANTLANE_DTYPE,
   * ERR_QUANTLANE_SHAPE; nothing is taken then
   */
  constructor(tensor: TensorInput, arena: Arena, keep: boolean) {
    if (tensor instanceof TensorLease) {
      if (tensor.data.buffer !== arena.buffer) throw foreign('lease');
      this.#token = tensor.consume();
      this.#keep = keep;
    } else {
      this.#plain = checkPlain(tensor);
      this.#keep = false;
    }
    this.dtype = tensor.dtype;
    this.shape = tensor.shape;
  }

  /** Whether the values have yet to be copied. */
  get isPlain(): boolean {
    return this.#plain !== undefined;
  }

  /** Address of the values. */
  get byteOffset(): number {
    return this.#token!.byteOffset;
  }

  /** Bytes of the arena that the values take. */
  get allocatedBytes(): number {
    return this.#token?.allocatedBytes ?? 0;
  }

  /** Copies plain values into the arena, in slices. */
  async bring(arena: Arena, signal?: AbortSignal): Promise<void> {
    const from = bytesIn(this.#plain!.data);
    const lease = await arena.acquire(from.byteLength, { signal });
    this.#token = lease.consume();
    if (this.#plain!.data.byteLength !== from.byteLength) {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        'Expected data that stays during the call, got an array that was transferred',
      );
    }
    await copySlowly(from, new Uint8Array(arena.buffer, this.byteOffset, from.byteLength), signal);
    this.copiedBytes = from.byteLength;
  }

  /** Copies plain values into the arena at once. */
  bringNow(arena: Arena): void {
    const from = bytesIn(this.#plain!.data);
    this.#token = arena.lease(from.byteLength).consume();
    new Uint8Array(arena.buffer, this.byteOffset, from.byteLength).set(from);
    this.copiedBytes = from.byteLength;
  }

  /** The call is over: the memory goes back to the arena, or to the caller who keeps it. */
  end(): void {
    if (this.#token === undefined) return;
    if (this.#keep) this.#token.restore();
    else this.#token.release();
  }
}

/** The error for memory of another runtime, whose addresses mean nothing here. */
export function foreign(what: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected a ${what} of this runtime, got one of another`);
}
