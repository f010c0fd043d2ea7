/**
 * A fresh process from the start of a runtime of two lanes to its first result from a lane: prints the milliseconds that
 * it took, without and with loading the modules.
 * @module
 */
const before = performance.now();
const { createRuntime } = await import('../src/index.js');
const start = performance.now();
const runtime = await createRuntime({ lanes: 2, inPlaceLimit: 0 });
const batch = runtime.lease('float32', [1, 4_096]);
batch.data.fill(1);
const result = await runtime.quantize(batch, 'vllm-int8-per-token');
const end = performance.now();
if (result.data[4_095] !== 127) throw new Error(`Expected 127, got ${result.data[4_095]}`);
process.stdout.write(`${JSON.stringify({ runtime: end - start, loaded: end - before })}\n`);
result.release();
await runtime.close();

export {};
