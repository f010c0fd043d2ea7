/** What other hosts give is bit for bit what the local runtime gives, whatever the preset, type, size or options. */
import fc from 'fast-check';
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
import { normal } from '../cli/helpers.js';
import { expectIdle } from '../support/runtime.js';
import { contentOf, expectEmpty, expectSameFrom, host } from './helpers.js';
import { HAS_NATS, NatsServer, NEEDS_NATS } from './server.js';

describe.skipIf(!HAS_NATS)(`other hosts${NEEDS_NATS}`, () => {
  let server: NatsServer;
  let hosts: { end(): Promise<void> }[];
  let far: RemoteRuntime;
  let near: StreamingRuntime;

  beforeAll(async () => {
    server = await NatsServer.start();
    hosts = [await host({ servers: server.url }, { lanes: 1 }), await host({ servers: server.url })];
    far = await remote({ servers: server.url, memory: '128MiB' });
    near = await createRuntime({ lanes: 0, memory: '128MiB' });
  });

  afterAll(async () => {
    await using ending = server;
    await expectIdle(far);
    await far.close();
    await near.close();
    for (const { end } of hosts) await end();
    await expectEmpty(ending.url);
  });

  const expectSame = (tensor: PlainTensor, scheme: SchemeInput, options?: QuantizeOptions): Promise<void> =>
    expectSameFrom([near, far], tensor, scheme, options);

  it.each(PRESETS.map(({ name }) => name))('%s', async (name) => {
    const { parameters: source, symmetric } = preset(name);
    const given = symmetric ? { scale: 0.02 } : { scale: 0.02, zeroPoint: 100 };
    const range = source === 'range' ? { range: { min: -3, max: 3 } } : {};
    const options = source === 'given' ? { parameters: given } : range;
    await expectSame({ dtype: 'float32', shape: [3, 256], data: normal(3 * 256) }, name, { ...options, stats: true });
  });

  it.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
    const data = Uint16Array.from({ length: 4 * 96 }, (_, at) => 0x3c00 + ((at * 2_654_435_761) >>> 22));
    for (const scheme of ['torchao-int8', 'onnx-dynamic', 'ggml-q8_0', 'bnb-int8']) {
      await expectSame({ dtype, shape: [4, 96], data }, scheme);
    }
  });

  it('schemes of one’s own, and every option of a call', async () => {
    const tensor = { dtype: 'float32', shape: [4, 8], data: normal(32) } as const;
    const own = { ...preset('torchao-int8'), name: 'own', rounding: 'stochastic' } as const;
    await expectSame(tensor, own, { seed: -7 });
    await expectSame(tensor, preset('torch-int8-per-channel', { axis: 1 }));
    const ends = { min: Float32Array.of(-1, -0, -2, -1e-40), max: [1, 0, 2.5, 3] };
    await expectSame(tensor, 'torch-per-token-affine', { range: ends });
    await expectSame(tensor, preset('onnx-static', { dtype: 'uint8', axis: 0 }), {
      parameters: { scale: [0.1, 0.2, 0.3, 0.4], zeroPoint: Uint8Array.of(1, 2, 3, 255) },
    });
    await expectSame(tensor, 'bnb-int8', { outliers: [1, 5] });
    await expectSame({ ...tensor, shape: [2, 16] }, 'nvfp4-torchao', { tensorScale: 0.75 });
  });

  it('errors, with code, text and details', async () => {
    const tensor = {
      dtype: 'float32',
      shape: [2, 3],
      data: Float32Array.of(1, Number.NaN, 2, 3, 4, Infinity),
    } as const;
    await expectSame(tensor, 'torchao-int8');
    await expectSame(tensor, 'no-such-preset');
    await expectSame(tensor, 'ggml-q8_0');
    await expectSame(tensor, 'onnx-static');
    await expectSame({ ...tensor, shape: [2, 4] }, 'torchao-int8');
    await expectSame(tensor, preset('torchao-int8', { nonFinite: 'saturate' }), { seed: 0.5 });
    await expectSame(tensor, 'torchao-int8', { range: { min: 2, max: 1 } });
    await expectSame(tensor, preset('onnx-dynamic', { nonFinite: 'propagate' }));
  });

  it('tensors of many messages', { timeout: 60_000 }, async () => {
    const data = Float32Array.from({ length: 1_500 * 1_000 }, (_, at) => Math.fround(Math.sin(at) * (at % 977)));
    const before = far.metrics().cluster;
    await expectSame({ dtype: 'float32', shape: [1_500, 1_000], data }, 'torchao-int8');
    await expectSame({ dtype: 'float32', shape: [1_500, 1_000], data }, 'onnx-dynamic');
    const { sentBytes, receivedBytes } = far.metrics().cluster;
    expect(sentBytes - before.sentBytes).toBeGreaterThan(2 * data.byteLength);
    expect(receivedBytes - before.receivedBytes).toBeGreaterThan(data.byteLength / 2);
  });

  it('random rows', async () => {
    const rows = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 });
    const schemes = fc.constantFrom('torchao-int8', 'onnx-dynamic', 'mx-fp8-e4m3', 'torch-per-token-affine', 'st-int8');
    await fc.assert(
      fc.asyncProperty(rows, schemes, async (values, scheme) => {
        await expectSame({ dtype: 'float32', shape: [1, values.length], data: Float32Array.from(values) }, scheme);
      }),
      { numRuns: 60 },
    );
  });

  it('takes leases as the local runtime does', async () => {
    const batch = far.lease('float32', [1, 4]);
    batch.data.set([1, 2, 3, 4]);
    const kept = far.quantize(batch, 'torchao-int8', { keep: true });
    expect(() => batch.data).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_LEASE_RELEASED' }));
    using first = await kept;
    expect([...batch.data]).toEqual([1, 2, 3, 4]);
    using second = await far.quantize(batch, 'torchao-int8');
    expect(batch.released).toBe(true);
    expect(contentOf(second)).toEqual(contentOf(first));
    using values = await far.dequantize(first);
    using now = far.quantizeSync(
      { dtype: 'float32', shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) },
      'torchao-int8',
    );
    expect(contentOf(now)).toEqual(contentOf(first));
    expect(values.data[3]).toBeCloseTo(4, 1);
    using foreign = far.lease('float32', [1, 4]);
    await expect(near.quantize(foreign, 'torchao-int8')).rejects.toThrow(/of this runtime/);
  });
});
