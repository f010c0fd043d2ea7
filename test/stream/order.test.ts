/** Every source and every consumer: all results, in order, the same bytes as one by one. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { from, Observable, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type PlainTensor, QuantizedStream, quantize, type StreamSource } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { collect, LARGE, oneByOne, plain, plains, SCHEME, SMALL, settle, take } from './batches.js';

const SOURCES: Record<string, (batches: PlainTensor[]) => StreamSource> = {
  Observable: (batches) => from(batches),
  'late Observable': (batches) =>
    new Observable((subscriber) => {
      let index = 0;
      const timer = setInterval(() => {
        if (index < batches.length) subscriber.next(batches[index++]!);
        else subscriber.complete();
      });
      return () => clearInterval(timer);
    }),
  AsyncIterable: async function* (batches) {
    for (const batch of batches) {
      await settle(1);
      yield batch;
    }
  },
  Iterable: (batches) => batches,
  'iterable generator': function* (batches) {
    yield* batches;
  } as (batches: PlainTensor[]) => Iterable<PlainTensor>,
  ReadableStream: (batches) =>
    new ReadableStream<PlainTensor>({
      start(controller) {
        for (const batch of batches) controller.enqueue(batch);
        controller.close();
      },
    }),
  'Node stream': (batches) => Readable.from(batches),
};

/** Small and large batches by turns, so that later ones are done before earlier ones. */
const MIXED = [SMALL, LARGE, SMALL, 3, LARGE, 50_000, SMALL, 1, LARGE, SMALL, 32, 100_000];

describe.each(Object.entries(SOURCES))('from %s', (_name, source) => {
  it('gives an Observable in order', () =>
    withRuntime({}, async (runtime) => {
      const batches = plains(50);
      const found: string[] = [];
      await runtime.stream(source(batches), SCHEME).forEach((result) => {
        found.push(take(result));
      });
      expect(found).toEqual(oneByOne(runtime, batches));
    }));

  it('gives an AsyncIterable in order', () =>
    withRuntime({}, async (runtime) => {
      const batches = plains(50);
      expect(await collect(runtime.stream(source(batches), SCHEME))).toEqual(oneByOne(runtime, batches));
    }));

  it('ends at once where there is nothing', () =>
    withRuntime({}, async (runtime) => {
      expect(await collect(runtime.stream(source([]), SCHEME))).toEqual([]);
      expect(await collect(runtime.stream(source([]), SCHEME))).toEqual([]);
    }));
});

describe.each(PLACES)('$name', (place) => {
  it('keeps the order of batches of different sizes', () =>
    withRuntime(place, async (runtime) => {
      const batches = MIXED.map((columns, index) => plain(index, columns));
      const expected = oneByOne(runtime, batches);
      for (const concurrency of [1, 3, 8, 32]) {
        expect(await collect(runtime.stream(batches, SCHEME, { concurrency }))).toEqual(expected);
        expect(await collect(runtime.stream(from(batches), SCHEME, { concurrency }))).toEqual(expected);
      }
    }));
});

describe('a stream', () => {
  it('is what the operator gives', () =>
    withRuntime({}, async (runtime) => {
      const batches = plains(10);
      const results = from(batches).pipe(quantize(runtime, SCHEME));
      expect(results).toBeInstanceOf(QuantizedStream);
      expect(await collect(results as QuantizedStream)).toEqual(oneByOne(runtime, batches));
    }));

  it('goes through further operators', () =>
    withRuntime({}, async (runtime) => {
      const batches = plains(10);
      const source = new Subject<PlainTensor>();
      const found: string[][] = [];
      source
        .pipe(
          quantize(runtime, SCHEME),
          (results) =>
            new Observable<string>((subscriber) =>
              results.subscribe({
                next: (result) => subscriber.next(take(result)),
                complete: () => subscriber.complete(),
              }),
            ),
          toArray(),
        )
        .subscribe((all) => found.push(all));
      for (const batch of batches) source.next(batch);
      source.complete();
      await runtime.drain();
      await settle();
      expect(found).toEqual([oneByOne(runtime, batches)]);
    }));

  it('can be worked off again, also at the same time', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const batches = plains(20, 20_000);
      const stream = runtime.stream(batches, SCHEME);
      const expected = oneByOne(runtime, batches);
      expect(await collect(stream)).toEqual(expected);
      expect(await Promise.all([collect(stream), collect(stream)])).toEqual([expected, expected]);
    }));

  it('shares a runtime with another', () =>
    withRuntime({ lanes: 2, memory: '2MiB' }, async (runtime) => {
      const [a, b] = [plains(40, 20_000), plains(60, 7_000)];
      const streams = [runtime.stream(a, SCHEME), runtime.stream(from(b), 'onnx-dynamic')];
      const found = await Promise.all(streams.map(collect));
      expect(found).toEqual([oneByOne(runtime, a), oneByOne(runtime, b, 'onnx-dynamic')]);
    }));

  it('passes range, stats and parameters on', () =>
    withRuntime({}, async (runtime) => {
      const parameters = { scale: 0.1, zeroPoint: 100 };
      for await (const result of runtime.stream(plains(3), 'onnx-static', { parameters, stats: true })) {
        expect(result.scale![0]).toBeCloseTo(0.1);
        expect(result.stats!.sqnr).toBeGreaterThan(20);
        result.release();
      }
      for await (const result of runtime.stream(plains(3), 'onnx-dynamic', { range: { min: -255, max: 0 } })) {
        expect(result.scale![0]).toBe(1);
        result.release();
      }
    }));

  it('leaves leases to the caller with keep', () =>
    withRuntime({}, async (runtime) => {
      const leases = Array.from({ length: 4 }, () => runtime.lease('float32', [1, 8]));
      for (const lease of leases) lease.data.fill(1);
      expect(await collect(runtime.stream(leases, SCHEME, { keep: true }))).toHaveLength(4);
      for (const lease of leases) lease.release();
    }));

  it('answers several next() in order, and the ones beyond the end', () =>
    withRuntime({}, async (runtime) => {
      const iterator = runtime.stream(plains(3), SCHEME)[Symbol.asyncIterator]();
      const steps = await Promise.all([1, 2, 3, 4, 5].map(() => iterator.next()));
      expect(steps.map(({ done }) => done)).toEqual([false, false, false, true, true]);
      expect(steps.slice(0, 3).map(({ value }) => take(value!))).toEqual(oneByOne(runtime, plains(3)));
      expect(await iterator.next()).toEqual({ value: undefined, done: true });
    }));

  it('gives the same bytes for any sizes and any concurrency', () =>
    withRuntime({ lanes: 2, memory: '8MiB' }, async (runtime) => {
      const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 150_000 }));
      const property = fc.asyncProperty(
        fc.array(size, { maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(SCHEME, 'onnx-dynamic', 'torchao-int8'),
        fc.constantFrom(...Object.values(SOURCES)),
        async (sizes, concurrency, scheme, source) => {
          const batches = sizes.map((columns, index) => plain(index, columns));
          const found = await collect(runtime.stream(source(batches), scheme, { concurrency }));
          expect(found).toEqual(oneByOne(runtime, batches, scheme));
        },
      );
      await fc.assert(property, { numRuns: 60 });
    }));
});
