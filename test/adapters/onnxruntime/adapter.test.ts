import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxAdapter } from '#src/adapters/onnxruntime/index.js';
import { withRuntime } from '../../support/runtime.js';
import { model, node, onnx, open, ort, value, waves } from './models.js';

const { FLOAT16, INT8, INT32, UINT8 } = onnx.TensorProto.DataType;

/** `y = (a − za) · b`, int32. */
const INTEGERS = model({
  node: [node('MatMulInteger', ['a', 'b', 'za'], ['y'])],
  input: [value('a', UINT8), value('b', INT8), value('za', UINT8)],
  output: [value('y', INT32)],
});

/** `half` in float16, `double` twice, `rows` the number of rows of `x`. */
const KINDS = model({
  node: [
    node('Cast', ['x'], ['half'], { to: FLOAT16 }),
    node('Add', ['x', 'x'], ['double']),
    node('Shape', ['x'], ['rows']),
  ],
  input: [value('x')],
  output: [value('half', FLOAT16), value('double'), value('rows', onnx.TensorProto.DataType.INT64)],
});

describe('createOnnxAdapter', () => {
  let integers: Awaited<ReturnType<typeof open>>;
  let kinds: typeof integers;
  beforeAll(async () => {
    [integers, kinds] = [await open(INTEGERS), await open(KINDS)];
  });
  afterAll(async () => {
    await integers.release();
    await kinds.release();
  });

  it('hands codes to a session, which multiplies with them, and copies only where memory cannot be shared', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      expect(adapter.sharesMemory).toBe(Number.parseInt(process.versions.node, 10) >= 22);
      const sizes = fc.record({ rows: fc.integer({ min: 1, max: 9 }), inner: fc.integer({ min: 1, max: 70 }) });
      await fc.assert(
        fc.asyncProperty(sizes, fc.integer({ min: 1, max: 99 }), async ({ rows, inner }, seed) => {
          const lease = runtime.lease('float32', [rows, inner]);
          lease.data.set(waves(rows * inner, seed));
          using quantized = await runtime.quantize(lease, 'onnx-dynamic');
          const before = runtime.metrics().copiedBytes;
          const { codes, scale, zeroPoint } = adapter.tensors(quantized);
          expect(runtime.metrics().copiedBytes - before).toBe(adapter.sharesMemory ? 0 : quantized.byteLength);
          expect([codes.dims, scale!.dims, zeroPoint!.dims]).toEqual([[rows, inner], [], []]);
          const weights = Int8Array.from({ length: inner }, (_, index) => ((index * 37 + seed) % 255) - 127);
          const b = new ort.Tensor('int8', weights, [inner, 1]);
          const { y } = await integers.run({ a: codes, b, za: zeroPoint! });
          const zero = quantized.zeroPoint![0]!;
          const expected = Array.from({ length: rows }, (_, row) =>
            weights.reduce((sum, weight, k) => sum + (quantized.data[row * inner + k]! - zero) * weight, 0),
          );
          expect([...(y!.data as Int32Array)]).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    });
  });

  it('gives every kind of parameters its type', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      const types = async (name: string) => {
        const plain = { dtype: 'float32', shape: [2, 64], data: waves(128) } as const;
        using quantized = await runtime.quantize(plain, name);
        const { codes, scale, zeroPoint } = adapter.tensors(quantized);
        return [codes.type, codes.dims.join(), scale?.type, scale?.dims.join(), zeroPoint?.type];
      };
      expect(await types('vllm-int8-per-token')).toEqual(['int8', '2,64', 'float32', '2,1', undefined]);
      expect(await types('torchao-int8-affine')).toEqual(['int8', '2,64', 'float32', '2,1', 'int8']);
      expect(await types('ggml-q8_0')).toEqual(['uint8', '2,68', undefined, undefined, undefined]);
      expect((await types('mx-fp8-e4m3')).slice(0, 3)).toEqual(['uint8', '2,64', 'uint8']);
    });
  });

  it('has a session write its results into leases', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      using x = runtime.lease('float32', [2, 3]);
      using double = runtime.lease('float32', [2, 3]);
      using half = runtime.lease('float16', [2, 3]);
      x.data.set([1, 2, 3, 4, 5, 0.1]);
      const before = runtime.metrics().copiedBytes;
      await adapter.run(kinds, { x }, { double, half });
      expect([...double.data]).toEqual([2, 4, 6, 8, 10, 0.2].map(Math.fround));
      expect([...half.data]).toEqual([0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x2e66]);
      const bytes = x.byteLength + double.byteLength + half.byteLength;
      expect(runtime.metrics().copiedBytes - before).toBe(adapter.sharesMemory ? 0 : bytes);
    });
  });

  it('keeps the leases of a run from being released meanwhile, and gives them back', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      using x = runtime.lease('float32', [2, 3]);
      using double = runtime.lease('float32', [2, 3]);
      x.data.fill(1);
      const running = adapter.run(kinds, { x }, { double });
      expect(() => x.release()).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_DOUBLE_RELEASE' }));
      expect(() => double.data).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_LEASE_RELEASED' }));
      await running;
      expect([...double.data]).toEqual(Array(6).fill(2));
    });
  });

  it('refuses results of another shape or type, and gives the leases back', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      using x = runtime.lease('float32', [2, 3]);
      using wrong = runtime.lease('float32', [3, 3]);
      x.data.fill(1);
      await expect(adapter.run(kinds, { x }, { double: wrong })).rejects.toThrow();
      if (!adapter.sharesMemory) {
        await expect(adapter.run(kinds, { x }, { double: wrong })).rejects.toMatchObject({
          code: 'ERR_QUANTLANE_SHAPE',
          message: "Expected 'double' of shape [3,3], got [2,3]",
        });
        await expect(adapter.run(kinds, { x }, { half: wrong })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_DTYPE' });
      }
      using brain = runtime.lease('bfloat16', [2, 3]);
      await expect(adapter.run(kinds, { x: brain }, {})).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_DTYPE',
        message: "Expected a lease of float32 or float16 for ONNX Runtime, got 'bfloat16' (string)",
      });
      wrong.release();
      await expect(adapter.run(kinds, { x }, { double: wrong })).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_LEASE_RELEASED',
      });
      expect(x.released).toBe(false);
    });
  });

  it('collects results of any shape, and nothing where one is of a type that no lease has', async () => {
    await withRuntime({}, async (runtime) => {
      const adapter = await createOnnxAdapter(runtime);
      const x = new ort.Tensor('float32', waves(12), [4, 3]);
      const leases = await adapter.collect(kinds, { x }, ['double', 'half']);
      expect([...leases.keys()]).toEqual(['double', 'half']);
      expect(leases.get('double')!.shape).toEqual([4, 3]);
      expect([...leases.get('double')!.data]).toEqual([...waves(12).map((each) => each * 2)]);
      for (const lease of leases.values()) lease.release();
      await expect(adapter.collect(kinds, { x })).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_DTYPE',
        message: "Expected 'rows' of float32 or float16, got int64",
      });
    });
  });
});
