/**
 * A worker of the host that is connected to a runtime: it does what it is told, and answers.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { attachRuntime } from '../../../dist/src/index.js';

const runtime = await attachRuntime(workerData.port);
const kept = [];

/** What can be asked of it. */
const COMMANDS = {
  /** Quantizes values, here or on the lanes, and sends views on the shared memory. */
  async quantize({ values, shape, scheme, options }) {
    const batch = runtime.lease('float32', shape);
    batch.data.set(values);
    const quantized = await runtime.quantize(batch, scheme, options);
    kept.push(quantized);
    return { data: quantized.data, scale: quantized.scale, zeroPoint: quantized.zeroPoint };
  },
  quantizeSync({ values, shape, scheme }) {
    const batch = runtime.lease('float32', shape);
    batch.data.set(values);
    const quantized = runtime.quantizeSync(batch, scheme);
    kept.push(quantized);
    return { data: quantized.data, scale: quantized.scale, zeroPoint: quantized.zeroPoint };
  },
  async stream({ count, shape, scheme }) {
    const batches = function* () {
      for (let k = 0; k < count; k++) {
        const batch = runtime.lease('float32', shape);
        batch.data.fill(k + 1);
        yield batch;
      }
    };
    const scales = [];
    for await (const quantized of runtime.stream(batches(), scheme)) {
      scales.push(quantized.scale[0]);
      quantized.release();
    }
    return scales;
  },
  async abort({ values, shape, scheme, milliseconds }) {
    const batch = runtime.lease('float32', shape);
    batch.data.set(values);
    await runtime.quantize(batch, scheme, { signal: AbortSignal.timeout(milliseconds) });
  },
  release() {
    for (const quantized of kept.splice(0)) quantized.release();
  },
  metrics: () => runtime.metrics(),
  lease({ shape }) {
    kept.push(runtime.lease('float32', shape));
  },
  close: () => runtime.close(),
  /** Leaves what it leased behind. */
  exit: () => process.exit(0),
};

parentPort.on('message', async ({ id, command, ...rest }) => {
  try {
    parentPort.postMessage({ id, answer: await COMMANDS[command](rest) });
  } catch (error) {
    parentPort.postMessage({ id, error: { code: error.code, name: error.name, message: error.message } });
  }
});
parentPort.postMessage({ id: 0 });
