/** Small batches that share a descriptor on their way to a lane. */
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Runtime, SchemeInput } from '#src/index.js';
import { Ring } from '#src/memory/index.js';
import { type Flight, newFlight } from '#src/runtime/flight.js';
import { type Job, type JobKind, jobKind, NOWHERE, type Places } from '#src/runtime/job.js';
import { joined } from '#src/runtime/joined.js';
import { Mode, Op, Source } from '../../src/scheme/codes.js';
import { rejection } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { expectSame, FORCED, leaseOf, type Result, resultAtOnce, take, valuesOf } from './helpers.js';

const ONE_LANE = { lanes: 1, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const PRESETS = ['vllm-int8-per-token', 'onnx-dynamic', 'xnnpack-qd8', 'ggml-q8_0', 'torchao-int8'] as const;

/** Asks for all batches in one turn of the event loop, while the only lane is held up, so that they wait together. */
async function together<T>(runtime: Runtime, ask: () => T[]): Promise<T[]> {
  const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
  const first = runtime.quantize(gate.lease, 'torchao-int8').then(take);
  await gate.held();
  const asked = ask();
  await pause(2);
  gate.open();
  await first;
  return asked;
}

describe('which jobs are joined', () => {
  const kindOf = (mode: Mode, elements: number, op: Op = Op.Segments): JobKind => {
    const sizes = { units: 1, elements, length: elements, group: 0, count: 0, parts: 0, inner: 0 };
    return jobKind(mode, Source.Data, { op, unitElements: elements, ...sizes }, new Int32Array(96), false);
  };
  const KIND = kindOf(Mode.Quantize, 4_096);
  const flightOf = (job: Job): Flight => newFlight(job, {}, 0, { resolve: () => undefined, reject: () => undefined });
  const at = (values: number, start: number, more: Partial<Places> = {}): Places => ({
    ...NOWHERE,
    values,
    codes: start,
    scale: start + 4_096,
    ...more,
  });
  const join = (flights: readonly Flight[], laneCount = 1): readonly Flight[] | undefined => {
    const queue = flights.slice(1);
    const waiting = queue.length;
    const go = () => void queue.shift();
    joined(flights[0]!, laneCount, waiting, () => queue[0], go);
    return flights[0]!.run?.flights;
  };

  test('those of one kind, up to twelve', () => {
    const flights = Array.from({ length: 20 }, (_, k) => flightOf({ kind: KIND, places: at(k * 16_384, k * 4_160) }));
    expect(join(flights)).toEqual(flights.slice(0, 12));
    expect(flights[3]!.run).toBe(flights[0]!.run);
    expect(flights[0]!.run!.batches[3]).toEqual({ values: 3 * 16_384, shift: 3 * 4_160 });
    expect(flights[12]!.run).toBeUndefined();
  });

  test('no more than leave work for every lane', () => {
    const flights = Array.from({ length: 8 }, () => flightOf({ kind: KIND, places: at(64, 128) }));
    expect(join(flights, 4)).toHaveLength(2);
  });

  test('no more values than a part of a large job has', () => {
    const kind = kindOf(Mode.Quantize, 30_000);
    const flights = Array.from({ length: 5 }, () => flightOf({ kind, places: at(64, 128) }));
    expect(join(flights)).toHaveLength(2);
  });

  test.each([
    ['of another kind', { kind: kindOf(Mode.Quantize, 4_096), places: at(64, 128) }],
    ['whose addresses lie in another order', { kind: KIND, places: at(64, 128, { scale: 64 }) }],
    ['with one address more', { kind: KIND, places: at(64, 128, { statistics: 4_096 }) }],
    ['of another seed', { kind: KIND, places: at(64, 128, { seed: 1 }) }],
  ])('not one %s', (_, other) => {
    expect(join([flightOf({ kind: KIND, places: at(0, 64) }), flightOf(other)])).toBeUndefined();
  });

  test('not one that was in a run before, not a range, and not one of several parts', () => {
    const alone = flightOf({ kind: KIND, places: at(64, 128) });
    alone.isAlone = true;
    expect(join([flightOf({ kind: KIND, places: at(0, 64) }), alone])).toBeUndefined();
    expect(join([alone, flightOf({ kind: KIND, places: at(0, 64) })])).toBeUndefined();
    const range = kindOf(Mode.Range, 4_096, Op.Tensor);
    expect(join([0, 1].map(() => flightOf({ kind: range, places: at(0, 64) })))).toBeUndefined();
    const sizes = { units: 2, elements: 200_000, length: 100_000, group: 0, count: 0, parts: 0, inner: 0 };
    const layout = { op: Op.Segments, unitElements: 100_000, ...sizes };
    const kind = jobKind(Mode.Quantize, Source.Data, layout, new Int32Array(96), false);
    expect(join([0, 1].map(() => flightOf({ kind, places: at(0, 64) })))).toBeUndefined();
  });
});

describe('joined batches', () => {
  test.each(PRESETS)('have the bytes that each has alone: %s', async (scheme) => {
    await withRuntime(ONE_LANE, async (runtime) => {
      const shape = [3, 256];
      const publish = vi.spyOn(Ring.prototype, 'publish');
      const inputs = Array.from({ length: 30 }, (_, k) => valuesOf(768, k + 2));
      const calls = await together(runtime, () =>
        inputs.map((values) => runtime.quantize(leaseOf(runtime, shape, values), scheme, { stats: true })),
      );
      for (const [k, call] of calls.entries()) {
        const quantized = await call;
        using alone = runtime.quantizeSync({ dtype: 'float32', shape, data: inputs[k]! }, scheme, { stats: true });
        expect(quantized.stats, `statistics of ${k}`).toEqual(alone.stats);
        expectSame(take(quantized), resultAtOnce(runtime, shape, inputs[k]!, scheme), `batch ${k}`);
      }
      expect(runtime.metrics()).toMatchObject({ failed: 0, jobs: { replayed: 0, poisoned: 0 } });
      // The gate, and 30 batches in twelves.
      expect(publish).toHaveBeenCalledTimes(4);
      publish.mockRestore();
    });
  });

  test('are read back alike', async () => {
    await withRuntime(ONE_LANE, async (runtime) => {
      const values = Array.from({ length: 12 }, (_, k) => valuesOf(512, k + 2));
      const codes = values.map((each) => runtime.quantizeSync(leaseOf(runtime, [2, 256], each), 'xnnpack-qd8'));
      const calls = await together(runtime, () => codes.map((each) => runtime.dequantize(each)));
      for (const [k, call] of calls.entries()) {
        using actual = await call;
        using expected = runtime.dequantizeSync(codes[k]!);
        expect(actual.data, `batch ${k}`).toEqual(expected.data);
        codes[k]!.release();
      }
    });
  });

  test.each([
    ['that kills a lane', Fault.AlwaysExit, 'ERR_QUANTLANE_POISON_BATCH', 10],
    ['that traps', Fault.Trap, 'ERR_QUANTLANE_KERNEL', 0],
  ])('one %s is rejected alone', async (_, fault, code, replayed) => {
    await withRuntime({ ...ONE_LANE, lanes: 1 }, async (runtime) => {
      const values = valuesOf(256, 9);
      const calls = await together(runtime, () =>
        Array.from({ length: 10 }, (_, k) =>
          k === 4
            ? rejection(runtime.quantize(faultyBatch(runtime, fault, [4, 64]).lease, 'torchao-int8'))
            : runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8').then(take),
        ),
      );
      const right = resultAtOnce(runtime, [4, 64], values, 'torchao-int8');
      for (const [k, result] of (await Promise.all(calls)).entries()) {
        if (k === 4) expect(result).toBe(code);
        else expectSame(result as Result, right, `batch ${k}`);
      }
      const { jobs, failed } = runtime.metrics();
      expect(failed).toBe(1);
      expect(jobs.replayed).toBeGreaterThanOrEqual(replayed === 0 ? 0 : 2);
      expect(jobs.poisoned).toBe(replayed === 0 ? 0 : 1);
    });
  });

  test('one with values that are not finite is rejected alone, and says where', async () => {
    await withRuntime(ONE_LANE, async (runtime) => {
      const values = valuesOf(256, 9);
      const bad = Float32Array.from(values);
      bad[100] = Number.NaN;
      bad[200] = Number.POSITIVE_INFINITY;
      const calls = await together(runtime, () =>
        [values, bad, values].map((each) =>
          runtime.quantize(leaseOf(runtime, [4, 64], each), 'torchao-int8').then(take, (error: unknown) => error),
        ),
      );
      const [one, error, two] = await Promise.all(calls);
      expect(error).toMatchObject({ code: 'ERR_QUANTLANE_NON_FINITE', details: { count: 2, first: 100 } });
      const right = resultAtOnce(runtime, [4, 64], values, 'torchao-int8');
      for (const result of [one, two]) expectSame(result as Result, right);
    });
  });

  test('those that are given up are, and the others are not', async () => {
    await withRuntime(ONE_LANE, async (runtime) => {
      const values = valuesOf(256, 9);
      const reasons = [new Error('one'), new Error('all')];
      const stops = reasons.map(() => new AbortController());
      const call = (signal?: AbortSignal) =>
        runtime
          .quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8', signal === undefined ? {} : { signal })
          .then(take, (error: unknown) => error);
      const calls = await together(runtime, () => {
        const mixed = [call(), call(stops[0]!.signal), call()];
        setTimeout(() => stops[0]!.abort(reasons[0]), 0);
        return mixed;
      });
      const [one, given, two] = await Promise.all(calls);
      expect(given).toBe(reasons[0]);
      const right = resultAtOnce(runtime, [4, 64], values, 'torchao-int8');
      for (const result of [one, two]) expectSame(result as Result, right);
      const before = (await runtime.lanes[0]!.stats()).batches;
      const all = await together(runtime, () => {
        const every = [1, 2, 3].map(() => call(stops[1]!.signal));
        setTimeout(() => stops[1]!.abort(reasons[1]), 0);
        return every;
      });
      expect(await Promise.all(all)).toEqual([reasons[1], reasons[1], reasons[1]]);
      // That of the gate alone: nobody wanted the others.
      expect((await runtime.lanes[0]!.stats()).batches - before).toBe(1);
    });
  });

  test('of any mixture come out right, and none is lost', { timeout: 60_000 }, async () => {
    const batch = fc.record({
      scheme: fc.constantFrom<SchemeInput>(...PRESETS),
      rows: fc.constantFrom(1, 2, 40),
      fate: fc.constantFrom('right', 'right', 'right', 'right', 'dies once', 'aborted'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 40 }), fc.constantFrom(1, 2), async (all, count) => {
        await withRuntime({ ...ONE_LANE, lanes: count }, async (runtime) => {
          const calls = all.map(({ scheme, rows, fate }, k) => {
            const { lease, values } = faultyBatch(runtime, fate === 'dies once' ? Fault.ExitOnce : 0, [rows, 512], k);
            const stop = new AbortController();
            const call = runtime
              .quantize(lease, scheme, { signal: stop.signal })
              .then((quantized) => ({ taken: take(quantized) }));
            call.catch(() => undefined);
            if (fate === 'aborted') stop.abort('given up');
            return { call, values, rows, scheme, fate };
          });
          for (const { call, values, rows, scheme, fate } of calls) {
            if (fate === 'aborted') await expect(call).rejects.toBe('given up');
            else expectSame((await call).taken, resultAtOnce(runtime, [rows, 512], values, scheme));
          }
        });
      }),
      { numRuns: 12 },
    );
  });
});
