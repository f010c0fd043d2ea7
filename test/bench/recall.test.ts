/** Recall of quantized embeddings: on vectors whose neighbours are known, on the data, and as the document says it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRESETS, preset } from '#src/index.js';
import { loadEmbeddings, RECALL_PRESETS, recall, recallTable } from '../../bench/cases/recall.js';
import { between } from '../../bench/document.js';
import { withRuntime } from '../support/runtime.js';

/** `rows` vectors that turn by a little from one to the next, so that the neighbours of one are those beside it. */
function fan(rows: number) {
  const angles = Array.from({ length: rows }, (_, row) => (row * Math.PI) / (2 * rows));
  return { rows, columns: 2, data: Float32Array.from(angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])) };
}

it('is 1 where nothing is lost, and that of chance where nothing is left', async () => {
  await withRuntime({}, async (runtime) => {
    const [exact, bits] = await recall(runtime, fan(160), ['ggml-bf16', 'st-binary']);
    expect(exact!.both).toBeGreaterThan(0.8);
    expect(exact!.bytes).toBe(4);
    // All vectors but the first are (1, 1): the first ten of equal ones are found, for each query but those among them.
    expect(bits).toMatchObject({ preset: 'st-binary', bytes: 1 });
    expect(bits!.both).toBeLessThan(0.15);
    expect(bits!.vectors).toBeLessThan(0.15);
  });
});

it('is 1 where the first bit tells the neighbours from the rest', async () => {
  // Two bundles of eleven: each vector's ten neighbours are the rest of its bundle.
  const rows = 22;
  const data = Float32Array.from({ length: rows * 8 }, (_, i) => {
    const [row, column] = [Math.floor(i / 8), i % 8];
    return column < 4 === row < 11 ? 1 + row * 1e-3 * (column + 1) : -1;
  });
  await withRuntime({}, async (runtime) => {
    const [found] = await recall(runtime, { rows, columns: 8, data }, ['qdrant-binary']);
    expect(found).toEqual({ preset: 'qdrant-binary', bytes: 1, both: 1, vectors: 1 });
  });
});

describe('the embeddings', async () => {
  const embeddings = await loadEmbeddings();

  it('are vectors of length 1', () => {
    const { rows, columns, data } = embeddings;
    expect({ rows, columns }).toEqual({ rows: 778, columns: 384 });
    for (let row = 0; row < rows; row++) {
      const vector = data.subarray(row * columns, (row + 1) * columns);
      expect(vector.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    }
  });

  it('on a part of them bits find fewer than bytes, and bytes fewer than floats', async () => {
    const { columns, data } = embeddings;
    const part = { rows: 120, columns, data: data.slice(0, 120 * columns) };
    await withRuntime({}, async (runtime) => {
      const [floats, bytes, bits] = await recall(runtime, part, ['ggml-f16', 'usearch-i8', 'st-ubinary']);
      expect(floats!.both).toBeGreaterThan(0.99);
      expect(bytes!.both).toBeGreaterThan(0.9);
      expect(bytes!.both).toBeLessThan(floats!.both);
      expect(bits!.both).toBeGreaterThan(0.4);
      expect(bits!.both).toBeLessThan(bytes!.both);
      expect([floats!.bytes, bytes!.bytes, bits!.bytes]).toEqual([768, 384, 48]);
    });
  });

  it('give the table of the document', { timeout: 120_000 }, async () => {
    const document = readFileSync(new URL('../../docs/quality.md', import.meta.url), 'utf8');
    await withRuntime({}, async (runtime) => {
      const table = recallTable(await recall(runtime, embeddings, RECALL_PRESETS));
      expect(between(document, 'recall', table)).toBe(document);
    });
  });
});

it('measures every preset of bits and of unit vectors', () => {
  const names = PRESETS.map(({ name }) => name).filter((name) => /^(bits|usearch)/.test(preset(name).format ?? ''));
  expect(names.length).toBeGreaterThan(5);
  expect(RECALL_PRESETS).toEqual(expect.arrayContaining(names));
});

it('writes between markers, and only there', () => {
  const document = 'before\n<!-- recall -->\nold\n<!-- /recall -->\nafter\n';
  const written = 'before\n<!-- recall -->\n\nnew\n\n<!-- /recall -->\nafter\n';
  expect(between(document, 'recall', 'new')).toBe(written);
  expect(between(written, 'recall', 'new')).toBe(written);
  expect(() => between('no markers', 'recall', 'new')).toThrow('Expected <!-- recall -->');
});
