import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRuntime, type Runtime, type TensorLease } from '#src/index.js';

/** Both kernels give the same values for the same codes, whatever the codes and the number of columns. */
let simd: Runtime;
let scalar: Runtime;

beforeAll(async () => {
  simd = await createRuntime({ lanes: 0, memory: '8MiB' });
  scalar = await createRuntime({ lanes: 0, memory: '8MiB', kernels: 'scalar' });
});
afterAll(() => Promise.all([simd.close(), scalar.close()]));

const SMALL_FLOATS = [
  'vllm-fp8-per-token',
  'torchao-float8',
  'mx-fp8-e4m3',
  'mx-fp8-e5m2',
  'mx-fp6-e3m2',
  'mx-fp6-e2m3',
];
const COLUMNS = ['st-int8', 'st-uint8', 'faiss-sq8'];
const OTHERS = [
  'onnx-dynamic',
  'torch-int8-affine',
  'vllm-int8-per-token',
  'qdrant-int8',
  'bnb-nf4',
  'bnb-fp4',
  'mx-fp4',
];

/** Values of `shape`, then codes of every byte in turn, decoded by `runtime`: parameters and values as bytes. */
async function decoded(runtime: Runtime, name: string, shape: [number, number], first: number): Promise<string[]> {
  const batch: TensorLease<'float32'> = runtime.lease('float32', shape);
  batch.data.forEach((_, i) => {
    // A column of one value for all rows, of zeros of both signs, and of tiny and of huge values among others.
    const column = i % shape[1];
    const row = Math.floor(i / shape[1]);
    if (column % 7 === 0) batch.data[i] = 1.5;
    else if (column % 7 === 1) batch.data[i] = row % 2 === 0 ? 0 : -0;
    else if (column % 7 === 2) batch.data[i] = Math.sin(i) * 1e-40;
    else if (column % 7 === 3) batch.data[i] = Math.sin(i) * 3e38;
    else batch.data[i] = Math.sin(i * 1.7) * 3;
  });
  const quantized = runtime.quantizeSync(batch, name);
  const codes = new Uint8Array(quantized.data.buffer, quantized.data.byteOffset, quantized.data.byteLength);
  const made = Buffer.from(codes).toString('hex');
  for (let i = 0; i < codes.length; i++) codes[i] = first + i;
  const values = await runtime.dequantize(quantized);
  const back = Buffer.from(values.data.buffer, values.data.byteOffset, values.data.byteLength).toString('hex');
  const scale = [...quantized.scale!].join();
  values.release();
  quantized.release();
  return [made, scale, back];
}

const SHAPES: [number, number][] = [
  [1, 1],
  [1, 16],
  [1, 47],
  [3, 15],
  [3, 16],
  [2, 33],
  [5, 96],
  [2, 300],
];

test.each([...SMALL_FLOATS, ...COLUMNS, ...OTHERS])('every code of %s', async (name) => {
  for (const shape of SHAPES) {
    if (name.startsWith('mx') && shape[1] % 2 !== 0) continue;
    for (const first of [-1, 0, 5, 128]) {
      expect(await decoded(simd, name, shape, first), `${shape} from ${first}`).toEqual(
        await decoded(scalar, name, shape, first),
      );
    }
  }
});
