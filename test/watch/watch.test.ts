/** The watch on a runtime: what it notes equals what the library says, it is bounded, and it keeps nothing. */
import { describe, expect, it } from 'vitest';
import type { StreamingRuntime } from '#src/index.js';
import { preset, type Scheme } from '#src/index.js';
import { MAX_CHANNELS, type Reference, SECONDS, Watch } from '#src/watch/index.js';
import { withRuntime } from '../support/runtime.js';

const SHAPE = [8, 64];

/** Values with two channels that stand out. */
function values(times = 1): Float32Array {
  return Float32Array.from({ length: 512 }, (_, at) => {
    const channel = at % 64;
    return Math.fround(Math.sin(at * 1.7) * times * (channel === 5 ? 40 : channel === 33 ? 20 : 1));
  });
}

/** A watch with a clock that stands still until it is set. */
function watched(runtime: StreamingRuntime, maxStreams?: number) {
  const time = { now: 1_000_000 };
  const watch = new Watch(runtime, { clock: () => time.now, ...(maxStreams !== undefined && { maxStreams }) });
  const send = async (
    id: string,
    scheme: Scheme,
    data: Float32Array,
    {
      shape = SHAPE,
      reference = null,
      range,
    }: { shape?: number[]; reference?: Reference | null; range?: { min: number; max: number } } = {},
  ) => {
    const lease = await runtime.acquire('float32', shape);
    lease.data.set(data);
    using quantized = await watch.quantize({ id, reference }, lease, scheme, (more) =>
      runtime.quantize(lease, scheme, { ...more, ...(range && { range }) }),
    );
    await watch.settled();
    return { looked: quantized.stats !== null, scale: [...(quantized.scale ?? [])] };
  };
  return {
    watch,
    time,
    send,
    summary: (id: string) => watch.find(id)!.summary(time.now),
    detail: (id: string) => watch.find(id)!.detail(time.now),
  };
}

describe.each([0, 2])('a watch, %i lanes', (lanes) => {
  it.each(['onnx-dynamic', 'torchao-int8', 'quarot-int4', 'bnb-nf4', 'mx-fp8-e4m3', 'ggml-q8_0', 'bnb-int8'])(
    'notes what the library says of a batch: %s',
    async (name) => {
      await withRuntime({ lanes }, async (runtime) => {
        const scheme = preset(name);
        const { send, detail, time } = watched(runtime);
        const plain = { dtype: 'float32', shape: SHAPE, data: values() } as const;
        using expected = await runtime.quantize(plain, scheme, { stats: true });
        const { min, max } = await runtime.range(plain, 'onnx-dynamic');
        await send('s', scheme, values());
        time.now += 1000;
        const { minute, codeCounts, channels, total, shape, seconds } = detail('s');
        expect(total).toEqual({ batches: 1, elements: 512, bytes: 2048, failed: 0 });
        expect(shape).toEqual(SHAPE);
        const { sqnr, saturated } = expected.stats!;
        expect(minute).toMatchObject({
          range: { low: min[0], high: max[0] },
          sqnr,
          saturated: saturated / 512,
          looks: 1,
        });
        expect(seconds).toEqual([minute]);
        expect(minute!.scale === null).toBe(expected.scale === null);
        if (scheme.scaleDtype === 'float32' && expected.scale !== null) {
          expect(minute!.scale).toEqual({ low: Math.min(...expected.scale), high: Math.max(...expected.scale) });
        }
        expect(minute!.zeroPoint?.low).toBe(expected.zeroPoint?.[0]);
        if (scheme.layout !== 'planar') expect(codeCounts).toBeNull();
        else expect(codeCounts!.counts.reduce((a, b) => a + b)).toBe(512);
        expect(channels).toMatchObject({ count: 64, outliers: 2 });
        expect(channels!.largest.slice(0, 2).map(({ channel }) => channel)).toEqual([5, 33]);
        expect(channels!.largest[0]!.amax).toBe(
          plain.data.reduce((most, x, at) => (at % 64 === 5 ? Math.max(most, Math.abs(x)) : most), 0),
        );
      });
    },
  );
});

describe('a watch', () => {
  const scheme = preset('torchao-int8');

  it('counts every batch, and looks at one each 100 ms of a stream', async () => {
    await withRuntime({}, async (runtime) => {
      const { watch, time, send, summary } = watched(runtime);
      const looked: boolean[] = [];
      for (let at = 0; at < 40; at++) {
        looked.push((await send('a', scheme, values())).looked);
        time.now += 10;
      }
      expect(looked).toEqual(looked.map((_, at) => at % 10 === 0));
      expect(watch.looks).toBe(4);
      expect(summary('a')).toMatchObject({ total: { batches: 40 }, minute: { looks: 4 }, latency: { calls: 40 } });
    });
  });

  it('looks at each of many streams, and at 200 batches a second of all', async () => {
    await withRuntime({}, async (runtime) => {
      const { watch, time, send, summary } = watched(runtime);
      // 64 streams, each every 125 ms, always in the same order.
      for (let at = 0; at < 8 * 10; at++, time.now += 125) {
        for (let stream = 0; stream < 64; stream++) await send(`${stream}`, scheme, values());
      }
      const looks = Array.from({ length: 64 }, (_, stream) => summary(`${stream}`).minute!.looks);
      expect(Math.min(...looks)).toBeGreaterThan(20);
      expect(watch.looks).toBeLessThanOrEqual(64 + 200 * 10);
    });
  });

  it('looks more seldom at large batches', async () => {
    await withRuntime({ memory: '64MiB' }, async (runtime) => {
      const { time, send } = watched(runtime);
      const looked = async (id: string, shape: number[]) => {
        const data = new Float32Array(shape[0]! * shape[1]!).fill(1);
        return (await send(id, scheme, data, { shape })).looked;
      };
      // A million values are worth 52 ms, four million 210 ms.
      expect(await looked('a', [1024, 1024])).toBe(true);
      expect(await looked('b', [1024, 4096])).toBe(true);
      time.now += 209;
      expect([await looked('a', [8, 64]), await looked('b', [8, 64])]).toEqual([true, false]);
      time.now += 1;
      expect(await looked('b', [1024, 4096])).toBe(true);
      // Together they are ahead of time by as much as they may.
      expect(await looked('c', [1024, 2048])).toBe(true);
      expect(await looked('d', [8, 64])).toBe(false);
      time.now += 60;
      expect(await looked('d', [8, 64])).toBe(true);
    });
  });

  it('keeps as many streams as it may, those that were used last', async () => {
    await withRuntime({}, async (runtime) => {
      const { watch, time, send } = watched(runtime, 4);
      for (let at = 0; at < 100; at++) {
        await send('kept', scheme, values());
        await send(`s${at}`, scheme, values());
        time.now += 7;
      }
      expect(watch.streams.map(({ name }) => name.id)).toEqual(['kept', 's97', 's98', 's99']);
      expect(watch.forgotten).toBe(97);
      expect(watch.traffic.total.batches).toBe(200);
    });
  });

  it('remembers five minutes, whatever happened', async () => {
    await withRuntime({}, async (runtime) => {
      const { time, send, detail } = watched(runtime);
      for (let second = 0; second < 700; second++) {
        await send('a', scheme, values(1 + (second % 3)));
        time.now += 1000;
      }
      const { seconds, traffic, minute, total } = detail('a');
      expect([seconds.length, traffic.batches.length, total.batches]).toEqual([SECONDS - 1, SECONDS - 1, 700]);
      expect(minute!.looks).toBe(59);
      time.now += 60_000;
      expect(detail('a')).toMatchObject({ minute: null, drift: { state: 'none' } });
    });
  });

  it('gives the batch back where it cannot be quantized', async () => {
    await withRuntime({}, async (runtime) => {
      const { send, summary, time } = watched(runtime);
      const bad = values();
      bad[3] = Number.NaN;
      await expect(send('a', scheme, bad)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_NON_FINITE' });
      expect(summary('a')).toMatchObject({ total: { batches: 0, failed: 1 }, minute: null, latency: null });
      time.now += 1000;
      await send('a', { ...scheme, nonFinite: 'saturate' }, bad);
      expect(summary('a').minute!.range!.high).toBeLessThan(100);
    });
  });

  it('notes at once what is quantized at once, and gives a batch back that cannot be', async () => {
    await withRuntime({}, async (runtime) => {
      const { watch, summary } = watched(runtime);
      const now = (data: Float32Array) => {
        const lease = runtime.lease('float32', SHAPE);
        lease.data.set(data);
        return watch.quantizeNow({ id: 's', reference: null }, lease, scheme, (more) =>
          runtime.quantizeSync(lease, scheme, more),
        );
      };
      using quantized = now(values());
      using alone = runtime.quantizeSync({ dtype: 'float32', shape: SHAPE, data: values() }, scheme);
      expect(quantized.data).toEqual(alone.data);
      expect(() => now(values(Number.NaN))).toThrow('NaN');
      await watch.settled();
      expect(watch.looks).toBe(1);
      expect(summary('s').total).toMatchObject({ batches: 1, elements: 512, failed: 1 });
    });
  });

  it('has no channels of tensors with one axis, or with too many', async () => {
    await withRuntime({ memory: '64MiB' }, async (runtime) => {
      const { send, detail, time } = watched(runtime);
      await send('line', scheme, values(), { shape: [512] });
      time.now += 5;
      const wide = [2, MAX_CHANNELS + 1];
      await send('wide', scheme, new Float32Array(wide[0]! * wide[1]!).fill(-2), { shape: wide });
      expect(detail('line').channels).toBeNull();
      expect(detail('wide')).toMatchObject({ channels: null, minute: { range: { low: -2, high: 0 } } });
    });
  });

  it('marks drift where values are three times those of the calibration, and forgets it after a minute', async () => {
    await withRuntime({}, async (runtime) => {
      const { send, summary, time } = watched(runtime);
      const onnx = preset('onnx-dynamic');
      const [min, max] = [Math.min(...values()), Math.max(...values())];
      const how = { reference: { min, max, seenMin: min, seenMax: max, cut: 0 }, range: { min, max } };
      for (let at = 0; at < 20; at++, time.now += 100) await send('a', onnx, values(), how);
      expect(summary('a').drift).toMatchObject({ state: 'ok', reasons: [] });
      await send('a', onnx, values(3), how);
      const { drift, minute } = summary('a');
      expect(drift).toMatchObject({
        state: 'drift',
        beyond: expect.closeTo((2 * Math.max(max, -min)) / (max - min), 5),
      });
      expect(minute!.saturated).toBeGreaterThan(0.001);
      for (let at = 0; at < 62; at++, time.now += 1000) await send('a', onnx, values(), how);
      expect(summary('a').drift.state).toBe('ok');
      for (let at = 0; at < 62; at++, time.now += 1000) await send('a', onnx, values(0.4), how);
      expect(summary('a').drift).toMatchObject({ state: 'drift', ratio: expect.closeTo(0.4, 5) });
    });
  });
});
