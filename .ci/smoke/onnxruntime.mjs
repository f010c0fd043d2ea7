/**
 * Hands codes of the installed library to ONNX Runtime: without a copy from Node 22 on.
 */
import assert from 'node:assert/strict';
import proto from 'onnx-proto';
import onnxruntime from 'onnxruntime-node';
import { createRuntime } from 'quantlane';
import { createOnnxAdapter, quantizeDynamic } from 'quantlane/onnxruntime';

const { onnx } = proto;
const { FLOAT } = onnx.TensorProto.DataType;
const type = { tensorType: { elemType: FLOAT } };
const weights = { name: 'w', dims: [2, 2], dataType: FLOAT, floatData: [1, 2, 3, 4] };
const model = onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: '', version: 13 }],
  graph: {
    name: 'product',
    node: [{ opType: 'MatMul', name: 'product', input: ['x', 'w'], output: ['y'] }],
    initializer: [weights],
    input: [{ name: 'x', type }],
    output: [{ name: 'y', type }],
  },
}).finish();
const dequantize = onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: '', version: 13 }],
  graph: {
    name: 'dequantize',
    node: [{ opType: 'DequantizeLinear', input: ['q', 's', 'z'], output: ['y'] }],
    input: [
      { name: 'q', type: { tensorType: { elemType: onnx.TensorProto.DataType.UINT8 } } },
      { name: 's', type },
      { name: 'z', type: { tensorType: { elemType: onnx.TensorProto.DataType.UINT8 } } },
    ],
    output: [{ name: 'y', type }],
  },
}).finish();

const isShared = Number.parseInt(process.versions.node, 10) >= 22;
const runtime = await createRuntime({ lanes: 1, memory: '16MiB' });
const adapter = await createOnnxAdapter(runtime);
assert.equal(adapter.sharesMemory, isShared);

const { model: integers, quantized } = await quantizeDynamic(runtime, model);
assert.deepEqual(quantized, ['product']);
const { copiedBytes } = runtime.metrics();
const product = await onnxruntime.InferenceSession.create(integers);
const x = runtime.lease('float32', [1, 2]);
x.data.set([0, 1]);
const y = runtime.lease('float32', [1, 2]);
await adapter.run(product, { x }, { y });
assert.deepEqual([...y.data].map(Math.round), [3, 4]);

const session = await onnxruntime.InferenceSession.create(dequantize);
const values = runtime.lease('float32', [1, 2]);
const q = await runtime.quantize(x, 'onnx-dynamic');
const { codes, scale, zeroPoint } = adapter.tensors(q);
await adapter.run(session, { q: codes, s: scale, z: zeroPoint }, { y: values });
assert.deepEqual([...values.data], [0, 1]);
// On Node 20: x, y, the codes with scale and zero point, and the values.
assert.equal(runtime.metrics().copiedBytes - copiedBytes, isShared ? 0 : 8 + 8 + (2 + 4 + 1) + 8);

for (const lease of [y, q, values]) lease.release();
await product.release();
await session.release();
assert.equal(runtime.metrics().arena.inUse, 0);
await runtime.close();
console.log(`ONNX Runtime on Node ${process.version}: ${isShared ? 'nothing' : 'every tensor'} copied`);
