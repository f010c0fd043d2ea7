/** Ranges that run along a stream: the order of observing, the bytes, and what becomes of errors. */
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  type PlainTensor,
  quantize,
  type RunningRange,
  type StreamingRuntime,
  type StreamSource,
  type TensorInput,
  TensorLease,
} from '#src/index.js';
import { createObserver, RANGE_METHODS, type RangeMethod } from '#src/ranges/index.js';
import { perChannel } from '#src/scheme/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { collect, ended, endless, LARGE, leased, plain, plains, poison, settle, take, until } from './batches.js';

const SCHEME = 'onnx-dynamic';

/** Small and large batches by turns. */
const MIXED = [64, LARGE, 3, 50_000, 1, LARGE, 32].map((columns, index) => plain(index, columns));

/** Options that let a search take less. */
const QUICK: Partial<Record<RangeMethod, object>> = {
  mse: { bins: 256 },
  entropy: { bins: 256 },
  histogram: { bins: 256 },
};

/** Observes each batch and then quantizes it, one after the other: what a stream must give. */
function byHand(runtime: StreamingRuntime, batches: readonly PlainTensor[], method: RangeMethod): string[] {
  const observer = createObserver(method, QUICK[method]);
  return batches.map((batch) => {
    const ahead = observer.ahead();
    observer.observe(batch.data, batch.dtype, batch.shape);
    return take(runtime.quantizeSync(batch, SCHEME, { range: ahead ?? observer.range() }));
  });
}

/** An observer that notes what it is asked. */
function noting(): RunningRange & { readonly notes: string[] } {
  const notes: string[] = [];
  return {
    notes,
    observe: (values, dtype, shape) => notes.push(`${dtype} [${shape}] ${values.length}`),
    range: () => {
      notes.push('range');
      return { min: -notes.length, max: notes.length };
    },
  };
}

describe.each(RANGE_METHODS)('%s', (method) => {
  it('gives the same bytes whatever is in work', () =>
    withRuntime({ lanes: 2 }, async (runtime) => {
      const expected = byHand(runtime, MIXED, method);
      for (const concurrency of [1, 8]) {
        for (const source of [MIXED, from(MIXED)]) {
          const range = createObserver(method, QUICK[method]);
          const found = await collect(runtime.stream(source as StreamSource, SCHEME, { range, concurrency }));
          expect(found).toEqual(expected);
          expect(range.batches).toBe(MIXED.length);
        }
      }
    }));
});

describe.each(PLACES)('$name', (place) => {
  it('gives the same bytes', () =>
    withRuntime(place, async (runtime) => {
      const range = createObserver('moving-average');
      expect(await collect(runtime.stream(MIXED, SCHEME, { range }))).toEqual(byHand(runtime, MIXED, 'moving-average'));
    }));
});

describe('a stream with an observer', () => {
  it('asks it in the order of the stream, each range after its batch', () =>
    withRuntime({ lanes: 2 }, async (runtime) => {
      const range = noting();
      const results = from(MIXED.slice(0, 3)).pipe(quantize(runtime, SCHEME, { range }));
      const scales: number[] = [];
      await results.forEach((result) => {
        scales.push(result.scale![0]!);
        result.release();
      });
      expect(range.notes).toEqual([
        'float32 [1,64] 64',
        'range',
        `float32 [1,${LARGE}] ${LARGE}`,
        'range',
        'float32 [1,3] 3',
        'range',
      ]);
      expect(scales).toEqual([4, 8, 12].map((extent) => Math.fround(extent / 255)));
    }));

  it('quantizes with the range of the batches before where that is known ahead', () =>
    withRuntime({}, async (runtime) => {
      const batches = [2, 4, 1].map(
        (end) => ({ dtype: 'float32', shape: [1, 2], data: Float32Array.of(end, -end) }) as const,
      );
      const range = createObserver('delayed', { algorithm: 'most_recent' });
      const scales: number[] = [];
      for await (const result of runtime.stream(batches, SCHEME, { range })) {
        scales.push(result.scale![0]!);
        result.release();
      }
      expect(scales).toEqual([448, 2, 4].map((end) => Math.fround((2 * end) / 255)));
      expect(range.range().max[0]).toBe(1);
    }));

  it('takes a range a channel and the 16-bit types', () =>
    withRuntime({}, async (runtime) => {
      const granularity = perChannel(0) as { kind: 'perChannel'; axis: number };
      const range = createObserver('minmax', { granularity });
      const data = Uint16Array.of(0x3f80, 0xbf80, 0x4000, 0x4080); // 1, −1 and 2, 4
      const batches: TensorInput[] = [{ dtype: 'bfloat16', shape: [2, 2], data }];
      for await (const result of runtime.stream(batches, 'torch-int8-per-channel', { range })) {
        expect([...result.scale!]).toEqual([Math.fround(1 / 127.5), Math.fround(4 / 127.5)]);
        result.release();
      }
    }));

  it('goes on with the same observer when it is worked off again, also at the same time', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const range = createObserver('percentile');
      const stream = runtime.stream(plains(5, 40_000), SCHEME, { range });
      await collect(stream);
      await Promise.all([collect(stream), collect(stream)]);
      expect([range.batches, range.elements]).toEqual([15, 600_000]);
    }));

  it('lets the event loop have its turns while it observes', () =>
    withRuntime({ memory: '64MiB' }, async (runtime) => {
      const lease = runtime.lease('float32', [1, 2 ** 23]);
      lease.data.fill(1);
      const range = createObserver('entropy', { bins: 128 });
      let turns = 0;
      let isDone = false;
      const count = (): void => {
        turns++;
        if (!isDone) setImmediate(count);
      };
      const original = range.range.bind(range);
      range.range = () => {
        isDone = true;
        return original();
      };
      setImmediate(count);
      await ended(runtime.stream([lease], SCHEME, { range }));
      // 1,024 steps in slices of 0.4 ms: even a machine ten times as fast as most needs some.
      expect(turns).toBeGreaterThan(4);
    }));

  it('owns a lease while it waits to be observed', () =>
    withRuntime({}, async (runtime) => {
      const lease = leased(runtime, 0, 200_000);
      const results = collect(runtime.stream([lease, lease], SCHEME, { range: createObserver('minmax') }));
      await expect(results).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LEASE_RELEASED' });
    }));

  it('leaves leases to the caller with keep', () =>
    withRuntime({}, async (runtime) => {
      const leases = [0, 1].map((index) => leased(runtime, index));
      const options = { keep: true, range: createObserver('minmax') };
      expect(await collect(runtime.stream(leases, SCHEME, options))).toHaveLength(2);
      for (const lease of leases) lease.release();
    }));
});

describe('what goes wrong', () => {
  it('in a batch ends the stream there, and no later batch is observed', () =>
    withRuntime({ lanes: 2 }, async (runtime) => {
      for (const concurrency of [1, 8]) {
        const range = createObserver('minmax');
        const batches: TensorInput[] = [
          leased(runtime, 0),
          plain(1, LARGE),
          poison(),
          leased(runtime, 3),
          leased(runtime, 4),
        ];
        const found: string[] = [];
        const iterate = async (): Promise<void> => {
          for await (const result of runtime.stream(batches, SCHEME, { range, concurrency })) found.push(take(result));
        };
        await expect(iterate()).rejects.toMatchObject({
          code: 'ERR_QUANTLANE_NON_FINITE',
          details: { count: 1, first: 1 },
        });
        expect(found).toHaveLength(2);
        expect(range.batches).toBe(2);
        for (const batch of batches) if (batch instanceof TensorLease) batch[Symbol.dispose]();
      }
    }));

  it.each<[string, Partial<RunningRange>]>([
    ['throws while it observes', { observe: raise }],
    ['throws when it is asked', { range: raise }],
    ['throws ahead', { ahead: raise }],
  ])('in an observer that %s', (_name, change) =>
    withRuntime({}, async (runtime) => {
      const range = { ...noting(), ...change };
      await expect(ended(runtime.stream([leased(runtime, 0)], SCHEME, { range }))).rejects.toThrow('observer');
    }),
  );

  it('with a range that does not fit', () =>
    withRuntime({}, async (runtime) => {
      const range = createObserver('minmax');
      const many = { dtype: 'float32', shape: [4, 8], data: new Float32Array(32).fill(1) } as const;
      await expect(ended(runtime.stream([many], 'torchao-int8', { range }))).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_PARAMETERS',
      });
    }));

  it('with a tensor that is none', () =>
    withRuntime({}, async (runtime) => {
      const range = createObserver('minmax');
      const results = ended(runtime.stream([null as unknown as TensorInput], SCHEME, { range }));
      await expect(results).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    }));
});

describe('leaving', () => {
  it('by a signal releases the batches that wait to be observed', () =>
    withRuntime({}, async (runtime) => {
      const stop = new AbortController();
      const range = createObserver('moving-average');
      const batches = [0, 1, 2].map((index) => leased(runtime, index, 1_000_000));
      const results = ended(runtime.stream(from(batches), SCHEME, { range, signal: stop.signal }));
      stop.abort(new Error('enough'));
      await expect(results).rejects.toThrow('enough');
      await settle();
      for (const { state } of batches) expect(state).toBe('released');
      // What was given up half-way has changed nothing.
      expect(range.batches).toBeLessThan(3);
    }));

  it('by a break lets the observer be used further', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const range = createObserver('minmax');
      const { state, source } = endless((index) => plain(index, 20_000));
      for await (const result of runtime.stream(source(), SCHEME, { range, concurrency: 2 })) {
        result.release();
        if (range.batches > 4) break;
      }
      await until(() => state.isDone);
      await settle();
      const { batches } = range;
      await collect(runtime.stream(plains(2), SCHEME, { range }));
      expect(range.batches).toBe(batches + 2);
    }));
});

function raise(): never {
  throw new Error('observer');
}
