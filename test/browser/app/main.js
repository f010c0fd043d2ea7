// An application that a bundler puts together.
import { createRuntime } from 'quantlane/browser';
import { from, lastValueFrom, map, toArray } from 'rxjs';

const runtime = await createRuntime({ lanes: 2, memory: '4MiB', inPlaceLimit: 0, fallback: 'error' });
const batches = [1, 2, 3].map((size) => ({ dtype: 'float32', shape: [1, 32], data: new Float32Array(32).fill(size) }));
const scaleOf = (q) => {
  const [scale] = q.scale;
  q.release();
  return scale * 127;
};
const stream = runtime.stream(from(batches), 'vllm-int8-per-token').pipe(map(scaleOf), toArray());
const scales = await lastValueFrom(stream);
const lanes = (await Promise.all(runtime.lanes.map((lane) => lane.stats()))).map(({ kernels }) => kernels);
await runtime.close();
globalThis.found = { scales: scales.map((scale) => scale.toFixed(4)), lanes };
