/** Pull sources are asked only while there is room, and at most `concurrency` ahead. */
import { describe, expect, it } from 'vitest';
import type { PlainTensor, QuantizedTensor, TensorInput, TensorLease } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { collect, LARGE, leased, plain, plains, SCHEME, settle, take } from './batches.js';

/** A source that counts what is asked of it. */
function counted(make: (index: number) => TensorInput, count = Number.POSITIVE_INFINITY) {
  const state = { pulled: 0, open: 0, mostOpen: 0 };
  const source = {
    state,
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<TensorInput>> {
        state.open++;
        state.mostOpen = Math.max(state.mostOpen, state.open);
        await settle(1);
        state.open--;
        if (state.pulled >= count) return { value: undefined, done: true };
        return { value: make(state.pulled++), done: false };
      },
    }),
  };
  return source;
}

describe('a pull source', () => {
  it.each([1, 2, 5, 16])('is at most %i batches ahead of who iterates', (concurrency) =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const source = counted((index) => plain(index, index % 3 === 0 ? 200_000 : 64), 40);
      let taken = 0;
      for await (const result of runtime.stream(source, SCHEME, { concurrency })) {
        taken++;
        result.release();
        await settle(6);
        expect(source.state.pulled - taken).toBeLessThanOrEqual(concurrency);
      }
      expect(taken).toBe(40);
      expect(source.state.mostOpen).toBe(1);
    }),
  );

  it('is not touched before somebody asks', () =>
    withRuntime({}, async (runtime) => {
      const source = counted(plain);
      const iterator = runtime.stream(source, SCHEME)[Symbol.asyncIterator]();
      await settle();
      expect(source.state.pulled).toBe(0);
      await iterator.return!();
      expect(source.state.pulled).toBe(0);
    }));

  it('works ahead while nobody takes, as far as the concurrency goes', () =>
    withRuntime({}, async (runtime) => {
      const source = counted(plain);
      const iterator = runtime.stream(source, SCHEME, { concurrency: 5 })[Symbol.asyncIterator]();
      (await iterator.next()).value!.release();
      await settle(60);
      expect(source.state.pulled).toBe(6);
      await iterator.return!();
    }));

  it.each(['plain', 'leased'])('stalls while results are not released, and goes on after (%s)', (kind) =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      // 4 KiB a batch, 1.1 KiB a result: some forty results fill the arena.
      const make = (index: number) => (kind === 'plain' ? plain(index, 1024) : leased(runtime, index, 1024));
      const source = counted(make, 300);
      const held: QuantizedTensor[] = [];
      let isDone = false;
      const errors: unknown[] = [];
      runtime.stream(source, SCHEME).subscribe({
        next: (result) => held.push(result),
        error: (error) => errors.push(error),
        complete: () => {
          isDone = true;
        },
      });
      let stalls = 0;
      while (!isDone && errors.length === 0) {
        await settle(60);
        const { pulled } = source.state;
        await settle(30);
        expect(source.state.pulled).toBe(pulled);
        expect(held.length).toBeLessThan(60);
        if (!isDone) stalls++;
        for (const result of held.splice(0)) take(result);
        if (stalls > 100) break;
      }
      expect(errors).toEqual([]);
      expect(source.state.pulled).toBe(300);
      expect(stalls).toBeGreaterThan(4);
      expect(runtime.metrics().arena.peak).toBeLessThanOrEqual(65_536);
    }),
  );

  it('may lease without waiting: it is asked only where there is room', () =>
    withRuntime({ memory: '64KiB', lanes: 1 }, async (runtime) => {
      const source = function* () {
        for (let index = 0; index < 500; index++) yield leased(runtime, index, 1000 + (index % 4));
      };
      let count = 0;
      let last: QuantizedTensor | undefined;
      for await (const result of runtime.stream(source(), SCHEME, { concurrency: 64 })) {
        // One result is held for longer.
        last?.release();
        last = result;
        if (count++ % 50 === 0) await settle(5);
      }
      last?.release();
      expect(count).toBe(500);
      expect(runtime.metrics().copiedBytes).toBe(0);
    }));

  it('goes on beside memory that somebody keeps', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      // 24 KiB are left free: enough for a batch of 16 KiB with its result, not for two batches.
      const other = runtime.lease('float32', [10 * 1024]);
      expect(await collect(runtime.stream(plains(20, 4096), SCHEME))).toHaveLength(20);
      other.release();
    }));

  it('may bring batches that nearly fill the arena', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      expect(await collect(runtime.stream(plains(10, 12_000), SCHEME))).toHaveLength(10);
    }));

  it('may bring many times what the arena holds', () =>
    withRuntime({ lanes: 2, memory: '4MiB' }, async (runtime) => {
      const batch = plain(1, LARGE);
      const source = function* (): Generator<PlainTensor> {
        for (let index = 0; index < 120; index++) yield batch;
      };
      let elements = 0;
      await runtime.stream(source(), SCHEME).forEach((result) => {
        elements += result.data.length;
        result.release();
      });
      expect(elements).toBe(120 * LARGE);
      expect(runtime.metrics().arena.peak).toBeLessThanOrEqual(4 * 2 ** 20);
    }));

  it('waits for the memory of another stream', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const held: QuantizedTensor[] = [];
      const first = runtime.stream(
        counted((index) => leased(runtime, index, 1024), 60),
        SCHEME,
      );
      const subscription = first.subscribe((result) => held.push(result));
      await settle(60);
      expect(held.length).toBeGreaterThan(10);
      const source = counted((index) => leased(runtime, index, 1024), 5);
      const second = collect(runtime.stream(source, SCHEME));
      await settle(60);
      subscription.unsubscribe();
      for (const result of held) result.release();
      expect(await second).toHaveLength(5);
    }));

  it('lets the event loop have its turns', () =>
    withRuntime({}, async (runtime) => {
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      const batch = plain(1, 20_000);
      const source = function* (): Generator<PlainTensor> {
        for (let index = 0; index < 500; index++) yield batch;
      };
      for await (const result of runtime.stream(source(), SCHEME)) result.release();
      clearInterval(timer);
      expect(turns).toBeGreaterThan(3);
    }));

  it('listens only while there is no room, and leaves nothing listening', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const { arena } = runtime.engine;
      let listening = 0;
      const onRelease = arena.onRelease.bind(arena);
      arena.onRelease = (listener) => {
        const off = onRelease(listener);
        listening++;
        return () => {
          listening--;
          off();
        };
      };
      await collect(runtime.stream(plains(5), SCHEME));
      const iterator = runtime.stream(plains(20), SCHEME, { concurrency: 1 })[Symbol.asyncIterator]();
      take((await iterator.next()).value!);
      expect(listening).toBe(0);
      // The second batch is done before there is no room left.
      await settle();
      const held: TensorLease[] = [];
      while (runtime.hasRoom('float32', [1])) held.push(runtime.lease('float32', [1]));
      take((await iterator.next()).value!);
      while (runtime.hasRoom('float32', [1])) held.push(runtime.lease('float32', [1]));
      const next = iterator.next();
      await settle();
      expect(listening).toBe(1);
      for (const lease of held) lease.release();
      take((await next).value!);
      await iterator.return!();
      expect(listening).toBe(0);
      await settle();
    }));
});
