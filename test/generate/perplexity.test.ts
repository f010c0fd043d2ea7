/** Perplexity of the bundled model over its held-out text: as in PyTorch, and hardly worse when it is quantized. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { agreement, type LaneOptions, onLanes, type Prediction, predict, TextGenerator } from '#src/generate/index.js';
import { createRuntime } from '#src/index.js';
import { golden, MODEL, validationIds } from './helpers.js';

const WINDOWS = 32;
const WINDOW = 256;
const ids = (await validationIds()).subarray(0, WINDOWS * WINDOW + 1);

async function predicted(options: LaneOptions): Promise<Prediction> {
  await using runtime = await createRuntime({ lanes: 2, memory: '64MiB' });
  using generator = await TextGenerator.open(MODEL, onLanes(runtime, options));
  return await predict(generator.model, generator.caches, ids, WINDOW);
}

/** What docs/generation.md says of a scheme of activations, by the names of the caches. */
function documented(scheme: string): Record<string, string> {
  const lines = readFileSync(new URL('../../docs/generation.md', import.meta.url), 'utf8').split('\n');
  const cellsOf = (line: string): string[] => line.split('|').map((cell) => cell.trim().replaceAll('`', ''));
  const head = cellsOf(lines.find((line) => line.startsWith('| Activations'))!);
  const row = cellsOf(lines.find((line) => line.startsWith(`| \`${scheme}\``))!);
  return Object.fromEntries(head.map((name, at) => [name, row[at]!]));
}

it('is that of PyTorch, and 0.5 % more at most with int8 activations, weights and cache', async () => {
  const floats = await predicted({ scheme: 'none', cache: 'none' });
  expect(floats.likeliest).toHaveLength(8192);
  expect(Math.abs(floats.perplexity / golden.perplexity_dev - 1)).toBeLessThan(1e-5);

  const codes = await predicted({ scheme: 'vllm-int8-per-token', cache: 'int8' });
  expect(Math.abs(codes.perplexity / floats.perplexity - 1)).toBeLessThan(0.005);
  expect(agreement(codes, floats)).toBeGreaterThan(0.98);
  const text = `${codes.perplexity.toFixed(3)} (${(agreement(codes, floats) * 100).toFixed(1)} %)`;
  expect(documented('vllm-int8-per-token')).toMatchObject({ int8: text });
  expect(documented('none')).toMatchObject({ float32: `${floats.perplexity.toFixed(3)} (100.0 %)` });
  // Five layers, keys and values of four heads: 32 codes and a scale each.
  expect(codes.cacheBytesPerToken).toBe(5 * 2 * 4 * (32 + 4));
}, 180_000);
