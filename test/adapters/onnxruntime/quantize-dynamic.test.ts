import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { quantizeDynamic } from '#src/adapters/onnxruntime/index.js';
import { withRuntime } from '../../support/runtime.js';
import { DIRECTION, floats, model, node, onnx, open, ort, RECOGNITION, VOICE, value, waves } from './models.js';

/** Weights `[3, 2]` whose columns differ in size by far. */
const WEIGHTS = floats('w', [3, 2], [0.5, 100, -1, 25, 0.25, -50]);

/** The model of one product, `y = x · w`. */
const PRODUCT = {
  node: [node('MatMul', ['x', 'w'], ['y'])],
  initializer: [WEIGHTS],
  input: [value('x')],
  output: [value('y')],
};

async function answer(bytes: string | Uint8Array, x: Float32Array, dims: number[]): Promise<Float32Array[]> {
  const session = await open(bytes);
  try {
    const outputs = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', x, dims) });
    return session.outputNames.map((name) => outputs[name]!.data as Float32Array);
  } finally {
    await session.release();
  }
}

/** The largest difference of two lists of the same length. */
function distance(one: Float32Array, other: Float32Array): number {
  expect(one.length).toBe(other.length);
  return one.reduce((most, each, index) => Math.max(most, Math.abs(each - other[index]!)), 0);
}

function operators(bytes: Uint8Array): string[] {
  return onnx.ModelProto.decode(bytes).graph!.node!.map(({ opType }) => opType!);
}

describe('quantizeDynamic', () => {
  it('makes a product one of int8 with the values of the equation', async () => {
    await withRuntime({}, async (runtime) => {
      const { model: bytes, quantized, kept } = await quantizeDynamic(runtime, model(PRODUCT));
      expect(quantized).toEqual(['node_y']);
      expect(kept.size).toBe(0);
      expect(operators(bytes)).toEqual(['DynamicQuantizeLinear', 'MatMulInteger', 'Cast', 'Mul', 'Mul']);
      const { initializer } = onnx.ModelProto.decode(bytes).graph!;
      const named = new Map(initializer!.map((tensor) => [tensor.name, new Uint8Array(tensor.rawData!)]));
      expect([...named.keys()]).toEqual(['w_quantized', 'w_quantized_scale', 'w_quantized_zero_point']);
      // amax / 127 of each column, and round-half-even of the quotients.
      expect(new Float32Array(named.get('w_quantized_scale')!.buffer)).toEqual(Float32Array.of(1 / 127, 100 / 127));
      expect([...new Int8Array(named.get('w_quantized')!.buffer)]).toEqual([64, 127, -127, 32, 32, -64]);

      // x is exact in steps of 1 / 255: what comes out is the product of the codes.
      const x = Float32Array.of(0, 1, 0.2);
      const scale = Math.fround(1 / 255);
      const codes = [0, 255, 51];
      const weights = [64, 127, -127, 32, 32, -64];
      const expected = [0, 1].map((column) => {
        const sum = codes.reduce((total, code, row) => total + code * weights[row * 2 + column]!, 0);
        return Math.fround(sum * Math.fround(scale * Math.fround([1, 100][column]! / 127)));
      });
      expect([...(await answer(bytes, x, [1, 3]))[0]!]).toEqual(expected);
    });
  });

  it('has one scale for all columns where that is asked for', async () => {
    await withRuntime({}, async (runtime) => {
      const { model: bytes } = await quantizeDynamic(runtime, model(PRODUCT), { perChannel: false });
      const { initializer } = onnx.ModelProto.decode(bytes).graph!;
      expect(initializer!.map(({ dims }) => dims!.length)).toEqual([2, 0, 0]);
      const x = waves(6);
      const [float, integer] = [await answer(model(PRODUCT), x, [2, 3]), await answer(bytes, x, [2, 3])];
      expect(distance(integer[0]!, float[0]!)).toBeLessThan(2);
    });
  });

  it('takes Gemm with transposed weights and a bias, and quantizes a shared input and shared weights once', async () => {
    const graph = {
      node: [
        node('Gemm', ['x', 'w', 'b'], ['h'], { transB: 1 }),
        node('Gemm', ['x', 'w'], ['k'], { transB: 1 }),
        node('Add', ['h', 'k'], ['s']),
        node('MatMul', ['s', 'w'], ['y']),
      ],
      initializer: [floats('w', [3, 3], waves(9)), floats('b', [3], [1, 2, 3])],
      input: [value('x')],
      output: [value('y')],
    };
    await withRuntime({}, async (runtime) => {
      const { model: bytes, quantized } = await quantizeDynamic(runtime, model(graph));
      expect(quantized).toEqual(['node_h', 'node_k', 'node_y']);
      const names = operators(bytes);
      expect(names.filter((name) => name === 'DynamicQuantizeLinear')).toHaveLength(2);
      // The weights as they are, and transposed: two sets, of three tensors, and the bias.
      const { initializer } = onnx.ModelProto.decode(bytes).graph!;
      expect(initializer!.map(({ name }) => name).sort()).toEqual([
        'b',
        'w_3_quantized',
        'w_3_quantized_scale',
        'w_3_quantized_zero_point',
        'w_quantized',
        'w_quantized_scale',
        'w_quantized_zero_point',
      ]);
      const x = waves(6, 2);
      const [float, integer] = [await answer(model(graph), x, [2, 3]), await answer(bytes, x, [2, 3])];
      expect(distance(integer[0]!, float[0]!)).toBeLessThan(0.05);
    });
  });

  it('keeps what it cannot quantize, and says why', async () => {
    const graph = {
      node: [
        node('MatMul', ['x', 'x'], ['a']),
        node('MatMul', ['a', 'w3'], ['b']),
        node('Gemm', ['x', 'w'], ['c'], { alpha: Float32Array.of(0.5) }),
        node('Gemm', ['x', 'w'], ['d'], { transA: 1 }),
        node('MatMul', ['x', 'w'], ['e']),
      ],
      initializer: [floats('w', [2, 2], [1, 2, 3, 4]), floats('w3', [1, 2, 2], [1, 2, 3, 4])],
      input: [value('x')],
      output: ['a', 'b', 'c', 'd', 'e'].map((name) => value(name)),
    };
    await withRuntime({}, async (runtime) => {
      const { quantized, kept } = await quantizeDynamic(runtime, model(graph), { exclude: ['node_e'] });
      expect(quantized).toEqual([]);
      expect([...kept]).toEqual([
        ['node_a', 'its second factor is not constant'],
        ['node_b', 'its weights have 3 dimensions'],
        ['node_c', 'its alpha is not 1'],
        ['node_d', 'its activations are transposed'],
        ['node_e', 'it is excluded'],
      ]);
    });
  });

  it('goes into branches, whose weights may have one name', async () => {
    const branch = (weight: number) => ({
      name: `branch${weight}`,
      node: [
        node('Constant', [], ['w'], { value: floats('', [2, 1], [weight, weight]) }),
        node('MatMul', ['x', 'w'], [`y${weight}`]),
      ],
      output: [value(`y${weight}`)],
    });
    const { BOOL } = onnx.TensorProto.DataType;
    const graph = {
      node: [node('If', ['c'], ['y'], { then_branch: branch(1), else_branch: branch(2) })],
      input: [value('x'), value('c', BOOL)],
      output: [value('y')],
    };
    await withRuntime({}, async (runtime) => {
      const { model: bytes, quantized } = await quantizeDynamic(runtime, model(graph));
      expect(quantized).toEqual(['node_y1', 'node_y2']);
      const session = await open(bytes);
      const run = async (c: boolean) => {
        const x = new ort.Tensor('float32', Float32Array.of(0, 255), [1, 2]);
        const { y } = await session.run({ x, c: new ort.Tensor('bool', [c], [1]) });
        return y!.data[0];
      };
      expect(await run(true)).toBeCloseTo(255, 3);
      expect(await run(false)).toBeCloseTo(510, 3);
      await session.release();
    });
  });

  it('quantizes a text recognition model, which reads the same', { timeout: 60_000 }, async () => {
    await withRuntime({ memory: '64MiB' }, async (runtime) => {
      const { model: bytes, quantized, kept } = await quantizeDynamic(runtime, RECOGNITION);
      expect(quantized).toHaveLength(9);
      expect([...kept.values()]).toEqual(Array(4).fill('its second factor is not constant'));
      // Nine matrices, the last of 120 × 6,625, in a quarter of their bytes.
      expect(bytes.length).toBeLessThan(readFileSync(RECOGNITION).length - 3_000_000);
      const dims = [1, 3, 48, 320];
      const x = waves(3 * 48 * 320);
      const [float, integer] = [await answer(RECOGNITION, x, dims), await answer(bytes, x, dims)];
      const best = (scores: Float32Array, step: number) => {
        const row = scores.subarray(step * 6625, (step + 1) * 6625);
        return row.indexOf(Math.max(...row));
      };
      for (let step = 0; step < 40; step++) expect(best(integer[0]!, step)).toBe(best(float[0]!, step));
      expect(distance(integer[0]!, float[0]!)).toBeLessThan(0.05);
    });
  });

  it('raises the opset of an older model, whose answers stay', { timeout: 60_000 }, async () => {
    await withRuntime({}, async (runtime) => {
      const { model: bytes, quantized } = await quantizeDynamic(runtime, DIRECTION);
      expect(quantized).toEqual(['p2o.MatMul.0']);
      expect(Number(onnx.ModelProto.decode(bytes).opsetImport[0]!.version)).toBe(11);
      const x = waves(3 * 48 * 192);
      const dims = [1, 3, 48, 192];
      const [float, integer] = [await answer(DIRECTION, x, dims), await answer(bytes, x, dims)];
      expect(distance(integer[0]!, float[0]!)).toBeLessThan(0.01);
      // Excluded, nothing is left to differ: the operators were raised as they are.
      const raised = await quantizeDynamic(runtime, DIRECTION, { exclude: ['p2o.MatMul.0'] });
      expect(await answer(raised.model, x, dims)).toEqual(float);
    });
  });

  it('leaves a model without products as it is', async () => {
    await withRuntime({}, async (runtime) => {
      const { quantized, kept, model: bytes } = await quantizeDynamic(runtime, VOICE);
      expect([quantized.length, kept.size]).toEqual([0, 0]);
      const session = await open(bytes);
      expect(session.inputNames).toEqual(['input', 'state', 'sr']);
      await session.release();
    });
  });

  it('refuses what is no model, and one that is too old', async () => {
    await withRuntime({}, async (runtime) => {
      const cases: [unknown, string, RegExp][] = [
        [new Uint8Array(0), 'ERR_QUANTLANE_FORMAT', /without nodes/],
        [Uint8Array.of(255, 255, 255, 255), 'ERR_QUANTLANE_FORMAT', /bytes that are none/],
        [42, 'ERR_QUANTLANE_ARGUMENT', /path or the bytes/],
        [model(PRODUCT, 8), 'ERR_QUANTLANE_FORMAT', /opset 8/],
        [model({ ...PRODUCT, node: [...PRODUCT.node, node('TopK', ['x'], ['t'])] }, 9), 'ERR_QUANTLANE_FORMAT', /TopK/],
      ];
      for (const [source, code, message] of cases) {
        await expect(quantizeDynamic(runtime, source as Uint8Array)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(message),
        });
      }
      await expect(
        quantizeDynamic(runtime, model({ ...PRODUCT, initializer: [floats('w', [1, 1], [Number.NaN])] })),
      ).rejects.toMatchObject({ code: 'ERR_QUANTLANE_NON_FINITE' });
      await expect(quantizeDynamic(runtime, '/no/such/model.onnx')).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });
});
