/** Consumers that leave: the source is let go, and everything is back. */
import { take as first, firstValueFrom, from, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { quantize, type TensorInput } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import {
  collect,
  endless,
  LARGE,
  leased,
  oneByOne,
  plain,
  plains,
  SCHEME,
  settle,
  stuck,
  take,
  until,
} from './batches.js';

describe.each([0, 2])('with %i lanes', (lanes) => {
  it.each([64, LARGE])('take(n) ends the source and releases the rest (%i columns)', (columns) =>
    withRuntime({ lanes }, async (runtime) => {
      const { state, source } = endless((index) => leased(runtime, index, columns));
      const found: string[] = [];
      await runtime
        .stream(source(), SCHEME)
        .pipe(first(3))
        .forEach((result) => {
          found.push(take(result));
        });
      expect(found).toEqual(oneByOne(runtime, plains(3, columns)));
      await until(() => state.isDone);
      await settle();
    }),
  );

  it('firstValueFrom() and a push source', () =>
    withRuntime({ lanes }, async (runtime) => {
      let isLeft = false;
      const source = new Observable<TensorInput>((subscriber) => {
        for (let index = 0; index < 20; index++) subscriber.next(leased(runtime, index, 50_000));
        return () => {
          isLeft = true;
        };
      });
      const result = await firstValueFrom(source.pipe(quantize(runtime, SCHEME, { concurrency: 4 })));
      expect(isLeft).toBe(true);
      expect(take(result)).toEqual(oneByOne(runtime, plains(1, 50_000))[0]);
      await settle();
    }));

  it('unsubscribing in the middle releases results that come late', () =>
    withRuntime({ lanes }, async (runtime) => {
      const subscription = runtime.stream(from(plains(12, LARGE)), SCHEME).subscribe((result) => result.release());
      await settle(2);
      subscription.unsubscribe();
      await runtime.drain();
      await settle();
    }));

  it('unsubscribing before the first turn leaves nothing', () =>
    withRuntime({ lanes }, async (runtime) => {
      for (const source of [from(plains(5, LARGE)), plains(5, LARGE)]) {
        runtime.stream(source, SCHEME).subscribe().unsubscribe();
      }
      await runtime.drain();
      await settle();
    }));

  it('break ends the source', () =>
    withRuntime({ lanes }, async (runtime) => {
      const { state, source } = endless((index) => plain(index, index % 2 === 0 ? 64 : LARGE));
      let count = 0;
      for await (const result of runtime.stream(source(), SCHEME)) {
        take(result);
        if (++count === 5) break;
      }
      await until(() => state.isDone);
      await runtime.drain();
      await settle();
    }));

  it('an error of who iterates ends the source', () =>
    withRuntime({ lanes }, async (runtime) => {
      const { state, source } = endless((index) => plain(index));
      const iterate = async () => {
        for await (const result of runtime.stream(source(), SCHEME)) {
          result.release();
          throw new RangeError('mine');
        }
      };
      await expect(iterate()).rejects.toThrow('mine');
      await until(() => state.isDone);
      await settle();
    }));
});

describe('who iterates', () => {
  it('can leave while a next() is not answered', () =>
    withRuntime({}, async (runtime) => {
      const { state, source } = stuck();
      const iterator = runtime.stream(source(), SCHEME)[Symbol.asyncIterator]();
      take((await iterator.next()).value!);
      const asked = [iterator.next(), iterator.next()];
      await settle();
      expect(await iterator.return!()).toEqual({ value: undefined, done: true });
      for (const step of await Promise.all(asked)) expect(step.done).toBe(true);
      // The generator is told as soon as it can be, and what it brings late is not used.
      expect(state.isDone).toBe(false);
      state.goOn();
      await until(() => state.isDone);
      await settle();
      expect(runtime.metrics().calls).toBe(1);
    }));

  it('can leave before it begins, and twice', () =>
    withRuntime({}, async (runtime) => {
      const { state, source } = endless(plain);
      const iterator = runtime.stream(source(), SCHEME)[Symbol.asyncIterator]();
      await iterator.return!();
      await iterator.return!();
      expect(await iterator.next()).toEqual({ value: undefined, done: true });
      expect(state.pulled).toBe(0);
    }));

  it('gives back a lease that a source brings after the end', () =>
    withRuntime({}, async (runtime) => {
      let bring = (_lease: TensorInput): void => undefined;
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise<IteratorResult<TensorInput>>((resolve) => {
              bring = (value) => resolve({ value, done: false });
            }),
        }),
      };
      const subscription = runtime.stream(source, SCHEME).subscribe();
      const lease = leased(runtime, 0);
      subscription.unsubscribe();
      bring(lease);
      await settle();
      expect(lease.released).toBe(true);
    }));
});

describe('a ReadableStream', () => {
  /** One that brings a batch and then nothing more. */
  function readable() {
    const state: { reason: unknown; isCancelled: boolean } = { reason: undefined, isCancelled: false };
    const source = new ReadableStream<TensorInput>(
      {
        start: (controller) => controller.enqueue(plain(0)),
        cancel: (reason) => {
          state.reason = reason;
          state.isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return { source, state };
  }

  it('is cancelled and unlocked at once, also while it is read', () =>
    withRuntime({}, async (runtime) => {
      const { source, state } = readable();
      const iterator = runtime.stream(source, SCHEME)[Symbol.asyncIterator]();
      take((await iterator.next()).value!);
      const asked = iterator.next();
      await settle();
      await iterator.return!();
      expect((await asked).done).toBe(true);
      await until(() => state.isCancelled);
      expect(source.locked).toBe(false);
      await settle();
    }));

  it('is cancelled and unlocked by break and by unsubscribing', () =>
    withRuntime({}, async (runtime) => {
      const a = readable();
      for await (const result of runtime.stream(a.source, SCHEME)) {
        take(result);
        break;
      }
      await until(() => a.state.isCancelled && !a.source.locked);
      const b = readable();
      take(await firstValueFrom(runtime.stream(b.source, SCHEME)));
      await until(() => b.state.isCancelled && !b.source.locked);
      await settle();
    }));

  it('is unlocked at its end and after its error', () =>
    withRuntime({}, async (runtime) => {
      const source = new ReadableStream<TensorInput>({
        start(controller) {
          controller.enqueue(plain(0));
          controller.close();
        },
      });
      expect(await collect(runtime.stream(source, SCHEME))).toHaveLength(1);
      expect(source.locked).toBe(false);
      const failed = new ReadableStream<TensorInput>({
        pull() {
          throw new RangeError('source');
        },
      });
      await expect(collect(runtime.stream(failed, SCHEME))).rejects.toThrow('source');
      expect(failed.locked).toBe(false);
    }));

  it('is pulled no further ahead than the concurrency', () =>
    withRuntime({}, async (runtime) => {
      let pulled = 0;
      const source = new ReadableStream<TensorInput>(
        { pull: (controller) => controller.enqueue(plain(pulled++)) },
        { highWaterMark: 0 },
      );
      let taken = 0;
      for await (const result of runtime.stream(source, SCHEME, { concurrency: 3 })) {
        taken++;
        take(result);
        await settle(3);
        expect(pulled - taken).toBeLessThanOrEqual(3);
        if (taken === 20) break;
      }
      await settle();
    }));
});
