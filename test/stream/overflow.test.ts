/** Push sources that are too fast: every policy keeps its word, and dropped leases are back. */
import { asyncScheduler, from, Observable, Subject, scheduled } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { buffer, quantize, type TensorInput, type TensorLease } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { collect, leased, oneByOne, plain, plains, SCHEME, settle, take } from './batches.js';

/** Nothing is done at once, so that batches are in work while others come. */
const BUSY = { inPlaceLimit: 0 };
const OVERFLOW = { code: 'ERR_QUANTLANE_OVERFLOW' };

describe('overflow', () => {
  it('buffers 256 batches where nothing else is asked for', () =>
    withRuntime(BUSY, async (runtime) => {
      const batches = plains(264);
      expect(await collect(runtime.stream(from(batches), SCHEME))).toEqual(oneByOne(runtime, batches));
      await expect(collect(runtime.stream(from(plains(265)), SCHEME))).rejects.toMatchObject(OVERFLOW);
      await settle();
    }));

  it.each([0, 1, 10])('buffer(%i) fails with one more', (room) =>
    withRuntime(BUSY, async (runtime) => {
      const options = { concurrency: 2, overflow: buffer(room) };
      expect(await collect(runtime.stream(from(plains(2 + room)), SCHEME, options))).toHaveLength(2 + room);
      const leases = Array.from({ length: 3 + room }, (_, index) => leased(runtime, index));
      const failing = collect(runtime.stream(from(leases), SCHEME, options));
      await expect(failing).rejects.toMatchObject({ ...OVERFLOW, details: { concurrency: 2, room } });
      await settle();
      expect(leases.every(({ released }) => released)).toBe(true);
    }),
  );

  it('error fails with the first batch that would wait', () =>
    withRuntime(BUSY, async (runtime) => {
      const options = { concurrency: 3, overflow: 'error' } as const;
      expect(await collect(runtime.stream(from(plains(3)), SCHEME, options))).toHaveLength(3);
      await expect(collect(runtime.stream(from(plains(4)), SCHEME, options))).rejects.toMatchObject(OVERFLOW);
      await settle();
    }));

  it('stops a source that overflows while it is subscribed to', () =>
    withRuntime(BUSY, async (runtime) => {
      let pushed = 0;
      const source = new Observable<TensorInput>((subscriber) => {
        while (!subscriber.closed && pushed < 1000) subscriber.next(plain(pushed++));
      });
      await expect(collect(runtime.stream(source, SCHEME, { overflow: 'error' }))).rejects.toMatchObject(OVERFLOW);
      expect(pushed).toBe(9);
      await settle();
    }));

  it('gives back what a source pushes that does not stop', () =>
    withRuntime(BUSY, async (runtime) => {
      const source = new Subject<TensorInput>();
      const errors: unknown[] = [];
      source.pipe(quantize(runtime, SCHEME, { overflow: 'error', concurrency: 1 })).subscribe({
        next: take,
        error: (error) => errors.push(error),
      });
      const leases = [0, 1, 2, 3].map((index) => leased(runtime, index));
      for (const lease of leases.slice(0, 2)) source.next(lease);
      expect(errors).toHaveLength(1);
      expect(source.observed).toBe(false);
      await settle();
      for (const lease of leases.slice(2)) lease.release();
    }));

  it.each([
    ['drop-newest', [0, 1, 2, 3], [4, 5, 6, 7, 8, 9]],
    ['drop-oldest', [0, 1, 8, 9], [2, 3, 4, 5, 6, 7]],
  ] as const)('%s drops the right ones', (overflow, kept, dropped) =>
    withRuntime(BUSY, async (runtime) => {
      const leases = Array.from({ length: 10 }, (_, index) => leased(runtime, index));
      const seen: number[] = [];
      const onDrop = (batch: TensorInput) => {
        // Its lease is back by now.
        expect((batch as TensorLease).released).toBe(true);
        seen.push(leases.indexOf(batch as TensorLease));
      };
      const stream = runtime.stream(from(leases), SCHEME, { concurrency: 2, overflow, onDrop });
      expect(await collect(stream)).toEqual(
        oneByOne(
          runtime,
          kept.map((index) => plain(index)),
        ),
      );
      expect(seen).toEqual(dropped);
    }),
  );

  it.each(['drop-newest', 'drop-oldest'] as const)('%s keeps the order, and drops nothing in time', (overflow) =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const onDrop = vi.fn();
      const batches = plains(30);
      const slow = scheduled(batches, asyncScheduler);
      const found = await collect(runtime.stream(slow, SCHEME, { overflow, onDrop }));
      expect(found).toEqual(oneByOne(runtime, batches));
      expect(onDrop).not.toHaveBeenCalled();
    }),
  );

  it('never drops a lease that stays the caller’s', () =>
    withRuntime(BUSY, async (runtime) => {
      const leases = Array.from({ length: 6 }, (_, index) => leased(runtime, index));
      const onDrop = vi.fn();
      const options = { concurrency: 1, overflow: 'drop-newest', keep: true, onDrop } as const;
      expect(await collect(runtime.stream(from(leases), SCHEME, options))).toHaveLength(2);
      expect(onDrop).toHaveBeenCalledTimes(4);
      for (const lease of leases) lease.release();
    }));

  it('ends with what onDrop throws', () =>
    withRuntime(BUSY, async (runtime) => {
      const onDrop = () => {
        throw new RangeError('enough');
      };
      const leases = Array.from({ length: 20 }, (_, index) => leased(runtime, index));
      const stream = runtime.stream(from(leases), SCHEME, { concurrency: 1, overflow: 'drop-oldest', onDrop });
      await expect(collect(stream)).rejects.toThrow('enough');
      await settle();
      for (const lease of leases) lease[Symbol.dispose]();
    }));

  it('counts results that are not taken', () =>
    withRuntime(BUSY, async (runtime) => {
      const source = new Subject<TensorInput>();
      const onDrop = vi.fn();
      const options = { concurrency: 2, overflow: 'drop-newest', onDrop } as const;
      const iterator = runtime.stream(source, SCHEME, options)[Symbol.asyncIterator]();
      const first = iterator.next();
      for (let index = 0; index < 10; index++) {
        source.next(plain(index));
        await settle();
      }
      take((await first).value!);
      // One is with the consumer, two are done and two wait.
      expect(onDrop).toHaveBeenCalledTimes(5);
      await iterator.return!();
      await settle();
    }));

  it.each([
    { concurrency: 0 },
    { concurrency: 1.5 },
    { concurrency: '3' },
    { overflow: 'drop' },
    { overflow: { buffer: -1 } },
    { overflow: { buffer: Number.POSITIVE_INFINITY } },
    { overflow: null },
  ])('refuses %j', (options) =>
    withRuntime({}, (runtime) => {
      const refused = expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' });
      expect(() => runtime.stream([], SCHEME, options as never)).toThrow(refused);
      expect(() => quantize(runtime, SCHEME, options as never)).toThrow(refused);
    }),
  );

  it('refuses a buffer of what is no number', () => {
    for (const wrong of [-1, 0.5, Number.NaN, '3', undefined]) {
      expect(() => buffer(wrong as number)).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' }));
    }
  });
});
