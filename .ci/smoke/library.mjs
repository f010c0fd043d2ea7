/**
 * Uses the installed library: known rows in place and on lanes, a stream, and an end without being told to end.
 */
import assert from 'node:assert/strict';
import { createRuntime } from 'quantlane';

const zeros = new Array(16).fill(0);
/** 127 steps make a scale of 1, so that what is left is rounding. */
const TIES = [
  ...[127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5],
  ...[0.5 - 2 ** -25, 126.5, -126.5, 63.5, 100.4, -100.6],
  ...zeros,
];
const BLOCK = [
  ...[-3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375],
  ...[-1.625, 0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125],
  ...[0.625, 2.375],
];
const COLUMNS = 32;
/** Enough rows for the lanes to be used where there are any. */
const ROWS = 8_192;

/** Preset, row, the bytes of its codes, the bits of its scale and its zero point. */
const KNOWN = [
  {
    preset: 'onnx-dynamic',
    row: BLOCK,
    bytes: '003871aae2ff5089c27e3069a1da104881baf2287d99d2084079b2ea205991ca',
    scale: 0x3cfcfcfd,
    zeroPoint: 125,
  },
  {
    preset: 'xnnpack-qd8',
    row: BLOCK,
    bytes: '80b8f12a627fd00942feb0e9215a90c8013a72a8fd195288c0f9326aa0d9114a',
    scale: 0x3cfcfcfe,
    zeroPoint: -3,
  },
  {
    preset: 'ggml-q8_0',
    row: BLOCK,
    bytes: '082885bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b',
  },
  {
    preset: 'vllm-int8-per-token',
    row: TIES,
    bytes: hex([127, -127, 0, 2, 2, 4, 0, -2, -2, -4, 0, 126, -126, 64, 100, -101, ...zeros]),
    scale: 0x3f800000,
  },
  {
    preset: 'torchao-int8',
    row: TIES,
    bytes: hex([127, -128, 1, 2, 3, 4, -1, -2, -3, -4, 1, 127, -127, 64, 101, -101, ...zeros]),
    scale: 0x3f7efeff,
  },
];

function hex(codes) {
  return Buffer.from(Int8Array.from(codes).buffer).toString('hex');
}

function bytesOf(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** `rows` times the same row. */
function fill(lease, row) {
  for (let at = 0; at < lease.data.length; at += COLUMNS) lease.data.set(row, at);
  return lease;
}

/** Compares every row of a result with the known one. */
function check(q, known, where) {
  const rows = q.shape[0];
  const expected = Buffer.concat(new Array(rows).fill(Buffer.from(known.bytes, 'hex')));
  assert.ok(bytesOf(q.data).equals(expected), `${known.preset}, ${where}: the codes differ`);
  const scales = q.scale === null ? [undefined] : new Uint32Array(q.scale.slice().buffer);
  assert.ok(scales.length > 0, `${known.preset}, ${where}: no scale`);
  for (const bits of scales) assert.equal(bits, known.scale, `${known.preset}, ${where}: the scale`);
  for (const zeroPoint of q.zeroPoint ?? [undefined]) {
    assert.equal(zeroPoint, known.zeroPoint, `${known.preset}, ${where}: the zero point`);
  }
  q.release();
}

for (const lanes of [0, 2]) {
  const runtime = await createRuntime({ lanes, memory: '16MiB' });
  for (const known of KNOWN) {
    for (const rows of [1, ROWS]) {
      const lease = fill(runtime.lease('float32', [rows, COLUMNS]), known.row);
      check(await runtime.quantize(lease, known.preset), known, `${lanes} lanes, ${rows} rows`);
    }
    const plain = { dtype: 'float32', shape: [1, COLUMNS], data: Float32Array.from(known.row) };
    check(await runtime.quantize(plain, known.preset), known, `${lanes} lanes, copied`);
  }

  // More batches than the arena has room for at a time.
  const batches = 40;
  const source = async function* () {
    for (let k = 0; k < batches; k++) yield fill(await runtime.acquire('float32', [ROWS, COLUMNS]), TIES);
  };
  const known = KNOWN.find((row) => row.preset === 'vllm-int8-per-token');
  let count = 0;
  for await (const q of runtime.stream(source(), known.preset)) {
    check(q, known, `${lanes} lanes, stream`);
    count++;
  }
  assert.equal(count, batches);

  const bad = { dtype: 'float32', shape: [2], data: Float32Array.of(1, Number.NaN) };
  await assert.rejects(runtime.quantize(bad, 'torchao-int8'), {
    name: 'DataError',
    code: 'ERR_QUANTLANE_NON_FINITE',
    details: { count: 1, first: 1 },
  });

  const { arena, jobs } = runtime.metrics();
  assert.equal(arena.inUse, 0);
  assert.equal(arena.leaked, 0);
  assert.equal(jobs.lanes > 0, lanes > 0, 'lanes are used where there are any');
  await runtime.close();
}

// An idle runtime does not keep the process alive, so the script ends here although this one is never closed.
const idle = await createRuntime({ lanes: 1, memory: '1MiB' });
assert.equal(idle.metrics().lanes.alive, 1);
console.log(`library: ${KNOWN.map((known) => known.preset).join(', ')}; 0 and 2 lanes; streams`);
