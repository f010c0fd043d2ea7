/** Files larger than the arena: bounded memory, and the bytes of the whole. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { npyHeader, openNpy } from '#src/formats/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { bytesOf, normal, readSafetensors, spawned, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const MIB = 2 ** 20;
const shape = [4096, 4096];

/** Tells the highest resident size of the process at its end, in KiB; workers that load it too say nothing. */
const hook = join(folder, 'rss.mjs');
const isMain = "import { isMainThread } from 'node:worker_threads';";
const tell = "process.on('exit', () => console.error('RSS ' + process.resourceUsage().maxRSS))";
const hookFile = await open(hook, 'w');
await hookFile.writeFile(`${isMain}\nif (isMainThread) ${tell};\n`);
await hookFile.close();

/** 64 MiB of values, of which no two parts are alike. */
const path = join(folder, 'large.npy');
const file = await open(path, 'w');
await file.write(npyHeader('float32', shape));
const part = normal(2 ** 20);
for (let index = 0; index < 16; index++) await file.write(bytesOf(part.map((value) => value * (index + 1))));
await file.close();

it.each([
  ['torchao-int8', '1'],
  ['onnx-dynamic', '1'],
  ['onnx-dynamic', '0'],
  ['ggml-q8_0', '2'],
])('%s on %s lanes, in an arena of a quarter', async (name, lanes) => {
  const out = join(folder, `${name}-${lanes}.safetensors`);
  const words = ['quantize', path, '--preset', name, '--out', out, '--memory', '16MiB', '--lanes', lanes, '--json'];
  const { code, out: printed, err } = await spawned(words, { node: ['--import', pathToFileURL(hook).href] });
  expect(code, err).toBe(0);
  expect(Number(/RSS (\d+)/.exec(err)![1]) / 1024).toBeLessThan(16 + 150);
  const { tensors } = await readSafetensors(out);
  const codes = tensors['large']!;
  expect(JSON.parse(printed).tensors[0]).toMatchObject({ elements: 4096 * 4096, bytesIn: 64 * MIB });

  // The library on the whole, in one piece.
  await withRuntime({ lanes: 1, memory: '160MiB' }, async (runtime) => {
    const whole = await openNpy(path);
    const lease = runtime.lease('float32', shape);
    await whole.read(whole.tensors[0]!, 0, bytesOf(lease.data));
    await whole.close();
    using expected = await runtime.quantize(lease, name);
    expect(Buffer.compare(codes.bytes, bytesOf(expected.data))).toBe(0);
    if (expected.scale !== null) expect(difference(tensors['large.scale']!.bytes, expected.scale)).toBe('');
    if (expected.zeroPoint !== null)
      expect(difference(tensors['large.zero_point']!.bytes, expected.zeroPoint)).toBe('');
  });

  const back = join(folder, 'back.npy');
  const restored = await spawned(['dequantize', out, '--out', back, '--memory', '16MiB', '--lanes', lanes], {
    node: ['--import', pathToFileURL(hook).href],
  });
  expect(restored.code, restored.err).toBe(0);
  expect(Number(/RSS (\d+)/.exec(restored.err)![1]) / 1024).toBeLessThan(16 + 150);
});

it('is inspected in parts', async () => {
  const { code, out, err } = await spawned(['inspect', path, '--json'], {
    node: ['--import', pathToFileURL(hook).href],
  });
  expect(code, err).toBe(0);
  expect(Number(/RSS (\d+)/.exec(err)![1]) / 1024).toBeLessThan(150);
  const [tensor] = JSON.parse(out).tensors;
  expect(tensor).toMatchObject({ name: 'large', dtype: 'float32', shape, nan: 0, infinite: 0 });
  expect(tensor.histogram.counts.reduce((a: number, b: number) => a + b, 0)).toBe(4096 * 4096);
});

it.each([
  [
    'calibrated',
    ['calibrate', path, '--preset', 'onnx-dynamic', '--method', 'entropy', '--out', join(folder, 'c.json')],
    0,
  ],
  ['compared', ['compare', path, path, '--memory', '16MiB'], 16],
  ['judged', ['inspect', path, '--preset', 'onnx-dynamic', '--memory', '16MiB'], 16],
] as const)('is %s in parts', async (_name, words, arena) => {
  const { code, out, err } = await spawned([...words, '--json'], { node: ['--import', pathToFileURL(hook).href] });
  expect(code, err).toBe(0);
  expect(Number(/RSS (\d+)/.exec(err)![1]) / 1024).toBeLessThan(arena + 150);
  expect(JSON.parse(out).tensors[0]).toMatchObject({ name: 'large', elements: 4096 * 4096 });
});
