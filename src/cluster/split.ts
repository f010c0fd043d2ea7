/**
 * One tensor on several hosts: cut into parts of whole rows, or, where one range covers the whole tensor, anywhere between
 * tiles. Then each part's range comes first; merged, it is given to every part, and the bytes are those of one host.
 * @module
 */
import { fail, QuantlaneError } from '../errors.js';
import { type Arena, INPUT_DTYPE_BYTES } from '../memory/index.js';
import { type GivenRange, QuantizedTensor, type QuantizeOptions } from '../runtime/index.js';
import { type Plan, Planner } from '../runtime/plan.js';
import { copySlowly } from '../runtime/tensor.js';
import { Source } from '../scheme/codes.js';
import { Size } from '../scheme/descriptor.js';
import { packedBytes } from '../scheme/index.js';
import type { Task } from './batch.js';
import type { Frame } from './framing.js';
import { bytesOf, type Part, partsOf, rangeOf } from './result.js';

/** A part of a tensor. */
export interface Piece {
  /** Its first element. */
  readonly first: number;
  readonly elements: number;
  readonly shape: readonly number[];
}

/** How a tensor is sent in pieces. */
export interface Splitting {
  readonly plan: Plan;
  readonly pieces: readonly Piece[];
  readonly options: QuantizeOptions;
  /** Sends a piece and gives what a host makes of it. */
  ask(task: Task, piece: Piece, options: QuantizeOptions, signal: AbortSignal): Promise<Frame>;
}

/** What grows with the rows; the rest is the same for every piece. */
const BY_ROWS = new Set(['codes', 'scale', 'zero_point', 'statistics']);

/**
 * The pieces of a tensor of about so many bytes; undefined where it is sent as a whole: it is small, or its scheme ties
 * rows together in another way, such as by channels, columns of outliers or chance.
 */
export function piecesOf(plan: Plan, most: number): readonly Piece[] | undefined {
  const { scheme, dtype, shape, layout } = plan;
  const { granularity } = scheme;
  const width = INPUT_DTYPE_BYTES[dtype];
  if (layout.elements * width <= most || scheme.outliers !== null || scheme.rounding === 'stochastic') return undefined;
  if (granularity.kind === 'perTensor') {
    const step = Math.max(1, Math.floor(most / width / Size.TensorTile)) * Size.TensorTile;
    return cut(layout.elements, step, (elements) => [elements]);
  }
  const length = shape.at(-1)!;
  const rows = layout.elements / length;
  // A piece has two axes: an axis that is counted from the first may be another one there.
  const { kind, axis } = granularity;
  const isOfRows = kind !== 'perChannel' && (axis === -1 || (axis === 1 && shape.length === 2));
  const hasWholeBytes =
    layout.codeBytes % rows === 0 && (scheme.layout !== 'planar' || layout.codeShape.length === shape.length);
  if (!isOfRows || !hasWholeBytes || plan.source !== Source.Data || rows === 1) return undefined;
  const step = Math.max(1, Math.floor(most / width / length));
  return cut(rows, step, (count) => [count, length]).map(({ first, elements, shape }) => ({
    first: first * length,
    elements: elements * length,
    shape,
  }));
}

/**
 * The tensor from its pieces, in one lease; undefined where its range is not finite, which only one host can deal with.
 * @param waiting aborted when there is no use in waiting for room
 * @throws as for the whole tensor: of NaN and ±Inf all are counted
 */
export async function quantizeInPieces(
  splitting: Splitting,
  arena: Arena,
  signal: AbortSignal | undefined,
  waiting: AbortSignal,
): Promise<QuantizedTensor | undefined> {
  const { plan, pieces, options } = splitting;
  const isMerged = plan.scheme.granularity.kind === 'perTensor' && plan.source === Source.Data;
  const range = isMerged ? await mergedRange(splitting, signal) : undefined;
  // What is not finite cannot be given: one host has to see it all.
  if (range !== undefined && !(Number.isFinite(range.min) && Number.isFinite(range.max))) return undefined;
  const given = range === undefined ? options : { ...options, range };
  const planner = new Planner();
  const { bytes } = plan.parts;
  const lease = arena.tryLease(bytes) ?? (await arena.acquire(bytes, { signal: waiting }));
  try {
    await each(pieces, signal, async (piece, ended) => {
      const frame = await splitting.ask('quantize', piece, given, ended);
      const own = partsOf(planner.plan(plan.scheme, plan.dtype, piece.shape, given));
      for (const [index, part] of partsOf(plan).entries()) {
        if (piece.first > 0 && !grows(plan, part)) continue;
        const from = bytesOf(frame, own[index]!);
        const at = lease.byteOffset + part.at + (piece.first > 0 ? offsetOf(plan, part, piece) : 0);
        await copySlowly(from, new Uint8Array(arena.buffer, at, from.length), ended);
      }
    });
    return new QuantizedTensor(lease, plan, arena.buffer);
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** The range of the whole tensor from those of its pieces; a NaN stays one. */
async function mergedRange(
  { pieces, options, ask }: Splitting,
  signal: AbortSignal | undefined,
): Promise<GivenRange & { readonly min: number; readonly max: number }> {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  await each(pieces, signal, async (piece, ended) => {
    const found = rangeOf(await ask('range', piece, options, ended));
    // Of two zeros the negative one is the smaller.
    min = Math.min(min, found.min[0]!);
    max = Math.max(max, found.max[0]!);
  });
  return { min, max };
}

/** Works on all pieces; of NaN and ±Inf in several of them all are counted, and any other error ends the rest. */
async function each(
  pieces: readonly Piece[],
  signal: AbortSignal | undefined,
  work: (piece: Piece, ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const abort = () => stop.abort(signal!.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  const faults = { count: 0, first: Number.POSITIVE_INFINITY };
  const one = (piece: Piece): Promise<void> =>
    work(piece, stop.signal).catch((error: unknown) => {
      if (!(error instanceof QuantlaneError) || error.code !== 'ERR_QUANTLANE_NON_FINITE') return stop.abort(error);
      faults.count += error.details['count'] as number;
      faults.first = Math.min(faults.first, piece.first + (error.details['first'] as number));
    });
  try {
    // Nothing may come after the end: all are waited for.
    await Promise.all(pieces.map(one));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  stop.signal.throwIfAborted();
  const { count, first } = faults;
  if (count === 0) return;
  const text = `Expected finite values, got ${count} NaN or infinite, the first at ${first}`;
  throw fail('ERR_QUANTLANE_NON_FINITE', text, { details: { count, first } });
}

function grows({ scheme }: Plan, { name }: Part): boolean {
  const isOne = scheme.granularity.kind === 'perTensor';
  return isOne ? name === 'codes' || name === 'statistics' : BY_ROWS.has(name);
}

/** Where a piece lies within a part of the whole, in bytes. */
function offsetOf({ scheme, layout }: Plan, { name, byteLength }: Part, { first }: Piece): number {
  if (scheme.granularity.kind !== 'perTensor') return Math.round((byteLength * first) / layout.elements);
  if (name === 'codes') return packedBytes(scheme.dtype, first);
  return (byteLength / layout.units) * (first / Size.TensorTile);
}

function cut(count: number, step: number, shapeOf: (size: number) => readonly number[]): Piece[] {
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => {
    const first = index * step;
    const elements = Math.min(step, count - first);
    return { first, elements, shape: shapeOf(elements) };
  });
}
