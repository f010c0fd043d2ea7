/**
 * Code of docs/guides/kvcache.md: a session of a transformer, parked as bytes and resumed.
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// #region cache
import { createRuntime } from 'quantlane';
import { createKeyValueCache, keyValuePreset, resumeKeyValueCache } from 'quantlane/kvcache';

const runtime = await createRuntime({ memory: '64MiB', lanes: 0 });
const model = { layers: 4, heads: 8, headDim: 64 };
const cache = createKeyValueCache(runtime, { ...model, ...keyValuePreset('rotated-int4'), sinks: 4, residual: 32 });
// #endregion

const width = model.heads * model.headDim;
let state = 1;

// #region fill
// A prompt of 512 tokens: keys and values are [tokens, heads, headDim], layer by layer.
for (let layer = 0; layer < model.layers; layer++) cache.append(layer, values(512 * width), values(512 * width));
const { quantized, float } = cache.tokenBytes;
console.log(`${cache.length} tokens, ${quantized} bytes a token instead of ${float}`);
console.log(`in memory: ${(cache.bytes / 1024).toFixed(0)} KiB, as float32: ${(512 * float) / 1024} KiB`);
// #endregion

const query = values(width);
const folder = await mkdtemp(join(tmpdir(), 'quantlane-'));
const file = join(folder, 'session.kv');

// #region park
const expected = cache.attend(0, query);
await writeFile(file, cache.serialize());
cache.release(); // the memory is free for other sessions
console.log(`while it is parked, ${runtime.metrics().arena.inUse} bytes are in use`);
// #endregion

// #region resume
const resumed = resumeKeyValueCache(runtime, await readFile(file));
const out = resumed.attend(0, query);
console.log(
  `resumed with ${resumed.length} tokens, attention has the same bits: ${out.every((x, at) => x === expected[at])}`,
);
// #endregion

// #region fork
const fork = resumed.fork(); // another answer to the same prompt
for (let layer = 0; layer < model.layers; layer++) fork.append(layer, values(width), values(width));
console.log(`fork ${fork.length} tokens, original ${resumed.length}`);
// #endregion

// #region damage
const damaged = await readFile(file);
damaged[damaged.length >> 1]! ^= 1;
try {
  resumeKeyValueCache(runtime, damaged);
} catch (error) {
  console.log((error as { code: string }).code);
}
fork.release();
resumed.release();
await runtime.close();
// #endregion
await rm(folder, { recursive: true });

/** Numbers between -1 and 1 that are the same on every machine. */
function values(length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
