/**
 * Text of the bundled model, whose activations, weights, keys and values are quantized while it writes.
 *
 *     npm start
 * @module
 */
import { fileURLToPath } from 'node:url';
import { onLanes, TextGenerator } from '../../src/generate/index.js';
import { createRuntime } from '../../src/index.js';
import { wrap } from '../table.js';
import { Gauge } from './gauge.js';
import { LiveText } from './live-text.js';

/** From dist/examples/generate. */
const MODEL = fileURLToPath(new URL('../../../examples/model', import.meta.url));
const PROMPT = 'Fellow-Citizens of the Senate and House of Representatives:';
const SCHEME = 'vllm-int8-per-token';
const CACHE = 'int8';

const INTRODUCTION =
  `Text of a small language model (4.2 million parameters, examples/model), with activations quantized as ${SCHEME}, ` +
  `weights as int8, keys and values as ${CACHE}. A model of this size has the tone of its subject and little sense.`;

const gauge = new Gauge();
await using runtime = await createRuntime();
const arithmetic = onLanes(runtime, {
  scheme: SCHEME,
  cache: CACHE,
  onError: (statistics) => gauge.addError(statistics),
});
using generator = await TextGenerator.open(MODEL, arithmetic);
await using session = generator.session(PROMPT);

console.log(`${wrap(INTRODUCTION).join('\n')}\n`);
const text = new LiveText(process.stdout);
text.add(PROMPT);
await session.generate({ maxTokens: 160, temperature: 0.7, seed: 4 }).forEach((token) => {
  gauge.addToken();
  text.add(token.text);
  text.say(gauge.line(session.byteLength));
});
text.end(gauge.line(session.byteLength));
