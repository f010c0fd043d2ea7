/**
 * How well the bundled model predicts its held-out text when activations, weights, keys and values are quantized. Every
 * number is the same on every machine.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openNpy } from '../../src/formats/index.js';
import { agreement, onLanes, type Prediction, predict, TextGenerator } from '../../src/generate/index.js';
import { createRuntime } from '../../src/index.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';

/** The folder of the bundled model, from dist/bench/cases. */
export const MODEL = fileURLToPath(new URL('../../../examples/model', import.meta.url));

/** Schemes of activations, `none` first: the others are compared with it. */
const SCHEMES = [
  'none',
  'vllm-int8-per-token',
  'torchao-int8-affine',
  'onnx-dynamic',
  'xnnpack-qd8',
  'kleidiai-qai8dxp',
  'ggml-q8_0',
  'vllm-fp8-per-token',
  'mx-fp8-e4m3',
  'mx-fp4',
  'ggml-q4_0',
  'quarot-int4',
];

/** Ways to keep keys and values. */
const CACHES = ['float32', 'int8', 'int4', 'rotated-int4', 'int2'];

const WINDOW = 256;

/** One scheme with one cache. */
export interface GenerationRow {
  readonly scheme: string;
  readonly cache: string;
  readonly perplexity: number;
  /** Share of tokens that are as likely as with float32. */
  readonly agreement: number;
  /** Bytes of keys and values for each of 256 tokens. */
  readonly cacheBytesPerToken: number;
}

/** Finds the answer; a quick one is of the first windows. */
export async function generation({ effort, report }: Context): Promise<Answer> {
  const data = await predictions(report, effort.isQuick ? 2 : Number.POSITIVE_INFINITY);
  const text = generationTable(data);
  return { bars: [], text, data, section: { document: 'generation', marker: 'generation', text } };
}

/** Predicts the held-out text, at most so many windows of it, with every scheme and every cache. */
export async function predictions(report: (text: string) => void, windows: number): Promise<GenerationRow[]> {
  const golden: { tokens_dev: number } = JSON.parse(await readFile(`${MODEL}/golden.json`, 'utf8'));
  const ids = (await validationIds()).subarray(0, Math.min(golden.tokens_dev, windows * WINDOW) + 1);
  await using runtime = await createRuntime({ memory: '128MiB' });
  const rows: GenerationRow[] = [];
  let floats: Prediction | undefined;
  for (const scheme of SCHEMES) {
    for (const cache of CACHES) {
      report(`${scheme}, ${cache}`);
      using generator = await TextGenerator.open(MODEL, onLanes(runtime, { scheme, cache }));
      const prediction = await predict(generator.model, generator.caches, ids, WINDOW);
      floats ??= prediction;
      const { perplexity, cacheBytesPerToken } = prediction;
      rows.push({ scheme, cache, perplexity, agreement: agreement(prediction, floats), cacheBytesPerToken });
    }
  }
  return rows;
}

/** A row for each scheme, a column for each cache; bytes of the caches at the end. */
export function generationTable(rows: readonly GenerationRow[]): string {
  const of = (scheme: string, cache: string): GenerationRow =>
    rows.find((row) => row.scheme === scheme && row.cache === cache)!;
  const lines = SCHEMES.map((scheme) => [
    `\`${scheme}\``,
    ...CACHES.map((cache) => {
      const { perplexity, agreement } = of(scheme, cache);
      return `${perplexity.toFixed(3)} (${(agreement * 100).toFixed(1)} %)`;
    }),
  ]);
  const bytes = CACHES.map((cache) => String(Math.round(of('none', cache).cacheBytesPerToken)));
  return table(['Activations', ...CACHES.map((cache) => `\`${cache}\``)], [...lines, ['Bytes a token', ...bytes]]);
}

/** The held-out text of the bundled model. */
async function validationIds(): Promise<Uint16Array> {
  await using file = await openNpy(`${MODEL}/validation_ids.npy`);
  const entry = file.tensors[0]!;
  const bytes = new Uint8Array(entry.byteLength);
  await file.read(entry, 0, bytes);
  return new Uint16Array(bytes.buffer);
}
