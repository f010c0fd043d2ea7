/**
 * How fast the bundled model makes text: quantized, in float32 in this project, and in ONNX Runtime in
 * float32 and dynamically quantized.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { lastValueFrom } from 'rxjs';
import { quantizeDynamic } from '../../src/adapters/onnxruntime/index.js';
import { openSafetensors } from '../../src/formats/index.js';
import { onLanes, TextGenerator } from '../../src/generate/index.js';
import { createRuntime, type StreamingRuntime } from '../../src/index.js';
import { widened } from '../../src/memory/index.js';
import { type Bar, barTable, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { type LlamaSizes, llamaOnnx } from '../llama-onnx.js';
import { LlamaSession } from '../llama-session.js';
import { type Contender, later, measure } from '../rounds.js';
import { median } from '../statistics.js';
import { MODEL } from './generation.js';

/** Tokens that each text gets. */
const TOKENS = 8;
const TEXTS = [1, 16];
const OWN = 'int8 activations, weights and cache';
const RIVAL = 'ONNX Runtime, dynamically quantized';

/** Finds the answer, on one thread: no lanes, and one thread of ONNX Runtime. */
export async function tokens({ effort, report }: Context): Promise<Answer> {
  const { cases } = JSON.parse(await readFile(`${MODEL}/golden.json`, 'utf8')) as {
    cases: readonly { readonly prompt_ids: readonly number[] }[];
  };
  const prompt = cases[0]!.prompt_ids;
  await using runtime = await createRuntime({ lanes: 0, memory: '128MiB' });
  using floats = await TextGenerator.open(MODEL, onLanes(runtime, { scheme: 'none', cache: 'none' }));
  using codes = await TextGenerator.open(MODEL, onLanes(runtime));
  const { float, integer } = await openRivals(runtime);
  const bars: Bar[] = [];
  const rows: string[][] = [];
  for (const texts of TEXTS) {
    report(`${texts} texts`);
    const made = (name: string, generator: TextGenerator): Contender =>
      later(name, async () => {
        const all = Array.from({ length: texts }, () => generator.generate(prompt, { maxTokens: TOKENS }));
        await Promise.all(all.map((each) => lastValueFrom(each)));
      });
    // One text after the other: the graph takes one.
    const graph = (name: string, session: LlamaSession): Contender =>
      later(name, async () => {
        for (let text = 0; text < texts; text++) await session.greedy(prompt, TOKENS);
      });
    const times = await measure(
      [made(OWN, codes), made('float32', floats), graph('ONNX Runtime, float32', float), graph(RIVAL, integer)],
      effort,
    );
    const work = `${texts === 1 ? 'one text' : `${texts} texts`} of ${TOKENS} tokens: ${OWN}`;
    for (const name of ['float32', 'ONNX Runtime, float32', RIVAL])
      bars.push(faster(times, work, OWN, name, undefined));
    for (const [name, each] of times)
      rows.push([name, String(texts), ((texts * TOKENS * 1e9) / median(each)).toFixed(0)]);
  }
  await float.release();
  await integer.release();
  const rates = table(['Arithmetic', 'Texts', 'Tokens a second'], rows);
  const text = `${barTable(bars)}\n\n${rates}`;
  return { bars, text: rates, section: { document: 'generation', marker: 'tokens', text } };
}

/** The same model as a graph in ONNX Runtime, with weights of float32, and with dynamically quantized products. */
async function openRivals(runtime: StreamingRuntime): Promise<{ float: LlamaSession; integer: LlamaSession }> {
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
  const { model } = await quantizeDynamic(runtime, graph);
  return {
    float: await LlamaSession.open(graph, sizes, sizes.rope_theta, 1),
    integer: await LlamaSession.open(model, sizes, sizes.rope_theta, 1),
  };
}
