/**
 * Question: how well do quantized embeddings still find their neighbours? Recall of the ten nearest by cosine among 778
 * sentence embeddings of 384 dimensions (all-MiniLM-L6-v2 on the documents of `@sap-ux/fiori-docs-embeddings`).
 * @module
 */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { StreamingRuntime } from '../../src/index.js';
import { table } from '../document.js';

/** Vectors, row after row. */
export interface Embeddings {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** A row of the answer. */
export interface RecallRow {
  readonly preset: string;
  /** Bytes of a vector with its parameters. */
  readonly bytes: number;
  /** Share of the nearest neighbours that are found where query and vectors are quantized. */
  readonly both: number;
  /** The same where the query is float32. */
  readonly vectors: number;
}

/** Presets that vectors are kept in, and a few of tokens to compare with. */
export const RECALL_PRESETS: readonly string[] = [
  ...['ggml-f16', 'vllm-int8-per-token', 'ggml-q8_0', 'ggml-q4_0'],
  ...[
    'st-int8',
    'st-uint8',
    'qdrant-int8',
    'faiss-sq8',
    'usearch-i8',
    'st-binary',
    'st-ubinary',
    'usearch-b1',
    'pgvector-binary',
    'qdrant-binary',
  ],
];

const NEIGHBOURS = 10;
/** Every eighth vector is a query. */
const STRIDE = 8;

/** The embeddings of the package, float32, of length 1. */
export async function loadEmbeddings(): Promise<Embeddings> {
  const path = (name: string): string =>
    fileURLToPath(import.meta.resolve(`@sap-ux/fiori-docs-embeddings/data/embeddings/${name}`));
  const { dimensions: columns, totalVectors: rows } = JSON.parse(await readFile(path('metadata.json'), 'utf8'));
  const data = new Float32Array(Uint8Array.from(await readFile(path('embeddings.bin'))).buffer);
  if (data.length !== rows * columns) throw new Error(`Expected ${rows} x ${columns} values, got ${data.length}`);
  return { rows, columns, data };
}

/**
 * Recall of each preset. A vector is no neighbour of itself; of equal distances the first one counts. Values are those
 * that the codes read back as: the cosine of bits, read as 1 and −1, orders as their Hamming distance does.
 */
export async function recall(
  runtime: StreamingRuntime,
  embeddings: Embeddings,
  presets: readonly string[],
  report: (text: string) => void = () => undefined,
): Promise<RecallRow[]> {
  const exact = unit(embeddings);
  const queries = Array.from({ length: Math.ceil(embeddings.rows / STRIDE) }, (_, index) => index * STRIDE);
  const truth = queries.map((query) => nearest(exact, exact, query));
  const found: RecallRow[] = [];
  for (const preset of presets) {
    report(preset);
    const { bytes, vectors } = await quantized(runtime, embeddings, preset);
    const share = (from: Embeddings64): number => {
      const hits = queries.map((query, index) => common(nearest(from, vectors, query), truth[index]!));
      return hits.reduce((sum, count) => sum + count, 0) / truth.flat().length;
    };
    found.push({ preset, bytes, both: share(vectors), vectors: share(exact) });
  }
  return found;
}

/** The answer as a table in Markdown. */
export function recallTable(rows: readonly RecallRow[]): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const cells = rows.map(({ preset, bytes, both, vectors }) => [
    `\`${preset}\``,
    String(Number(bytes.toFixed(1))),
    percent(both),
    percent(vectors),
  ]);
  return table(['Preset', 'Bytes a vector', 'Both quantized', 'Query float32'], cells);
}

/** Vectors of length 1 in float64. */
interface Embeddings64 {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** The vectors as a preset reads them back. */
async function quantized(
  runtime: StreamingRuntime,
  { rows, columns, data }: Embeddings,
  preset: string,
): Promise<{ bytes: number; vectors: Embeddings64 }> {
  using codes = await runtime.quantize({ dtype: 'float32', shape: [rows, columns], data }, preset);
  using values = await runtime.dequantize(codes);
  return { bytes: codes.byteLength / rows, vectors: unit({ rows, columns, data: values.data }) };
}

/** Each vector by its length; one of zeros stays as it is. */
function unit({ rows, columns, data }: Embeddings): Embeddings64 {
  const units = Float64Array.from(data);
  for (let row = 0; row < rows; row++) {
    const vector = units.subarray(row * columns, (row + 1) * columns);
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    if (length > 0) vector.set(vector.map((x) => x / length));
  }
  return { rows, columns, data: units };
}

/** The vectors that are nearest to vector `query` of `from`, but for that itself. */
function nearest(from: Embeddings64, to: Embeddings64, query: number): number[] {
  const { rows, columns } = to;
  const start = query * columns;
  const cosines = Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += from.data[start + i]! * to.data[row * columns + i]!;
    return sum;
  });
  const others = cosines.map((_, row) => row).filter((row) => row !== query);
  return others.sort((a, b) => cosines[b]! - cosines[a]! || a - b).slice(0, NEIGHBOURS);
}

function common(found: readonly number[], truth: readonly number[]): number {
  return found.filter((row) => truth.includes(row)).length;
}
