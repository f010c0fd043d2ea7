/**
 * Uses the browser's entries of the installed package where there is no browser: on one thread, to the bytes of the other.
 */
import assert from 'node:assert/strict';
import * as node from 'quantlane';
import * as modules from 'quantlane/browser';
import * as bundle from 'quantlane/browser/standalone';

const values = Float32Array.from({ length: 4096 }, (_, at) => Math.sin(at) * (1 + (at % 7)));
const tensor = { dtype: 'float32', shape: [16, 256], data: values };

async function bytesOf({ createRuntime }) {
  const runtime = await createRuntime({ lanes: 1, memory: '1MiB' });
  const q = await runtime.quantize(tensor, 'onnx-dynamic');
  const bytes = Buffer.from(Uint8Array.from(q.data)).toString('hex');
  q.release();
  await runtime.close();
  return { bytes, fallback: runtime.fallback?.code };
}

const expected = await bytesOf(node);
assert.equal(expected.fallback, undefined);
for (const entry of [modules, bundle]) {
  const { bytes, fallback } = await bytesOf(entry);
  assert.equal(bytes, expected.bytes);
  assert.equal(fallback, 'ERR_QUANTLANE_LANE_START');
}
console.log(`browser: the modules and the bundle on one thread, Node ${process.versions.node}`);
