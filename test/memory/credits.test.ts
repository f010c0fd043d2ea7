import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QuantlaneError } from '#src/errors.js';
import { Arena } from '#src/memory/index.js';
import { codeOf, rejection, track, turn } from './helpers.js';

describe('waiting', () => {
  test('does not happen when there is room', async () => {
    const arena = new Arena({ bytes: 1024 });
    const promise = arena.acquire(1000);
    expect(arena.statistics()).toMatchObject({ inUse: 1024, leases: 1, waiting: 0 });
    const lease = await promise;
    expect([lease.byteLength, lease.state]).toEqual([1000, 'owned']);
    lease.release();
  });

  test('is first come, first served: the small do not overtake the large', async () => {
    const arena = new Arena({ bytes: 1024 });
    const all = arena.lease(768);
    const large = track(arena.acquire(1024));
    const small = track(arena.acquire(64));
    const last = track(arena.acquire(960));
    await turn();
    expect([large.state, small.state, last.state]).toEqual(['waiting', 'waiting', 'waiting']);
    expect(arena.statistics().waiting).toBe(3);
    all.release();
    await turn();
    expect([large.state, small.state, last.state]).toEqual(['served', 'waiting', 'waiting']);
    large.value!.release();
    await turn();
    expect([small.state, last.state]).toEqual(['served', 'served']);
    small.value!.release();
    last.value!.release();
    expect(arena.statistics()).toMatchObject({ inUse: 0, waiting: 0, peak: 1024 });
  });

  test('bars leases in place, though they would fit', async () => {
    const arena = new Arena({ bytes: 1024 });
    const half = arena.lease(512);
    expect(arena.has(64)).toBe(true);
    const waiter = arena.acquire(1024);
    expect(arena.has(64)).toBe(false);
    expect(codeOf(() => arena.lease(64))).toBe('ERR_QUANTLANE_ARENA_FULL');
    expect(() => arena.lease(64)).toThrow('got 512 B in one piece; 1 waiting before it');
    half.release();
    (await waiter).release();
    expect(arena.has(64)).toBe(true);
  });

  test('ends before the listeners are told, who find what is left', async () => {
    const arena = new Arena({ bytes: 1024 });
    const all = arena.lease(1024);
    const waiter = arena.acquire(512);
    const seen: (readonly [number, boolean, boolean])[] = [];
    arena.onRelease(() => seen.push([arena.statistics().waiting, arena.has(512), arena.has(513)]));
    all.release();
    expect(seen).toEqual([[0, true, false]]);
    (await waiter).release();
  });
});

describe('an aborted request', () => {
  test('is rejected with the reason and leaves the queue', async () => {
    const arena = new Arena({ bytes: 1024 });
    const half = arena.lease(512);
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const waiter = arena.acquire(1024, { signal: controller.signal });
    const next = arena.acquire(256);
    let released = 0;
    arena.onRelease(() => {
      released += 1;
    });
    controller.abort(reason);
    await expect(waiter).rejects.toBe(reason);
    (await next).release();
    half.release();
    expect(released).toBe(3); // the abort too: a request may fit that did not before
    expect(arena.statistics()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test('never waits when its signal was aborted before', async () => {
    const arena = new Arena({ bytes: 1024 });
    const signal = AbortSignal.abort('early');
    await expect(arena.acquire(64, { signal })).rejects.toBe('early');
    await expect(arena.acquire(1 << 20, { signal })).rejects.toBe('early');
    expect(arena.statistics()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test('has the default reason', async () => {
    const arena = new Arena({ bytes: 64 });
    const lease = arena.lease(64);
    const controller = new AbortController();
    const waiter = arena.acquire(64, { signal: controller.signal });
    controller.abort();
    await expect(waiter).rejects.toMatchObject({ name: 'AbortError' });
    lease.release();
  });

  test('resolves a deadlock that was about to be found', async () => {
    const arena = new Arena({ bytes: 128 });
    const leases = [arena.lease(64), arena.lease(64)];
    const controller = new AbortController();
    const older = track(arena.acquire(64, { holding: 64, signal: controller.signal }));
    const newer = track(arena.acquire(64, { holding: 64 }));
    controller.abort();
    leases[0]!.release();
    await turn(3);
    expect([older.state, newer.state]).toEqual(['rejected', 'served']);
    expect((older.reason as Error).name).toBe('AbortError');
  });
});

test('a signal has no listener left, whatever became of the request', async () => {
  const arena = new Arena({ bytes: 128 });
  const { signal } = new AbortController();
  const aborted = new AbortController();
  const listeners = () => [signal, aborted.signal].map((each) => getEventListeners(each, 'abort').length);

  (await arena.acquire(64, { signal })).release();
  expect(listeners(), 'served at once').toEqual([0, 0]);

  const lease = arena.lease(128);
  const served = arena.acquire(64, { signal });
  const abandoned = arena.acquire(64, { signal: aborted.signal });
  expect(listeners(), 'waiting').toEqual([1, 1]);
  aborted.abort();
  await expect(abandoned).rejects.toThrow();
  expect(listeners(), 'aborted').toEqual([1, 0]);
  lease.release();
  (await served).release();
  expect(listeners(), 'served after waiting').toEqual([0, 0]);

  expect(await rejection(arena.acquire(129, { signal }))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  expect(listeners(), 'impossible').toEqual([0, 0]);

  const holder = arena.lease(128);
  const stuck = arena.acquire(64, { signal, holding: 128 });
  expect(listeners()).toEqual([1, 0]);
  expect(await rejection(stuck)).toBe('ERR_QUANTLANE_ARENA_STUCK');
  expect(listeners(), 'stuck').toEqual([0, 0]);

  const closed = arena.acquire(64, { signal });
  arena.close(new Error('closed'));
  await expect(closed).rejects.toThrow('closed');
  expect(listeners(), 'closed').toEqual([0, 0]);
  holder.release();
});

describe('a deadlock', () => {
  test('rejects the newest only, and the rest go on when it gave its memory back', async () => {
    const arena = new Arena({ bytes: 192 });
    const inputs = [arena.lease(64), arena.lease(64), arena.lease(64)];
    const jobs = inputs.map((input) => track(arena.acquire(64, { holding: input.allocatedBytes })));
    const states = () => jobs.map((job) => job.state);
    expect(states()).toEqual(['waiting', 'waiting', 'waiting']);
    await turn(5); // its owner is slow to release: nobody else is rejected meanwhile
    expect(states()).toEqual(['waiting', 'waiting', 'rejected']);
    const error = jobs[2]!.reason as QuantlaneError;
    expect(error.code).toBe('ERR_QUANTLANE_ARENA_STUCK');
    expect(error.details).toEqual({ bytes: 64, holding: 64, inUse: 192 });
    inputs[2]!.release();
    await turn(5);
    expect(states()).toEqual(['served', 'waiting', 'rejected']);
    inputs[0]!.release();
    await turn();
    expect(states()).toEqual(['served', 'served', 'rejected']);
  });

  test('rejects one after the other when one is not enough', async () => {
    const arena = new Arena({ bytes: 192 });
    const rejected: number[] = [];
    const inputs = [arena.lease(64), arena.lease(64), arena.lease(64)];
    const jobs = inputs.map(async (input, job) => {
      try {
        const result = await arena.acquire(128, { holding: 64 });
        input.release();
        result.release();
      } catch (error) {
        expect((error as QuantlaneError).code).toBe('ERR_QUANTLANE_ARENA_STUCK');
        rejected.push(job);
        input.release();
      }
    });
    await Promise.all(jobs);
    expect(rejected).toEqual([2, 1]);
    expect(arena.statistics()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test('is found when the last memory that was not held is given back', async () => {
    const arena = new Arena({ bytes: 192 });
    const held = arena.lease(128);
    const other = arena.lease(64);
    const job = track(arena.acquire(128, { holding: 128 }));
    await turn(3);
    expect(job.state).toBe('waiting');
    other.release();
    await turn();
    expect(job.state).toBe('rejected');
    held.release();
  });

  test('is none while somebody else owns memory', async () => {
    const arena = new Arena({ bytes: 192 });
    const inputs = [arena.lease(64), arena.lease(64)];
    const other = arena.lease(64);
    const jobs = inputs.map(() => track(arena.acquire(64, { holding: 64 })));
    await turn(5);
    expect(jobs.map((job) => job.state)).toEqual(['waiting', 'waiting']);
    other.release();
    await turn();
    expect(jobs.map((job) => job.state)).toEqual(['served', 'waiting']);
    for (const lease of [...inputs, jobs[0]!.value!]) lease.release();
    await turn();
    expect(jobs[1]!.state).toBe('served');
  });

  test('counts the requested bytes of one lease as what they take', async () => {
    const arena = new Arena({ bytes: 128 });
    const input = arena.lease(100);
    expect(await rejection(arena.acquire(64, { holding: input.byteLength }))).toBe('ERR_QUANTLANE_ARENA_STUCK');
    input.release();
  });

  test('does not reject a request that holds nothing, which would help nobody', async () => {
    const arena = new Arena({ bytes: 128 });
    const input = arena.lease(128);
    const job = track(arena.acquire(64, { holding: 128 }));
    const source = track(arena.acquire(128));
    await turn(3);
    expect([job.state, source.state]).toEqual(['rejected', 'waiting']);
    input.release();
    await turn();
    expect(source.state).toBe('served');
  });

  test('that more is held than is in use is still resolved one at a time', async () => {
    const arena = new Arena({ bytes: 128 });
    const input = arena.lease(128);
    const jobs = [0, 1].map(() => track(arena.acquire(64, { holding: 128 })));
    await turn();
    expect(jobs.map((job) => job.state)).toEqual(['waiting', 'rejected']);
    input.release();
    await turn();
    expect(jobs.map((job) => job.state)).toEqual(['served', 'rejected']);
  });

  test('tells the listeners, for whom the way may be free', async () => {
    const arena = new Arena({ bytes: 192 });
    const input = arena.lease(128);
    const job = arena.acquire(128, { holding: 128 });
    expect(arena.has(64)).toBe(false);
    const seen: boolean[] = [];
    arena.onRelease(() => seen.push(arena.has(64)));
    expect(await rejection(job)).toBe('ERR_QUANTLANE_ARENA_STUCK');
    expect(seen).toEqual([true]);
    input.release();
  });
});

describe('a request that holds memory', () => {
  test('passes one that holds none and does not fit', async () => {
    const arena = new Arena({ bytes: 1024 });
    const inputs = [arena.lease(384), arena.lease(384)];
    const source = track(arena.acquire(384));
    const jobs = inputs.map(() => track(arena.acquire(96, { holding: 384 })));
    await turn(3);
    expect([source.state, ...jobs.map((job) => job.state)]).toEqual(['waiting', 'served', 'served']);
    inputs[0]!.release();
    await turn();
    expect(source.state).toBe('served');
  });

  test('does not pass one that fits, nor one that holds memory too', async () => {
    const arena = new Arena({ bytes: 1024 });
    const [first, second, other] = [arena.lease(256), arena.lease(256), arena.lease(256)];
    const large = track(arena.acquire(512, { holding: 256 }));
    const small = track(arena.acquire(64, { holding: 256 }));
    await turn(3);
    expect([large.state, small.state]).toEqual(['waiting', 'waiting']);
    other.release();
    await turn();
    expect([large.state, small.state]).toEqual(['served', 'waiting']);
    first.release();
    await turn();
    expect(small.state).toBe('served');
    second.release();
  });

  test('passes even that when otherwise nobody could go on', async () => {
    const arena = new Arena({ bytes: 1024 });
    const inputs = [arena.lease(384), arena.lease(384)];
    const large = track(arena.acquire(512, { holding: 384 }));
    const small = track(arena.acquire(64, { holding: 384 }));
    await turn(3);
    expect([large.state, small.state]).toEqual(['waiting', 'served']);
    inputs[1]!.release();
    small.value!.release();
    await turn();
    expect(large.state).toBe('served');
    inputs[0]!.release();
  });
});

test('jobs of any sizes all end, and all memory comes back', async () => {
  const size = fc.integer({ min: 0, max: 1024 });
  const job = fc.record({
    input: size,
    result: size,
    pauses: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)),
    abort: fc.option(fc.nat(6), { freq: 5, nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 12 }), async (jobs) => {
      const arena = new Arena({ bytes: 1024 });
      const run = async ({ input, result, pauses, abort }: (typeof jobs)[number]): Promise<string> => {
        const controller = new AbortController();
        const { signal } = controller;
        if (abort !== undefined) turn(abort).then(() => controller.abort());
        try {
          await turn(pauses[0]);
          using held = await arena.acquire(input, { signal });
          await turn(pauses[1]);
          using made = await arena.acquire(result, { signal, holding: held.allocatedBytes });
          await turn(pauses[2]);
          return made.state;
        } catch (error) {
          return signal.aborted ? 'aborted' : (error as QuantlaneError).code;
        }
      };
      const outcomes = new Set(await Promise.all(jobs.map(run)));
      for (const allowed of ['owned', 'aborted', 'ERR_QUANTLANE_ARENA_STUCK']) outcomes.delete(allowed);
      expect([...outcomes]).toEqual([]);
      expect(arena.statistics()).toMatchObject({ inUse: 0, leases: 0, waiting: 0, leaked: 0 });
      expect(arena.has(1024)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
