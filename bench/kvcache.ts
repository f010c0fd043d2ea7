/**
 * Question: what does attention over 4,096 stored tokens cost where they are quantized, against float32 in the same run?
 * @module
 */
import { createRuntime } from '../src/index.js';
import { createKeyValueCache, KEY_VALUE_PRESETS, type KeyValuePresetName } from '../src/kvcache/index.js';
import { compare } from './contender.js';

/** A row of the answer. */
export interface KeyValueRow {
  /** `8 heads of 64, 8 query heads`. */
  readonly shape: string;
  readonly preset: KeyValuePresetName;
  /** Bytes of a token in one layer, once it is quantized. */
  readonly bytes: number;
  /** Of one query in one layer. */
  readonly microseconds: number;
  /** How many times as fast as float32. */
  readonly ratio: number;
}

const TOKENS = 4_096;
const SHAPES = [
  { heads: 8, queryHeads: 8, headDim: 64 },
  { heads: 8, queryHeads: 32, headDim: 128 },
] as const;

/** Runs the comparison, in place, one layer. */
export async function kvcache(report: (text: string) => void): Promise<KeyValueRow[]> {
  const runtime = await createRuntime({ lanes: 0, memory: '512MiB' });
  const rows: KeyValueRow[] = [];
  for (const { heads, queryHeads, headDim } of SHAPES) {
    const shape = `${heads} heads of ${headDim}, ${queryHeads} query heads`;
    report(shape);
    const keys = waves(TOKENS * heads * headDim, 0.7);
    const values = waves(TOKENS * heads * headDim, 1.3);
    const query = waves(queryHeads * headDim, 2.1);
    const out = new Float32Array(query.length);
    const caches = KEY_VALUE_PRESETS.map(({ name, storage }) => {
      const cache = createKeyValueCache(runtime, { layers: 1, heads, headDim, ...storage, residual: 0 });
      cache.append(0, keys, values);
      return { name, cache };
    });
    const found = await compare(
      caches.map(({ name, cache }) => ({ name, run: () => cache.attend(0, query, { out }) })),
    );
    for (const [index, { name, cache }] of caches.entries()) {
      const { milliseconds } = found[index]!;
      const ratio = found[0]!.milliseconds / milliseconds;
      rows.push({ shape, preset: name, bytes: cache.tokenBytes.quantized, microseconds: milliseconds * 1000, ratio });
      cache.release();
    }
  }
  await runtime.close();
  return rows;
}

/** The answer as text, a line a row. */
export function kvcacheTable(rows: readonly KeyValueRow[]): string {
  const lines = rows.map(({ shape, preset, bytes, microseconds, ratio }) =>
    [
      shape.padEnd(36),
      preset.padEnd(13),
      `${bytes} bytes a token`.padStart(20),
      `${microseconds.toFixed(0)} µs`.padStart(10),
      `${ratio.toFixed(2)} x float32`.padStart(16),
    ].join(' '),
  );
  return lines.join('\n');
}

/** Values from −1 to 1 that never repeat. */
function waves(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * step) * Math.cos(index * 0.011));
}
