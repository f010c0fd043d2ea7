/**
 * Code of docs/guides/hosts.md: a producer of batches, which other hosts quantize. `hosts.sh` starts it beside a server.
 * @module
 */
// #region connect
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type PlainTensor, runtime } from 'quantlane';

const hosts = await runtime.remote({
  servers: `nats://127.0.0.1:${process.env['PORT']}`,
  user: 'sender',
  password: (await readFile('sender.password', 'utf8')).trim(),
  memory: '128MiB', // of the arena here: what is on its way, and results until their release
  splitAbove: '4MiB',
});
// #endregion

// #region stream
const end = new AbortController();
process.once('SIGTERM', () => end.abort());

/** A batch of 64 rows now and then, until SIGTERM; the values grow from one to the next. */
async function* activations(): AsyncGenerator<PlainTensor> {
  for (let number = 1; !end.signal.aborted; number++) {
    yield { dtype: 'float32', shape: [64, 512], data: new Float32Array(64 * 512).fill(number) };
    await delay(5);
  }
}

let [results, scale, isInOrder] = [0, 0, true];
for await (const q of hosts.stream(activations(), 'torchao-int8', { key: 'session 7', concurrency: 16 })) {
  isInOrder &&= q.scale![0]! > scale; // larger values in each batch
  scale = q.scale![0]!;
  q.release();
  results++;
  if (results === 1) console.log('the first result is here');
}
console.log(`results for all batches: ${results === hosts.metrics().cluster.sent}, in order: ${isInOrder}`);
// #endregion

// #region large
// 16 MiB, whose range is that of the whole tensor: four pieces, first for their ranges, then for their codes.
const data = Float32Array.from({ length: 1024 * 4096 }, (_, at) => Math.sin(at) * (1 + at / 1e6));
const large = { dtype: 'float32', shape: [1024, 4096], data } as const;
const far = await hosts.quantize(large, 'onnx-dynamic');
const near = hosts.quantizeSync(large, 'onnx-dynamic'); // in this process
const isSame = far.data.every((code, at) => code === near.data[at]) && far.scale![0] === near.scale![0];
console.log(`16 MiB in ${hosts.metrics().cluster.sent - results} batches, the bytes of one host: ${isSame}`);
far.release();
near.release();
// #endregion

// #region end
await hosts.close(); // waits for what is on its way, and leaves nothing in the streams
const { sent, unwanted, inFlight } = hosts.metrics().cluster;
console.log(`${unwanted} results dropped, ${inFlight} batches in flight`);
// #endregion
console.error(`sent ${sent}`);
