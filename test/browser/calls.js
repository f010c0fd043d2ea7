/** In the page: carries out calls that the test sends as JSON, and answers with the bytes of their results. */
import * as quantlane from '/dist/src/standalone/index.js';

globalThis.quantlane = quantlane;

/** Views go through JSON as `{ $: name, bytes: base64 }`. */
function revive(_key, value) {
  if (typeof value?.$ !== 'string') return value;
  return new globalThis[value.$](Uint8Array.fromBase64(value.bytes).buffer);
}

function bytesOf(view) {
  return view === null ? '' : Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)).toBase64();
}

globalThis.carryOut = async (options, text) => {
  const runtime = await quantlane.createRuntime(options);
  const results = [];
  for (const { tensor, preset, options: chosen, call } of JSON.parse(text, revive)) {
    const q = await runtime.quantize(tensor, quantlane.preset(preset, chosen), call);
    const values = await runtime.dequantize(q);
    results.push([q.data, q.scale, q.zeroPoint, q.outliers, q.outlierValues, values.data].map(bytesOf));
    values.release();
    q.release();
  }
  const { jobs, lanes, arena } = runtime.metrics();
  await runtime.close();
  return { results, jobs, lanes, inUse: arena.inUse, fallback: runtime.fallback?.message ?? null };
};
