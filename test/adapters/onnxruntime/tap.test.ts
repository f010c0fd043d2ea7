import { describe, expect, it } from 'vitest';
import { createOnnxAdapter } from '#src/adapters/onnxruntime/index.js';
import { createObserver } from '#src/ranges/index.js';
import { withRuntime } from '../../support/runtime.js';
import { floats, model, node, onnx, ort, RECOGNITION, VOICE, value, waves } from './models.js';

const { BOOL, INT64 } = onnx.TensorProto.DataType;

/** Three windows of sound for the voice detector at 16 kHz. */
function* windows(): Generator<Record<string, InstanceType<typeof ort.Tensor>>> {
  for (let index = 1; index <= 3; index++) {
    yield {
      input: new ort.Tensor('float32', waves(512, index), [1, 512]),
      state: new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]),
      sr: new ort.Tensor('int64', BigInt64Array.of(16000n), []),
    };
  }
}

describe('a tapped model', () => {
  it('streams the inputs of a product of a real model to a preset and to an observer', {
    timeout: 60_000,
  }, async () => {
    await withRuntime({ memory: '64MiB' }, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      const [first] = onnx.ModelProto.decode((await import('node:fs')).readFileSync(RECOGNITION)).graph!.node!.filter(
        ({ opType }) => opType === 'MatMul',
      );
      const name = first!.input![0]!;
      await using tap = await adapter.tap(RECOGNITION, [name], { logSeverityLevel: 4 });
      const inputs = [1, 2].map((seed) => ({
        x: new ort.Tensor('float32', waves(3 * 48 * 320, seed), [1, 3, 48, 320]),
      }));
      const scales: number[] = [];
      for await (const quantized of runtime.stream(tap.batches(name, inputs), 'onnx-dynamic')) {
        expect(quantized.shape.at(-1)).toBe(120);
        scales.push(quantized.scale![0] as number);
        quantized.release();
      }
      const observer = createObserver('minmax');
      const extents: number[] = [];
      for await (const { name: given, run, tensor } of tap.activations(inputs)) {
        expect([given, run]).toEqual([name, extents.length]);
        const values = tensor.data as Float32Array;
        extents.push(Math.max(0, ...values) - Math.min(0, ...values));
        observer.observe(new Float32Array(values));
        tensor.release();
      }
      expect(scales).toEqual(extents.map((extent) => Math.fround(Math.fround(extent) / 255)));
      const { min, max } = observer.range();
      expect(Math.max(...extents)).toBeLessThanOrEqual(max[0]! - min[0]!);
    });
  });

  it('reaches into the branch that runs, and leaves the other out', { timeout: 60_000 }, async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      const branches = onnx.ModelProto.decode((await import('node:fs')).readFileSync(VOICE)).graph!.node!.find(
        ({ opType }) => opType === 'If',
      )!;
      const relus = branches.attribute!.map(({ g }) => g!.node!.find(({ opType }) => opType === 'Relu')!.output![0]!);
      expect(new Set(relus).size).toBe(2);
      await using tap = await adapter.tap(VOICE, relus, { logSeverityLevel: 4 });
      const seen: string[] = [];
      for await (const { name, run, tensor } of tap.activations(windows())) {
        expect(Math.min(...(tensor.data as Float32Array))).toBe(0);
        expect(Math.max(...(tensor.data as Float32Array))).toBeGreaterThan(0);
        seen.push(`${run} ${name}`);
        tensor.release();
      }
      // At 16 kHz one of the two runs.
      expect(seen).toHaveLength(3);
      expect(new Set(seen.map((each) => each.slice(2))).size).toBe(1);
    });
  });

  it('gives an input of a branch that its branch gives already', async () => {
    const branch = (name: string, factor: number) => ({
      name,
      node: [
        node('Constant', [], [`${name}_f`], { value: floats('', [], [factor]) }),
        node('Mul', ['x', `${name}_f`], [name]),
      ],
      output: [value(name)],
    });
    const bytes = model({
      node: [node('If', ['c'], ['y'], { then_branch: branch('yes', 2), else_branch: branch('no', 3) })],
      input: [value('x'), value('c', BOOL)],
      output: [value('y')],
    });
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      await using tap = await adapter.tap(bytes, ['yes', 'y', 'no']);
      expect(tap.names).toEqual(['yes', 'y', 'no']);
      const x = new ort.Tensor('float32', Float32Array.of(1), [1]);
      const seen: unknown[] = [];
      const inputs = [true, false].map((c) => ({ x, c: new ort.Tensor('bool', [c], [1]) }));
      for await (const { name, tensor } of tap.activations(inputs)) {
        seen.push([name, tensor.data[0]]);
        tensor.release();
      }
      expect(seen).toEqual([
        ['yes', 2],
        ['y', 2],
        ['y', 3],
        ['no', 3],
      ]);
    });
  });

  it('refuses an unknown name, and one within a loop', async () => {
    const body = {
      name: 'body',
      node: [node('Identity', ['go'], ['on']), node('Add', ['v', 'v'], ['w'])],
      input: [value('i', INT64), value('go', BOOL), value('v')],
      output: [value('on', BOOL), value('w')],
    };
    const bytes = model({
      node: [node('Loop', ['n', '', 'x'], ['y'], { body })],
      input: [value('n', INT64), value('x')],
      output: [value('y')],
    });
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      await expect(adapter.tap(bytes, ['nothing'])).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_ARGUMENT',
        message: "Expected the name of a value that a node of the model gives, got 'nothing'",
      });
      await expect(adapter.tap(bytes, ['w'])).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_ARGUMENT',
        message: "Expected a value outside of loops, got 'w', within a Loop",
      });
      await using tap = await adapter.tap(bytes, ['y']);
      await expect(tap.batches('w', []).next()).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    });
  });

  it('gives back what was not taken', async () => {
    const bytes = model({
      node: [node('Add', ['x', 'x'], ['a']), node('Add', ['a', 'x'], ['y'])],
      input: [value('x')],
      output: [value('y')],
    });
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      await using tap = await adapter.tap(bytes, ['a', 'y']);
      for await (const { tensor } of tap.activations([{ x: new ort.Tensor('float32', waves(4), [4]) }])) {
        tensor.release();
        break;
      }
    });
  });
});
