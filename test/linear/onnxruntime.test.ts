/** ONNX Runtime, answering live: the integers of `MatMulInteger`, and the bits of a dynamically quantized layer. */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import type { CodeArray } from '#src/index.js';
import { createLinear, weightScheme } from '#src/linear/index.js';
import { encodeModel, type OnnxModel } from '../../bench/onnx-model.js';
import { randomOf } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { ALL_PLACES, rowsOf, valuesIn, weightOf } from './helpers.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1 };

async function answer(
  model: OnnxModel,
  feeds: Record<string, Onnx.Tensor>,
  output: string,
): Promise<ArrayLike<number>> {
  const session = await InferenceSession.create(encodeModel(model), OPTIONS);
  const { [output]: y } = await session.run(feeds);
  await session.release();
  return y!.data as Int32Array | Float32Array;
}

/** Codes of weights, inputs before outputs, as ONNX has them. */
function transposed(codes: ArrayLike<number>, outputs: number, inputs: number): Int8Array {
  return Int8Array.from(
    { length: codes.length },
    (_, at) => codes[(at % outputs) * inputs + Math.floor(at / outputs)]!,
  );
}

const CASES = [
  [1, 1, 1],
  [1, 64, 16],
  [3, 37, 21],
  [5, 500, 33],
  [8, 130, 7],
  [17, 16, 40],
] as const;

describe.each(ALL_PLACES)('$name', ({ name: _, ...place }) => {
  test.each(CASES)('%i x %i x %i: the integers of MatMulInteger', async (rows, inputs, outputs) => {
    const random = randomOf(inputs);
    const below = (limit: number) => Math.floor(random() * limit);
    // Not below -127: ONNX Runtime may saturate at pairs of -128 on machines without the newest instructions.
    const w = Int8Array.from({ length: outputs * inputs }, () => below(255) - 127);
    for (const dtype of ['uint8', 'int8'] as const) {
      const least = dtype === 'uint8' ? 0 : -128;
      const codes: CodeArray = new (dtype === 'uint8' ? Uint8Array : Int8Array)(rows * inputs).map(
        () => least + below(256),
      );
      const zero = least + below(256);
      const expected = await answer(
        {
          opset: 13,
          nodes: [{ operator: 'MatMulInteger', inputs: ['x', 'w', 'z'], outputs: ['y'] }],
          inputs: { x: dtype, w: 'int8', z: dtype },
          outputs: { y: 'int32' },
        },
        {
          x: new Tensor(dtype, codes as never, [rows, inputs]),
          w: new Tensor('int8', transposed(w, outputs, inputs), [inputs, outputs]),
          z: new Tensor(
            dtype,
            codes.constructor === Uint8Array ? Uint8Array.of(zero) : (Int8Array.of(zero) as never),
            [],
          ),
        },
        'y',
      );
      await withRuntime(place, async (runtime) => {
        const scale = new Float32Array(outputs).fill(1);
        using weight = await runtime.load({ scheme: weightScheme('int8'), shape: [outputs, inputs], data: w, scale });
        using linear = await createLinear(runtime, { weight });
        const { preset } = await import('#src/index.js');
        using q = await runtime.load({
          scheme: preset('onnx-static', { dtype }),
          shape: [rows, inputs],
          data: codes,
          scale: Float32Array.of(1),
          zeroPoint: codes.constructor === Uint8Array ? Uint8Array.of(zero) : Int8Array.of(zero),
        });
        // Scales of 1 leave the integers, of which float32 holds those below 2^24.
        expect([...valuesIn(await linear.forward(q))]).toEqual(Array.from(expected));
      });
    }
  });
});

test('the bits of DynamicQuantizeLinear, MatMulInteger and two products', async () => {
  for (const [rows, inputs, outputs] of CASES) {
    await withRuntime({}, async (runtime) => {
      const plain = weightOf('int8', outputs, inputs);
      using weight = await runtime.quantize(plain, weightScheme('int8'));
      using linear = await createLinear(runtime, { weight: plain, activations: 'onnx-dynamic' });
      const x = rowsOf([rows, inputs], rows);
      const expected = await answer(
        {
          opset: 13,
          nodes: [
            { operator: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'sx', 'z'] },
            { operator: 'MatMulInteger', inputs: ['q', 'w', 'z'], outputs: ['sums'] },
            { operator: 'Cast', inputs: ['sums'], outputs: ['floats'], attributes: { to: 1 } },
            { operator: 'Mul', inputs: ['sx', 'sw'], outputs: ['scale'] },
            { operator: 'Mul', inputs: ['floats', 'scale'], outputs: ['y'] },
          ],
          inputs: { x: 'float32', w: 'int8', sw: 'float32' },
          outputs: { y: 'float32' },
        },
        {
          x: new Tensor('float32', x.data, [rows, inputs]),
          w: new Tensor('int8', transposed(weight.data, outputs, inputs), [inputs, outputs]),
          sw: new Tensor('float32', Float32Array.from(weight.scale as Float32Array), [outputs]),
        },
        'y',
      );
      expect([...valuesIn(await linear.forward(x))]).toEqual(Array.from(expected));
    });
  }
});
