/** What another reader of GGUF sees in the files that are written here. */
import { join } from 'node:path';
import { GGMLQuantizationType, GGUFValueType, gguf } from '@huggingface/gguf';
import { expect, test } from 'vitest';
import { createGguf, GGML_TYPES, type GgufDeclaration, ggufHeader } from '#src/formats/index.js';
import { pattern, temporaryFolder } from './files.js';

const folder = await temporaryFolder();

/** Every type in one, two and three dimensions. */
const TENSORS: readonly GgufDeclaration[] = [...GGML_TYPES.values()].flatMap(({ name, elements }) => [
  { name: `blk.0.${name}.weight`, type: name, shape: [2, 3, elements * 2] },
  { name: `blk.1.${name}.weight`, type: name, shape: [3, elements] },
  { name: `blk.2.${name}.вес`, type: name, shape: [elements * 3] },
]);

test('a written file says the same to @huggingface/gguf', async () => {
  const path = join(folder, 'oracle.gguf');
  const writer = await createGguf(path, TENSORS, {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.alignment': { type: 'uint32', value: 64 },
    'llama.rope.freq_base': { type: 'float32', value: 10_000 },
    'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: ['<s>', 'é', ''] },
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: false },
    'quantlane.count': { type: 'uint64', value: 2n ** 63n },
    'quantlane.least': { type: 'int8', value: -128 },
  });
  const { entries } = ggufHeader(TENSORS, { 'general.alignment': { type: 'uint32', value: 64 } });
  for (const [index, { name, byteLength }] of entries.entries())
    await writer.write(name, 0, pattern(byteLength, index));
  await writer.close();

  const seen = await gguf(path, { allowLocalFile: true, typedMetadata: true });
  expect(seen.metadata).toMatchObject({
    version: 3,
    tensor_count: BigInt(TENSORS.length),
    kv_count: 7n,
    'general.architecture': 'llama',
    'llama.rope.freq_base': 10_000,
    'tokenizer.ggml.tokens': ['<s>', 'é', ''],
    'tokenizer.ggml.add_bos_token': false,
    'quantlane.count': 2n ** 63n,
    'quantlane.least': -128,
  });
  const typed = seen.typedMetadata as unknown as Record<string, { type: GGUFValueType; subType?: GGUFValueType }>;
  expect(typed['quantlane.count']?.type).toBe(GGUFValueType.UINT64);
  expect(typed['quantlane.least']?.type).toBe(GGUFValueType.INT8);
  expect(typed['tokenizer.ggml.tokens']).toMatchObject({ type: GGUFValueType.ARRAY, subType: GGUFValueType.STRING });

  expect(Number(seen.tensorDataOffset) % 64).toBe(0);
  const relative = entries.map((entry) => entry.offset - entries[0].offset);
  expect(
    seen.tensorInfos.map(({ name, dtype, shape, offset }) => ({
      name,
      type: GGMLQuantizationType[dtype],
      shape: shape.map(Number).reverse(),
      offset: Number(offset),
    })),
  ).toEqual(TENSORS.map(({ name, type, shape }, index) => ({ name, type, shape, offset: relative[index] })));
});
