/**
 * Caches as bytes (docs/kvcache.md has the format): a header in JSON, the pages, a checksum.
 *
 * ```text
 * 0   8  QLKVCACH
 * 8   4  version, uint32
 * 12  4  n, bytes of the header, uint32
 * 16  n  header: { format, layers: [[[kind, tokens], …], …] }, UTF-8, spaces at its end
 * …      pages, layer after layer
 * −4  4  CRC-32 of all bytes before, uint32
 * ```
 *
 * Numbers are little-endian, as everything in memory is.
 * @module
 */
import { crc32 } from 'node:zlib';
import { fail, got, QuantlaneError } from '../errors.js';
import { isCount } from '../numbers.js';
import { floatBytes, type PageLayout, pageLayout } from './layout.js';
import type { Machine } from './machine.js';
import { formatOf } from './options.js';
import type { Piece } from './page.js';

/** The first bytes of a parked cache. */
export const CACHE_FORMAT = 'QLKVCACH';

/** The version that is written and read. */
export const CACHE_VERSION = 1;

const HEAD_BYTES = 16;
const CRC_BYTES = 4;
/** Pages begin at a multiple of this. */
const ALIGNMENT = 16;

/** Kind and tokens of a piece. */
type PieceFacts = Pick<Piece, 'kind' | 'tokens'>;

/** The pieces of all layers as bytes. */
export function parked(machine: Machine, layout: PageLayout, layers: readonly (readonly Piece[])[]): Uint8Array {
  const facts = layers.map((pieces) => pieces.map(({ kind, tokens }) => [kind, tokens]));
  const text = JSON.stringify({ format: layout.format, layers: facts });
  const length = Math.ceil((HEAD_BYTES + Buffer.byteLength(text)) / ALIGNMENT) * ALIGNMENT;
  const spans = layers.flatMap((pieces) => pieces.flatMap((piece) => spansOf(layout, piece, piece.page.byteOffset)));
  const bytes = new Uint8Array(length + spans.reduce((sum, [, size]) => sum + size, 0) + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(CACHE_FORMAT));
  view.setUint32(8, CACHE_VERSION, true);
  view.setUint32(12, length - HEAD_BYTES, true);
  bytes.set(Buffer.from(text.padEnd(length - HEAD_BYTES - Buffer.byteLength(text) + text.length)), HEAD_BYTES);
  let at = length;
  for (const [start, size] of spans) {
    bytes.set(machine.bytes.subarray(start, start + size), at);
    at += size;
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true);
  return bytes;
}

/** Layout and pieces of parked bytes; the pieces are leased. */
export function restored(machine: Machine, bytes: Uint8Array): { layout: PageLayout; layers: Piece[][] } {
  const { layout, layers: facts, start } = readHeader(bytes);
  const size = facts.flat().reduce((sum, piece) => sum + bytesOf(layout, piece), 0);
  const expected = start + size + CRC_BYTES;
  if (bytes.length !== expected) throw refuse(`${expected} bytes, as the header says`, String(bytes.length));
  const pieces: Piece[] = [];
  let at = start;
  try {
    const layers = facts.map((layer) =>
      layer.map(({ kind, tokens }) => {
        const capacity = capacityOf(layout, kind);
        const page = machine.page(kind === 'frozen' ? layout.frozen.bytes : floatBytes(layout, capacity));
        const piece = { kind, page, capacity, tokens };
        pieces.push(piece);
        for (const [to, length] of spansOf(layout, piece, page.byteOffset)) {
          machine.bytes.set(bytes.subarray(at, at + length), to);
          at += length;
        }
        return piece;
      }),
    );
    return { layout, layers };
  } catch (error) {
    for (const { page } of pieces) page.release();
    throw error;
  }
}

/** What is stored of a piece that lies at `start`: address and length of each run of bytes. */
function spansOf(
  layout: PageLayout,
  { kind, capacity, tokens }: Omit<Piece, 'page'>,
  start: number,
): [number, number][] {
  if (kind === 'frozen') return [[start, layout.frozen.bytes]];
  const { heads, headDim } = layout.format;
  const row = headDim * 4;
  return Array.from({ length: 2 * heads }, (_, head) => [start + head * capacity * row, tokens * row]);
}

function bytesOf(layout: PageLayout, { kind, tokens }: PieceFacts): number {
  return kind === 'frozen' ? layout.frozen.bytes : floatBytes(layout, tokens);
}

function capacityOf({ format }: PageLayout, kind: Piece['kind']): number {
  return kind === 'sink' ? format.sinks : format.block;
}

function readHeader(bytes: Uint8Array): { layout: PageLayout; layers: PieceFacts[][]; start: number } {
  if (!(bytes instanceof Uint8Array)) throw refuse('a Uint8Array', got(bytes));
  if (bytes.length < HEAD_BYTES + CRC_BYTES) throw refuse('a parked cache', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const name = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (name !== CACHE_FORMAT) throw refuse(`bytes that begin with ${CACHE_FORMAT}`, got(name));
  const version = view.getUint32(8, true);
  if (version !== CACHE_VERSION) throw refuse(`version ${CACHE_VERSION}`, String(version));
  const end = bytes.length - CRC_BYTES;
  const [stored, actual] = [view.getUint32(end, true), crc32(bytes.subarray(0, end))];
  if (stored !== actual) throw refuse(`the checksum ${stored.toString(16)}`, actual.toString(16));
  const start = HEAD_BYTES + view.getUint32(12, true);
  if (start > end) throw refuse('a header within the bytes', `${start - HEAD_BYTES} bytes`);
  try {
    const header = JSON.parse(Buffer.from(bytes.subarray(HEAD_BYTES, start)).toString());
    const layout = pageLayout(formatOf({ ...header.format, maxTokens: header.format.maxTokens ?? undefined }));
    if (header.layers.length !== layout.format.layers) throw refuse('pieces of every layer', header.layers.length);
    return { layout, layers: header.layers.map((layer: unknown) => readPieces(layout, layer)), start };
  } catch (cause) {
    if (cause instanceof QuantlaneError && cause.code === 'ERR_QUANTLANE_FORMAT') throw cause;
    throw refuse('a header that describes a cache', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Pieces in an order that a cache can have: sinks, then quantized ones, then float32 ones, all full but the last. */
function readPieces(layout: PageLayout, layer: unknown): PieceFacts[] {
  if (!Array.isArray(layer)) throw refuse('a list of pieces', got(layer));
  const order = ['sink', 'frozen', 'float'];
  let last = -1;
  return layer.map((fact: unknown, index) => {
    const [kind, tokens] = Array.isArray(fact) ? (fact as unknown[]) : [];
    const rank = order.indexOf(kind as string);
    const capacity = capacityOf(layout, kind as Piece['kind']);
    const isKind = rank >= last && rank >= 0 && !(rank === 0 && index > 0) && !(rank === 1 && !layout.freezes);
    // Only a quantized block may have been cut with tokens after it.
    const isFull = tokens === capacity || rank === 1 || index === layer.length - 1;
    if (!isKind || !isCount(tokens) || tokens < 1 || tokens > capacity || !isFull) throw refuse('a piece', got(fact));
    last = rank;
    return { kind: kind as Piece['kind'], tokens };
  });
}

function refuse(expected: string, actual: string, cause?: unknown): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected ${expected}, got ${actual}`, { cause });
}
