/**
 * The tokens of a tensor file: the rows of each tensor's last axis, each in a lease of its own.
 * @module
 */
import type { TensorEntry, TensorFile } from '../src/formats/index.js';
import type { InputDtype, StreamingRuntime, TensorLease } from '../src/index.js';
import { INPUT_DTYPE_BYTES, isInputDtype } from '../src/memory/index.js';
import { Failure } from './failure.js';

/** A tensor of a file as rows of numbers. */
export interface TokenTensor {
  readonly entry: TensorEntry;
  readonly dtype: InputDtype;
  /** Number of tokens. */
  readonly tokens: number;
  /** Values of a token. */
  readonly columns: number;
  /** Bytes of a token. */
  readonly tokenBytes: number;
}

/** Tokens of a tensor that are in shared memory at a time, which no more than this part of it is taken for. */
const PAGE_TOKENS = 512;
const PAGE_PART = 4;
/** Bytes that a token is given beyond its values, so that what is computed from a short one fits too. */
const TOKEN_EXTRA = 512;

/** The tensors of a file that hold tokens; tensors of integers and empty ones do not. */
export function tokenTensors(file: TensorFile): TokenTensor[] {
  const found: TokenTensor[] = [];
  for (const entry of file.tensors) {
    const { dtype, shape, byteLength } = entry;
    if (byteLength === 0 || !isInputDtype(dtype)) continue;
    const columns = shape.at(-1) ?? 1;
    const tokenBytes = columns * INPUT_DTYPE_BYTES[dtype];
    found.push({ entry, dtype, tokens: byteLength / tokenBytes, columns, tokenBytes });
  }
  return found;
}

/**
 * Tokens of a tensor that fit into a page.
 * @throws ERR_QUANTLANE_ARENA_TOO_SMALL where not even one does
 */
export function pageTokens(runtime: StreamingRuntime, tensor: TokenTensor): number {
  const { capacity } = runtime.metrics().arena;
  const room = Math.floor(capacity / PAGE_PART / (tensor.tokenBytes + TOKEN_EXTRA));
  if (room > 0) return Math.min(tensor.tokens, PAGE_TOKENS, room);
  const text = `Expected memory of at least ${PAGE_PART * (tensor.tokenBytes + TOKEN_EXTRA)} bytes for tokens of ${tensor.tokenBytes}, got ${capacity}`;
  throw new Failure(text, 'ERR_QUANTLANE_ARENA_TOO_SMALL');
}

/**
 * The tokens of a tensor, a page at a time: a lease for each token, which the file is read straight into. What is
 * left of a page is given back before the next one.
 */
export async function* tokenPages(
  runtime: StreamingRuntime,
  file: TensorFile,
  tensor: TokenTensor,
): AsyncGenerator<TensorLease[], void, undefined> {
  const size = pageTokens(runtime, tensor);
  for (let first = 0; first < tensor.tokens; first += size) {
    const count = Math.min(size, tensor.tokens - first);
    const page: TensorLease[] = [];
    try {
      for (let index = 0; index < count; index++) page.push(runtime.lease(tensor.dtype, [tensor.columns]));
      await allOf(page.map((lease, index) => readLease(file, tensor, first + index, lease)));
      yield page;
    } finally {
      // Nothing is left of a page that was streamed to its end.
      for (const lease of page) lease[Symbol.dispose]();
    }
  }
}

/** Reads the tokens from `first` on that fill a lease. */
export function readLease(file: TensorFile, tensor: TokenTensor, first: number, lease: TensorLease): Promise<void> {
  const { buffer, byteOffset, byteLength } = lease.data;
  return file.read(tensor.entry, first * tensor.tokenBytes, new Uint8Array(buffer, byteOffset, byteLength));
}

/** Waits for all, also where one fails: none may write any more when the leases go back. */
async function allOf(reads: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(reads)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
