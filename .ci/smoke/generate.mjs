/**
 * Has the installed library write with quantized activations, weights, keys and values: the same tokens on every Node, on
 * any number of lanes, alone and among others. The first argument is the folder of the model.
 */
import assert from 'node:assert/strict';
import { createRuntime } from 'quantlane';
import { onLanes, TextGenerator } from 'quantlane/generate';
import { lastValueFrom, toArray } from 'rxjs';

/** What Node 20 wrote. */
const KNOWN = {
  'torchao-int8, int8': [
    268, 1050, 572, 1508, 59, 351, 532, 465, 401, 404, 622, 281, 260, 1653, 315, 260, 1141, 268, 260, 1653, 47, 351,
    532, 465,
  ],
  'vllm-fp8-per-token, rotated-int4': [
    268, 1050, 572, 1508, 59, 351, 532, 465, 401, 404, 622, 281, 260, 1653, 315, 260, 1141, 268, 260, 1653, 47, 351,
    532, 465,
  ],
};
const PROMPT = [0, 71, 1016, 340, 46, 68, 721, 506, 268, 260, 1653, 284, 2012];

async function idsOf(generator) {
  const tokens = await lastValueFrom(generator.generate(PROMPT, { maxTokens: 24 }).pipe(toArray()));
  return tokens.map(({ id }) => id);
}

for (const lanes of [0, 2]) {
  const runtime = await createRuntime({ lanes, memory: '128MiB' });
  for (const [name, options] of [
    ['torchao-int8, int8', { scheme: 'torchao-int8', cache: 'int8' }],
    ['vllm-fp8-per-token, rotated-int4', { scheme: 'vllm-fp8-per-token', cache: 'rotated-int4' }],
  ]) {
    const generator = await TextGenerator.open(process.argv[2], onLanes(runtime, options));
    const texts = await Promise.all(Array.from({ length: 5 }, () => idsOf(generator)));
    for (const ids of [...texts, await idsOf(generator)]) {
      assert.deepEqual(ids, KNOWN[name], `${name}, ${lanes} lanes: ${JSON.stringify(ids)}`);
    }
    generator[Symbol.dispose]();
  }
  assert.equal(runtime.metrics().arena.inUse, 0);
  await runtime.close();
}
console.log(`generation: ${Object.keys(KNOWN).join('; ')}; 0 and 2 lanes, alone and among others`);
