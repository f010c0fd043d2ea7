/**
 * Code of docs/guides/operations.md: a server within a program of one's own, and a request with binary tensors.
 * @module
 */
// #region server
import { createRuntime, preset } from 'quantlane';
import { QuantlaneServer } from 'quantlane/server';

const runtime = await createRuntime({ lanes: 1, memory: '64MiB' });
const server = await QuantlaneServer.listen(runtime, {
  port: 0, // any; .url tells which
  token: 'a secret',
  maxTensor: '16MiB',
  models: [{ name: 'layer-0', scheme: preset('onnx-dynamic'), range: { min: -4, max: 4 } }],
});
// #endregion

// #region request
const values = Float32Array.of(-4, -1, 0, 0.5, 1, 2, 3, 8);
const head = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 4], parameters: { binary_data_size: values.byteLength } }],
  parameters: { binary_data_output: true },
});
const answer = await fetch(`${server.url}/v2/models/layer-0/infer`, {
  method: 'POST',
  headers: {
    authorization: 'Bearer a secret',
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(Buffer.byteLength(head)),
  },
  body: Buffer.concat([Buffer.from(head), Buffer.from(values.buffer)]),
});
const body = Buffer.from(await answer.arrayBuffer());
const json = Number(answer.headers.get('inference-header-content-length'));
const { outputs } = JSON.parse(body.subarray(0, json).toString()) as { outputs: { name: string; datatype: string }[] };
console.log(answer.status, outputs.map(({ name, datatype }) => `${name} ${datatype}`).join(', '));
console.log(...body.subarray(json, json + 8));
// #endregion

// #region end
await server.close(); // takes no new requests, answers those in work
console.log(`pending ${server.pending}, arena in use ${runtime.metrics().arena.inUse}`);
await runtime.close();
// #endregion
