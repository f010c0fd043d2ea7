/**
 * Code of docs/guides/embeddings.md: embeddings of a collection, quantized for a vector database, and found again.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
// #region imports
import { createRuntime, preset } from 'quantlane';
import { createObserver } from 'quantlane/ranges';

// #endregion

const { columns, vectors } = await sentenceEmbeddings();
const rows = vectors.length / columns;

// #region range
const runtime = await createRuntime({ memory: '64MiB' });
const scheme = preset('st-int8'); // a range for each dimension
const observer = createObserver('minmax', { granularity: { kind: 'perChannel', axis: -1 } });
observer.observe(vectors.subarray(0, 512 * columns), 'float32', [512, columns]);
const range = observer.range(); // { min, max }: 384 values each
// #endregion

// #region insert
/** Codes of a batch, for the collection's int8 column and its bit column. */
async function encode(batch: Float32Array<ArrayBuffer>) {
  const tensor = { dtype: 'float32', shape: [batch.length / columns, columns], data: batch } as const;
  using int8 = await runtime.quantize(tensor, scheme, { range });
  using bits = await runtime.quantize(tensor, 'st-ubinary');
  return { int8: Int8Array.from(int8.data), bits: Uint8Array.from(bits.data) };
}

const whole = await encode(vectors);
const first = await encode(vectors.slice(0, 100 * columns));
const alike = first.int8.every((code, at) => code === whole.int8[at]);
console.log(`int8: ${whole.int8.length / rows} bytes a vector, bits: ${whole.bits.length / rows}`);
console.log(`a batch of 100 has the codes that it has among ${rows}: ${alike}`);
// #endregion

// #region search
const ONES = Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
const low = Float32Array.from(range.min);
const step = low.map((min, at) => (range.max[at]! - min) / 255 || 1);

/** The nearest by Hamming distance. */
function candidates(query: number, count: number): number[] {
  const bytes = columns / 8;
  const distances = Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let at = 0; at < bytes; at++) sum += ONES[whole.bits[query * bytes + at]! ^ whole.bits[row * bytes + at]!]!;
    return sum;
  });
  return best(count, query, (row) => -distances[row]!);
}

/** The best of some vectors by the float32 query and their int8 codes: x ≈ min + (q + 128) · step. */
function rescored(query: number, among: readonly number[], count: number): number[] {
  const q = vectors.subarray(query * columns, (query + 1) * columns);
  const score = (row: number): number => {
    let dot = 0;
    let norm = 0;
    for (let at = 0; at < columns; at++) {
      const x = low[at]! + (whole.int8[row * columns + at]! + 128) * step[at]!;
      dot += q[at]! * x;
      norm += x * x;
    }
    return dot / Math.sqrt(norm);
  };
  return best(count, query, score, among);
}
// #endregion

// #region recall
const queries = Array.from({ length: Math.ceil(rows / 8) }, (_, index) => index * 8);
const truth = queries.map((query) => best(10, query, (row) => cosine(query, row)));
for (const [name, search] of [
  ['bits alone', (query: number) => candidates(query, 10)],
  ['20 by bits, rescored', (query: number) => rescored(query, candidates(query, 20), 10)],
  ['40 by bits, rescored', (query: number) => rescored(query, candidates(query, 40), 10)],
  ['100 by bits, rescored', (query: number) => rescored(query, candidates(query, 100), 10)],
  ['int8 alone', (query: number) => rescored(query, [...Array(rows).keys()], 10)],
] as const) {
  const hits = queries.flatMap((query, at) => search(query).filter((row) => truth[at]!.includes(row)));
  console.log(`recall@10, ${name}: ${((hits.length / truth.flat().length) * 100).toFixed(1)} %`);
}
await runtime.close();
// #endregion

/** The best rows by a score, but for the query; of equal ones the first. */
function best(
  count: number,
  query: number,
  score: (row: number) => number,
  among: readonly number[] = [...Array(rows).keys()],
): number[] {
  const scores = new Map(among.filter((row) => row !== query).map((row) => [row, score(row)]));
  return [...scores.keys()].sort((a, b) => scores.get(b)! - scores.get(a)! || a - b).slice(0, count);
}

/** All vectors have length 1. */
function cosine(a: number, b: number): number {
  let sum = 0;
  for (let at = 0; at < columns; at++) sum += vectors[a * columns + at]! * vectors[b * columns + at]!;
  return sum;
}

/** 778 sentence embeddings of all-MiniLM-L6-v2, of length 1, from a package of npm. */
async function sentenceEmbeddings(): Promise<{ columns: number; vectors: Float32Array<ArrayBuffer> }> {
  const path = (name: string): string =>
    fileURLToPath(import.meta.resolve(`@sap-ux/fiori-docs-embeddings/data/embeddings/${name}`));
  const { dimensions } = JSON.parse(await readFile(path('metadata.json'), 'utf8')) as { dimensions: number };
  return {
    columns: dimensions,
    vectors: new Float32Array(Uint8Array.from(await readFile(path('embeddings.bin'))).buffer),
  };
}
