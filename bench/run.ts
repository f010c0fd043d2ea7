/**
 * `npm run bench [-- dynamic | linear | places | recall | kvcache | generation | tokens] [--json FILE]
 * [--write]`: measures, prints tables, and writes the same as JSON; `--write` puts the table of recall into docs/quality.md, and those of generation and tokens into
 * docs/generation.md.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createRuntime } from '../src/index.js';
import { writeBetween } from './document.js';
import { type DynamicRow, dynamic } from './dynamic.js';
import { type GenerationRow, generation, generationTable } from './generation.js';
import { type KeyValueRow, kvcache, kvcacheTable } from './kvcache.js';
import { cacheQuality, OUTLIERS, type QualityRow, qualityLines } from './kvcache-quality.js';
import { type LinearRow, linear } from './linear.js';
import { type PlaceRow, places } from './places.js';
import { loadEmbeddings, RECALL_PRESETS, type RecallRow, recall, recallTable } from './recall.js';
import { type TokenRow, tokens, tokensTable } from './tokens.js';

const QUESTIONS = ['dynamic', 'linear', 'places', 'recall', 'kvcache', 'generation', 'tokens'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, write: { type: 'boolean' } },
});
const wanted = positionals.length === 0 ? QUESTIONS : positionals;
const unknown = wanted.filter((name) => !QUESTIONS.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`Expected ${QUESTIONS.join(' or ')}, got ${unknown.join(', ')}\n`);
  process.exit(2);
}

const report = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
process.stdout.write(`${machine}\n`);
const answer: {
  machine: string;
  dynamic?: DynamicRow[];
  linear?: LinearRow[];
  places?: PlaceRow[];
  recall?: RecallRow[];
  kvcache?: { speed: KeyValueRow[]; quality: QualityRow[][] };
  generation?: GenerationRow[];
  tokens?: TokenRow[];
} = { machine };

if (wanted.includes('dynamic')) {
  answer.dynamic = await dynamic(report);
  report('');
  process.stdout.write('\nRange and uint8 codes of one tensor (DynamicQuantizeLinear), medians\n');
  process.stdout.write(
    `${'elements'.padStart(10)}  ${'contender'.padEnd(24)} 10⁹ elements/s  against ONNX Runtime, 1 thread\n`,
  );
  for (const { elements, name, rate, ratio } of answer.dynamic) {
    const columns = [elements.toLocaleString('en').padStart(10), ` ${name.padEnd(24)}`, rate.toFixed(2).padStart(14)];
    process.stdout.write(`${columns.join(' ')}  ${ratio.toFixed(2).padStart(6)} x\n`);
  }
}

if (wanted.includes('linear')) {
  answer.linear = await linear(report);
  report('');
  process.stdout.write('\nRows times int8 weights (DynamicQuantizeLinear, MatMulInteger), medians\n');
  process.stdout.write(
    `${'rows x inputs x outputs'.padEnd(24)} ${'contender'.padEnd(30)} 10⁹ products/s  against it\n`,
  );
  for (const { shape, name, rate, ratio } of answer.linear) {
    const columns = [shape.join(' x ').padEnd(24), name.padEnd(30), rate.toFixed(1).padStart(14)];
    process.stdout.write(`${columns.join(' ')}  ${ratio.toFixed(2).padStart(6)} x\n`);
  }
}

if (wanted.includes('places')) {
  answer.places = await places(report);
  report('');
  process.stdout.write('\nRows of 1,024 values, per token, µs a call, medians\n');
  process.stdout.write(`${'elements'.padStart(10)} ${'in place'.padStart(10)} ${'one lane'.padStart(10)}\n`);
  for (const { elements, inPlace, lane } of answer.places) {
    const columns = [elements.toLocaleString('en'), inPlace.toFixed(1), lane.toFixed(1)];
    process.stdout.write(`${columns.map((text) => text.padStart(10)).join(' ')}\n`);
  }
}

if (wanted.includes('recall')) {
  const runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
  answer.recall = await recall(runtime, await loadEmbeddings(), RECALL_PRESETS, report);
  await runtime.close();
  report('');
  const table = recallTable(answer.recall);
  process.stdout.write(`\nRecall of the ten nearest of 778 sentence embeddings\n${table}\n`);
  // From dist/bench.
  if (values.write) await writeBetween(new URL('../../docs/quality.md', import.meta.url), 'recall', table);
}

if (wanted.includes('kvcache')) {
  const runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
  const quality = await Promise.all(OUTLIERS.map((channels) => cacheQuality(runtime, channels)));
  await runtime.close();
  process.stdout.write(
    `\nSignal to noise of the worst layer in dB, keys also with large channels\n${qualityLines(quality)}\n`,
  );
  const speed = await kvcache(report);
  report('');
  process.stdout.write(`\nAttention of one query over 4,096 tokens, one layer, medians\n${kvcacheTable(speed)}\n`);
  answer.kvcache = { speed, quality };
}

if (wanted.includes('generation')) {
  answer.generation = await generation(report);
  report('');
  const table = generationTable(answer.generation);
  process.stdout.write(
    `\nPerplexity of the bundled model, and how often its likeliest token is that of float32\n${table}\n`,
  );
  if (values.write) await writeBetween(new URL('../../docs/generation.md', import.meta.url), 'generation', table);
}

if (wanted.includes('tokens')) {
  answer.tokens = await tokens(report);
  report('');
  const table = tokensTable(answer.tokens);
  process.stdout.write(`\nTokens a second of processor time of the bundled model, medians\n${table}\n`);
  if (values.write) await writeBetween(new URL('../../docs/generation.md', import.meta.url), 'tokens', table);
}

if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(answer, null, 2)}\n`);
