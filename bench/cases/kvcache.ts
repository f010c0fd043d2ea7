/**
 * Question: what does attention over 4,096 stored tokens cost where they are quantized, against float32 in the same run,
 * and how exactly do they read back?
 * @module
 */
import { createRuntime } from '../../src/index.js';
import { createKeyValueCache, KEY_VALUE_PRESETS } from '../../src/kvcache/index.js';
import { type Bar, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { measure, now } from '../rounds.js';
import { cacheQuality, OUTLIERS, qualityLines } from './kvcache-quality.js';

const TOKENS = 4_096;
const SHAPES = [
  { heads: 8, queryHeads: 8, headDim: 64 },
  { heads: 8, queryHeads: 32, headDim: 128 },
] as const;
const RIVAL = 'float32';

/** Finds the answer, in place, one layer. */
export async function kvcache({ effort, report }: Context): Promise<Answer> {
  const runtime = await createRuntime({ lanes: 0, memory: '512MiB' });
  const bars: Bar[] = [];
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
    const times = await measure(
      caches.map(({ name, cache }) => now(name, () => cache.attend(0, query, { out }))),
      effort,
    );
    for (const { name, cache } of caches) {
      const work = `${shape}: ${name}, ${cache.tokenBytes.quantized} bytes a token`;
      if (name !== RIVAL) bars.push(faster(times, work, name, RIVAL, undefined));
      cache.release();
    }
  }
  const quality = [];
  for (const channels of OUTLIERS) quality.push(await cacheQuality(runtime, channels));
  await runtime.close();
  const text = `Signal to noise in dB, the worst of five layers:\n\n\`\`\`text\n${qualityLines(quality)}\n\`\`\``;
  return { bars, text, data: { quality } };
}

/** Values from −1 to 1 that never repeat. */
function waves(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * step) * Math.cos(index * 0.011));
}
