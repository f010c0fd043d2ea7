/**
 * How fast the bundled model makes text: quantized, in float32 in this project, and in float32 in ONNX Runtime.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { lastValueFrom } from 'rxjs';
import { openSafetensors } from '../src/formats/index.js';
import { onLanes, TextGenerator } from '../src/generate/index.js';
import { createRuntime } from '../src/index.js';
import { widened } from '../src/memory/index.js';
import { compare, processorTime } from './contender.js';
import { markdownTable } from './document.js';
import { MODEL } from './generation.js';
import { type LlamaSizes, llamaOnnx } from './llama-onnx.js';
import { LlamaSession } from './llama-session.js';

/** Tokens that each text gets. */
const TOKENS = 8;
const TEXTS = [1, 16];

/** One way to make texts. */
export interface TokenRow {
  readonly texts: number;
  readonly name: string;
  readonly tokensPerSecond: number;
  /** How many times as fast as float32 in this project. */
  readonly ratio: number;
}

/** Measures all contenders on one thread, by processor time: no lanes, and one thread of ONNX Runtime. */
export async function tokens(report: (text: string) => void): Promise<TokenRow[]> {
  const { cases } = JSON.parse(await readFile(`${MODEL}/golden.json`, 'utf8')) as {
    cases: readonly { readonly prompt_ids: readonly number[] }[];
  };
  const prompt = cases[0]!.prompt_ids;
  await using runtime = await createRuntime({ lanes: 0, memory: '128MiB' });
  using floats = await TextGenerator.open(MODEL, onLanes(runtime, { scheme: 'none', cache: 'none' }));
  using codes = await TextGenerator.open(MODEL, onLanes(runtime));
  const rival = await openRival();
  const rows: TokenRow[] = [];
  for (const texts of TEXTS) {
    report(`${texts} texts`);
    const made = (generator: TextGenerator) => async () => {
      const all = Array.from({ length: texts }, () => generator.generate(prompt, { maxTokens: TOKENS }));
      await Promise.all(all.map((each) => lastValueFrom(each)));
    };
    const measured = await compare(
      [
        { name: 'float32', run: made(floats) },
        { name: 'int8 activations, weights and cache', run: made(codes) },
        // One text after the other: the graph takes one.
        ...(texts === 1
          ? [{ name: 'ONNX Runtime, float32', run: async () => void (await rival.greedy(prompt, TOKENS)) }]
          : []),
      ],
      processorTime,
    );
    const base = measured[0]!.milliseconds;
    for (const { name, milliseconds } of measured) {
      rows.push({
        texts,
        name,
        tokensPerSecond: (texts * TOKENS * 1000) / milliseconds,
        ratio: base / milliseconds,
      });
    }
  }
  await rival.release();
  return rows;
}

/** The rows as a table. */
export function tokensTable(rows: readonly TokenRow[]): string {
  const cells = rows.map(({ texts, name, tokensPerSecond, ratio }) => [
    name,
    String(texts),
    tokensPerSecond.toFixed(0),
    `${ratio.toFixed(2)} x`,
  ]);
  return markdownTable(['Arithmetic', 'Texts', 'Tokens a second', 'Against float32'], cells);
}

/** The same model as a graph in ONNX Runtime. */
async function openRival(): Promise<LlamaSession> {
  const sizes: LlamaSizes & { readonly rope_theta: number } = JSON.parse(
    await readFile(`${MODEL}/config.json`, 'utf8'),
  );
  await using file = await openSafetensors(`${MODEL}/model.safetensors`);
  const weights = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const entry of file.tensors) {
    const bytes = new Uint8Array(entry.byteLength);
    await file.read(entry, 0, bytes);
    weights.set(entry.name, { shape: entry.shape, data: widened('bfloat16', new Uint16Array(bytes.buffer)) });
  }
  const graph = llamaOnnx(sizes, (name) => weights.get(name)!);
  return LlamaSession.open(graph, sizes, sizes.rope_theta, 1);
}
