/**
 * What one would write with Fastify and ONNX Runtime: the same protocol, the same answers. In a process of its own, as
 * `mine.ts`.
 * @module
 */
import Fastify from 'fastify';
import { DYNAMIC_QUANTIZE } from '../onnx-model.js';
import { feed, openSession } from '../onnx-session.js';

const HEAD_LENGTH = 'inference-header-content-length';

const session = await openSession(DYNAMIC_QUANTIZE, 1);
const app = Fastify({ bodyLimit: 2 ** 26 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/v2/models/onnx-dynamic/infer', async (request, reply) => {
  const body = request.body as Buffer;
  const at = Number(request.headers[HEAD_LENGTH]);
  const { inputs } = JSON.parse(body.toString('utf8', 0, at));
  // A copy that is aligned; the body is not.
  const bytes = body.buffer.slice(body.byteOffset + at, body.byteOffset + body.length) as ArrayBuffer;
  const { y, scale, zero } = await session.run({ x: feed(new Float32Array(bytes)) });
  const parts = [y!, scale!, zero!].map(({ data }) => {
    const view = data as Uint8Array | Float32Array;
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  });
  const described = [
    { name: 'codes', datatype: 'UINT8', shape: inputs[0].shape },
    { name: 'scale', datatype: 'FP32', shape: [] },
    { name: 'zero_point', datatype: 'UINT8', shape: [] },
  ].map((output, index) => ({ ...output, parameters: { binary_data_size: parts[index]!.length } }));
  const head = Buffer.from(JSON.stringify({ model_name: 'onnx-dynamic', model_version: '1', outputs: described }));
  reply.header('content-type', 'application/octet-stream').header(HEAD_LENGTH, head.length);
  return reply.send(Buffer.concat([head, ...parts]));
});

const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.on('disconnect', () => process.exit());
process.send!(url);
