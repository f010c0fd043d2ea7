/** What goes wrong ends the stream where its turn is, and everything is back. */
import { concat, from, Observable, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { StreamSource, TensorInput } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { ended, LARGE, leased, oneByOne, plain, plains, poison, SCHEME, settle, take } from './batches.js';

const NON_FINITE = { code: 'ERR_QUANTLANE_NON_FINITE', details: { count: 1, first: 1 } };

describe.each([0, 2])('with %i lanes', (lanes) => {
  const bad = [plain(0), plain(1, LARGE), poison(), plain(3), plain(4, LARGE), plain(5)];
  const sources: [string, () => StreamSource][] = [
    ['an Observable', () => from(bad)],
    ['an Iterable', () => bad],
    [
      'an AsyncIterable',
      async function* () {
        yield* bad;
      } as () => StreamSource,
    ],
  ];

  it.each(sources)('a batch that is refused ends a stream of %s after those before it', (_name, source) =>
    withRuntime({ lanes }, async (runtime) => {
      const found: string[] = [];
      const subscribed = runtime.stream(source(), SCHEME).forEach((result) => {
        found.push(take(result));
      });
      await expect(subscribed).rejects.toMatchObject(NON_FINITE);
      expect(found).toEqual(oneByOne(runtime, bad.slice(0, 2)));
      found.length = 0;
      const iterate = async () => {
        for await (const result of runtime.stream(source(), SCHEME)) found.push(take(result));
      };
      await expect(iterate()).rejects.toMatchObject(NON_FINITE);
      expect(found).toEqual(oneByOne(runtime, bad.slice(0, 2)));
      await settle();
    }),
  );

  it.each([
    [
      'an Observable',
      () =>
        concat(
          of(plain(0)),
          throwError(() => new RangeError('source')),
        ),
    ],
    [
      'an Observable that throws',
      () =>
        new Observable<TensorInput>(() => {
          throw new RangeError('source');
        }),
    ],
    [
      'an AsyncIterable',
      async function* () {
        yield plain(0);
        throw new RangeError('source');
      } as () => StreamSource,
    ],
    [
      'an Iterable',
      function* () {
        yield plain(0);
        throw new RangeError('source');
      } as () => StreamSource,
    ],
    [
      'a ReadableStream',
      () =>
        new ReadableStream<TensorInput>({
          pull() {
            throw new RangeError('source');
          },
        }),
    ],
    [
      'an iterator that cannot be had',
      () =>
        ({
          [Symbol.iterator]() {
            throw new RangeError('source');
          },
        }) as never,
    ],
  ])('an error of %s is that of the stream', (_name, source: () => StreamSource) =>
    withRuntime({ lanes }, async (runtime) => {
      const subscribed = runtime.stream(source(), SCHEME).forEach((result) => {
        take(result);
      });
      await expect(subscribed).rejects.toThrow('source');
      const iterator = runtime.stream(source(), SCHEME)[Symbol.asyncIterator]();
      const steps = await Promise.allSettled([iterator.next(), iterator.next(), iterator.next()]);
      const failures = steps.flatMap((step) => (step.status === 'rejected' ? [step.reason] : []));
      expect(failures).toMatchObject([{ message: 'source' }]);
      for (const step of steps) if (step.status === 'fulfilled' && step.value.value) take(step.value.value);
      await settle();
    }),
  );
});

describe('a stream', () => {
  it('releases leases behind a batch that is refused', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const leases = [0, 1, 2, 3, 4].map((index) => leased(runtime, index, index % 2 === 0 ? 64 : LARGE));
      leases[1]!.data[7] = Number.POSITIVE_INFINITY;
      const found: string[] = [];
      const stream = runtime.stream(from(leases), SCHEME, { concurrency: 2 });
      const failing = stream.forEach((result) => {
        found.push(take(result));
      });
      await expect(failing).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_NON_FINITE',
        details: { count: 1, first: 7 },
      });
      expect(found).toHaveLength(1);
      await settle();
      expect(leases.every(({ released }) => released)).toBe(true);
    }));

  it('ends with an error once', () =>
    withRuntime({}, async (runtime) => {
      const iterator = runtime.stream([poison(), poison()], SCHEME)[Symbol.asyncIterator]();
      await expect(iterator.next()).rejects.toMatchObject(NON_FINITE);
      expect(await iterator.next()).toEqual({ value: undefined, done: true });
    }));

  it('does not call return() of an iterator that failed or ended', () =>
    withRuntime({}, async (runtime) => {
      let returned = 0;
      const stream = (next: () => IteratorResult<TensorInput, undefined>) => {
        const end = () => {
          returned++;
          return { value: undefined, done: true } as const;
        };
        return runtime.stream({ [Symbol.iterator]: () => ({ next, return: end }) }, SCHEME);
      };
      const failing = stream(() => {
        throw new Error('next');
      });
      await expect(ended(failing)).rejects.toThrow('next');
      await ended(stream(() => ({ value: undefined, done: true })));
      expect(returned).toBe(0);
      await expect(ended(stream(() => ({ value: poison() })))).rejects.toMatchObject(NON_FINITE);
      expect(returned).toBe(1);
      await settle();
    }));

  it('refuses what is no tensor where its turn is', () =>
    withRuntime({}, async (runtime) => {
      for (const wrong of [undefined, null, 3, {}, { dtype: 'float32', shape: [2], data: Float32Array.of(1) }]) {
        let count = 0;
        const stream = runtime.stream([plain(0), wrong as never], SCHEME);
        const failing = stream.forEach((result) => {
          count++;
          take(result);
        });
        await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/ARGUMENT|DTYPE|SHAPE/) });
        expect(count).toBe(1);
      }
      await settle();
    }));

  it('refuses a lease that is used up', () =>
    withRuntime({}, async (runtime) => {
      const lease = leased(runtime, 0);
      const stream = runtime.stream([lease, lease], SCHEME);
      const failing = stream.forEach((result) => {
        take(result);
      });
      await expect(failing).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LEASE_RELEASED' });
    }));

  it('refuses what is no source at once, and an unknown preset with the first batch', () =>
    withRuntime({}, async (runtime) => {
      for (const wrong of [undefined, null, 3, 'text', {}, () => []]) {
        expect(() => runtime.stream(wrong as never, SCHEME)).toThrow(
          expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' }),
        );
      }
      const unknown = ended(runtime.stream(plains(2), 'no-such-preset'));
      await expect(unknown).rejects.toMatchObject({ code: 'ERR_QUANTLANE_PRESET' });
      await settle();
    }));

  it('says so where a batch can never have room', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const failing = ended(runtime.stream(plains(2, 100_000), SCHEME));
      await expect(failing).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL' });
    }));

  it('fails on a ReadableStream that somebody else reads, and leaves it alone', () =>
    withRuntime({}, async (runtime) => {
      const source = new ReadableStream<TensorInput>();
      const reader = source.getReader();
      await expect(ended(runtime.stream(source, SCHEME))).rejects.toThrow(TypeError);
      reader.releaseLock();
      expect(source.locked).toBe(false);
    }));
});
