/**
 * A host whose process ends when it begins a batch whose first value is 9001, as one with a fault in native code would:
 * `node mortal-host.mjs SERVERS STREAM MAX_DELIVER`.
 */
import { ClusterNode } from '../../dist/src/cluster/index.js';
import { createRuntime } from '../../dist/src/index.js';

const [, , servers, stream, maxDeliver] = process.argv;
const runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
const quantize = runtime.quantize.bind(runtime);
runtime.quantize = (batch, ...rest) => {
  if (batch.data[0] === 9001) process.exit(9);
  return quantize(batch, ...rest);
};
await ClusterNode.join(runtime, { servers, stream, maxDeliver: Number(maxDeliver), ackWait: 400, credits: 1 });
