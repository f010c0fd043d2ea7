/** One tensor on several hosts has the bytes that one host gives it, whatever ties its values together. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createRuntime,
  type PlainTensor,
  PRESETS,
  preset,
  type QuantizeOptions,
  type RemoteRuntime,
  remote,
  type SchemeInput,
  type StreamingRuntime,
} from '#src/index.js';
import { expectIdle } from '../support/runtime.js';
import { expectEmpty, expectSameFrom, host } from './helpers.js';
import { HAS_NATS, NatsServer, NEEDS_NATS } from './server.js';

/** 200 KiB, of pieces of at most 64 KiB. */
const ROWS = 50;
const COLUMNS = 1_024;
const data = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => Math.sin(at) * (1 + (at % 8_191) / 100));

describe.skipIf(!HAS_NATS)(`one tensor on several hosts${NEEDS_NATS}`, () => {
  let server: NatsServer;
  let hosts: { end(): Promise<void> }[];
  let far: RemoteRuntime;
  let near: StreamingRuntime;

  beforeAll(async () => {
    server = await NatsServer.start();
    hosts = [await host({ servers: server.url }), await host({ servers: server.url })];
    far = await remote({ servers: server.url, memory: '64MiB', splitAbove: '64KiB' });
    near = await createRuntime({ lanes: 0, memory: '64MiB' });
  });

  afterAll(async () => {
    await using ending = server;
    await expectIdle(far);
    await far.close();
    await near.close();
    for (const { end } of hosts) await end();
    await expectEmpty(ending.url);
  });

  /** Asserts that both give the same; gives how many messages it took. */
  async function messagesOf(tensor: PlainTensor, scheme: SchemeInput, options: QuantizeOptions = {}): Promise<number> {
    const before = far.metrics().cluster.sent;
    await expectSameFrom([near, far], tensor, scheme, options);
    return far.metrics().cluster.sent - before;
  }

  /** Messages for four pieces: of ranges of rows one each; where one range covers all of them, two. */
  const pieces = (name: string): number => {
    const { granularity, outliers, rounding } = preset(name);
    if (outliers !== null || rounding === 'stochastic' || granularity.kind === 'perChannel') return 1;
    if (granularity.kind === 'perTensor') return 8;
    return granularity.axis === null ? 1 : 4;
  };

  it.each(PRESETS.map(({ name }) => name).filter((name) => preset(name).parameters === 'dynamic'))(
    '%s',
    async (name) => {
      const shape = [ROWS, COLUMNS];
      expect(await messagesOf({ dtype: 'float32', shape, data }, name, { stats: true })).toBe(pieces(name));
    },
  );

  it('the other types, more axes, and ranges and parameters that are given', async () => {
    const halves = Uint16Array.from({ length: ROWS * COLUMNS }, (_, at) => 0x3000 + ((at * 40_503) & 0x0fff));
    for (const dtype of ['float16', 'bfloat16'] as const) {
      for (const name of ['onnx-dynamic', 'torchao-int8', 'ggml-q4_0']) {
        const count = await messagesOf({ dtype, shape: [5, 10, COLUMNS], data: halves }, name);
        expect(count).toBe(pieces(name) / 2);
      }
    }
    const tensor: PlainTensor = { dtype: 'float32', shape: [5, 10, COLUMNS], data };
    expect(await messagesOf(tensor, 'onnx-dynamic', { range: { min: -3, max: 4 } })).toBe(4);
    expect(await messagesOf(tensor, 'onnx-static', { parameters: { scale: 0.25, zeroPoint: 7 } })).toBe(4);
    // What ties rows together is sent as a whole.
    expect(await messagesOf(tensor, preset('torchao-int8', { axis: 0 }))).toBe(1);
    const ends = { min: new Float32Array(ROWS).fill(-2), max: new Float32Array(ROWS).fill(2) };
    expect(await messagesOf({ ...tensor, shape: [ROWS, COLUMNS] }, 'torchao-int8', { range: ends })).toBe(1);
  });

  it('zeros of either sign, and values of one sign only', async () => {
    const shape = [ROWS, COLUMNS];
    for (const value of [0, -0, 5, -5, 1e-42]) {
      for (const name of ['onnx-dynamic', 'torch-dynamic', 'fbgemm-dynamic', 'vllm-fp8-per-tensor', 'st-int8']) {
        await messagesOf({ dtype: 'float32', shape, data: new Float32Array(data.length).fill(value) }, name);
      }
    }
  });

  it.each(['error', 'saturate', 'propagate'] as const)('NaN and ±Inf in several pieces: %s', async (nonFinite) => {
    const spoilt = data.slice();
    spoilt[20_000] = Number.NaN;
    spoilt[17_000] = Number.POSITIVE_INFINITY;
    spoilt[45_000] = Number.NEGATIVE_INFINITY;
    for (const name of ['onnx-dynamic', 'torch-int8-affine', 'torchao-int8', 'vllm-fp8-per-token']) {
      await messagesOf({ dtype: 'float32', shape: [ROWS, COLUMNS], data: spoilt }, preset(name, { nonFinite }));
    }
  });

  it('gives up all pieces of what is aborted, and keeps the order of its key', async () => {
    const tensor: PlainTensor = { dtype: 'float32', shape: [ROWS, COLUMNS], data };
    const stop = new AbortController();
    const large = far.quantize(tensor, 'onnx-dynamic', { key: 'k', signal: stop.signal });
    const order: string[] = [];
    const next = far.quantize(tensor, 'onnx-dynamic', { key: 'k' }).then((result) => {
      order.push('large');
      result.release();
    });
    const small = far.quantize({ ...tensor, shape: [1, 4], data: data.slice(0, 4) }, 'onnx-dynamic', { key: 'k' });
    const last = small.then((result) => {
      order.push('small');
      result.release();
    });
    stop.abort(new Error('enough'));
    await expect(large).rejects.toThrow('enough');
    await Promise.all([next, last]);
    expect(order).toEqual(['large', 'small']);
  });
});
