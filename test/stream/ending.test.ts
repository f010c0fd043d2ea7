/** Signals, and runtimes that close: streams end, the source is let go and everything is back. */
import { getEventListeners } from 'node:events';
import { firstValueFrom, from, interval, map, NEVER, Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createRuntime, type QuantizedTensor, type TensorInput } from '#src/index.js';
import { expectIdle, withRuntime } from '../support/runtime.js';
import {
  collect,
  ended,
  endless,
  LARGE,
  leased,
  plain,
  plains,
  SCHEME,
  settle,
  stuck,
  take,
  until,
} from './batches.js';

const CLOSED = { code: 'ERR_QUANTLANE_CLOSED' };

describe.each([0, 2])('with %i lanes', (lanes) => {
  it('a signal ends the stream with its reason', () =>
    withRuntime({ lanes }, async (runtime) => {
      for (const make of [
        () => endless((index) => plain(index, LARGE)).source(),
        () => interval(0).pipe(map((index) => plain(index, 64))),
      ]) {
        const control = new AbortController();
        const reason = new RangeError('stop');
        let count = 0;
        const stream = runtime.stream(make(), SCHEME, { signal: control.signal });
        const subscribed = stream.forEach((result) => {
          result.release();
          if (++count === 3) control.abort(reason);
        });
        await expect(subscribed).rejects.toBe(reason);
        expect(count).toBe(3);
        expect(getEventListeners(control.signal, 'abort')).toHaveLength(0);
        await runtime.drain();
        await settle();
        await expectIdle(runtime);
      }
    }));

  it.each(['close', 'destroy'] as const)('%s() ends streams', async (how) => {
    const runtime = await createRuntime({ lanes, memory: '32MiB' });
    const { state, source } = endless((index) => plain(index, LARGE));
    const pushed = new Subject<TensorInput>();
    const held: QuantizedTensor[] = [];
    const ends = [source(), pushed, NEVER].map((batches) =>
      runtime.stream(batches, SCHEME).forEach((result) => {
        held.push(result);
      }),
    );
    const settled = Promise.allSettled(ends);
    const iterator = runtime.stream(NEVER, SCHEME)[Symbol.asyncIterator]();
    const asked = expect(iterator.next()).rejects.toMatchObject(CLOSED);
    pushed.next(leased(runtime, 0));
    await settle(5);
    await runtime[how]();
    for (const end of await settled) expect(end).toMatchObject({ status: 'rejected', reason: CLOSED });
    await asked;
    expect(pushed.observed).toBe(false);
    await until(() => state.isDone);
    for (const result of held) result.release();
    await settle();
    await expectIdle(runtime);
    await expect(collect(runtime.stream(plains(2), SCHEME))).rejects.toMatchObject(CLOSED);
  });
});

describe('a signal', () => {
  it('that is aborted before leaves the source alone', () =>
    withRuntime({}, async (runtime) => {
      const signal = AbortSignal.abort(new RangeError('before'));
      const { state, source } = endless(plain);
      let isSubscribed = false;
      const pushed = new Observable<TensorInput>(() => {
        isSubscribed = true;
      });
      for (const batches of [source(), pushed]) {
        await expect(collect(runtime.stream(batches, SCHEME, { signal }))).rejects.toThrow('before');
        await expect(ended(runtime.stream(batches, SCHEME, { signal }))).rejects.toThrow('before');
      }
      expect({ ...state, isSubscribed }).toEqual({ pulled: 0, isDone: false, isSubscribed: false });
    }));

  it('ends a stream whose source is stuck, or whose consumer is away', () =>
    withRuntime({}, async (runtime) => {
      const control = new AbortController();
      const options = { signal: control.signal };
      const { source } = stuck();
      const waiting = runtime.stream(source(), SCHEME, options)[Symbol.asyncIterator]();
      take((await waiting.next()).value!);
      const asked = waiting.next();
      const away = runtime.stream(plains(20), SCHEME, options)[Symbol.asyncIterator]();
      take((await away.next()).value!);
      await settle();
      control.abort(new RangeError('now'));
      await expect(asked).rejects.toThrow('now');
      await settle();
      await expectIdle(runtime);
      await expect(away.next()).rejects.toThrow('now');
      expect((await away.next()).done).toBe(true);
    }));

  it('that outlives its streams has no listeners left', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const control = new AbortController();
      const { signal } = control;
      const count = () => getEventListeners(signal, 'abort').length;
      for (const source of [() => from(plains(5)), () => plains(5)]) {
        await collect(runtime.stream(source(), SCHEME, { signal }));
        expect(count()).toBe(0);
        take(await firstValueFrom(runtime.stream(source(), SCHEME, { signal })));
        expect(count()).toBe(0);
        const failing = runtime.stream(source(), 'no-such-preset', { signal });
        await expect(collect(failing)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_PRESET' });
        expect(count()).toBe(0);
      }
      const broken = {
        [Symbol.iterator]: () => {
          throw new Error('no iterator');
        },
      };
      await expect(collect(runtime.stream(broken as never, SCHEME, { signal }))).rejects.toThrow('no iterator');
      expect(count()).toBe(0);
      await settle();
    }));

  it('is not warned about, whatever the concurrency', () =>
    withRuntime({ lanes: 1 }, async (runtime) => {
      const warnings: Error[] = [];
      const listen = (warning: Error) => void warnings.push(warning);
      process.on('warning', listen);
      await collect(runtime.stream(plains(40, 50_000), SCHEME, { concurrency: 40 }));
      const streams = Array.from({ length: 20 }, () => collect(runtime.stream(plains(4, 50_000), SCHEME)));
      await Promise.all(streams);
      await settle();
      process.off('warning', listen);
      expect(warnings).toEqual([]);
    }));
});

describe('closing', () => {
  it('ends a stream that stalls because nobody releases', async () => {
    const runtime = await createRuntime({ lanes: 0, memory: '64KiB' });
    const held: QuantizedTensor[] = [];
    const { source } = endless((index) => plain(index, 1024));
    const end = runtime.stream(source(), SCHEME).forEach((result) => {
      held.push(result);
    });
    const ended = expect(end).rejects.toMatchObject(CLOSED);
    await settle(60);
    await runtime.close();
    await ended;
    for (const result of held) result.release();
    await expectIdle(runtime);
  });
});
