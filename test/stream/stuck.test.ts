/** Batches that were leased in advance and leave no room for a result: the stream ends instead of waiting for ever. */
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { StreamingRuntime, TensorLease } from '#src/index.js';
import { track } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { collect, leased, oneByOne, plain, SCHEME, settle } from './batches.js';

const STUCK = { code: 'ERR_QUANTLANE_ARENA_STUCK' };

/** Leases of 4 KiB until the arena of 64 KiB has `free` of them left. */
function ahead(runtime: StreamingRuntime, free: number): TensorLease[] {
  return Array.from({ length: 16 - free }, (_, index) => leased(runtime, index, 1024));
}

function release(leases: readonly TensorLease[]): void {
  for (const lease of leases) lease[Symbol.dispose]();
}

describe.each([0, 1])('the whole arena leased in advance, %i lanes', (lanes) => {
  it('by an array: the stream fails, and what it did not pull stays the caller’s', () =>
    withRuntime({ lanes, memory: '64KiB' }, async (runtime) => {
      const leases = ahead(runtime, 0);
      await expect(collect(runtime.stream(leases, SCHEME))).rejects.toMatchObject(STUCK);
      await settle();
      expect(leases.map(({ released }) => released)).toEqual([true, ...new Array(15).fill(false)]);
      release(leases);
    }));

  it('by a push source: the stream fails, and everything is back', () =>
    withRuntime({ lanes, memory: '64KiB' }, async (runtime) => {
      const leases = ahead(runtime, 0);
      await expect(collect(runtime.stream(from(leases), SCHEME, { concurrency: 2 }))).rejects.toMatchObject(STUCK);
      await settle();
      expect(leases.every(({ released }) => released)).toBe(true);
    }));
});

describe('leased in advance, with room for a result', () => {
  it.each(['array', 'push'])('%s: all come through', (kind) =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const leases = ahead(runtime, 1);
      const stream = runtime.stream(kind === 'array' ? leases : from(leases), SCHEME, { concurrency: 2 });
      expect(await collect(stream)).toEqual(
        oneByOne(
          runtime,
          leases.map((_, index) => plain(index, 1024)),
        ),
      );
    }),
  );
});

describe('where somebody else may give memory back', () => {
  it.each(['array', 'push'])('%s: the stream waits for that', (kind) =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const other = runtime.lease('float32', [1024]);
      const leases = ahead(runtime, 1);
      const stream = runtime.stream(kind === 'array' ? leases : from(leases), SCHEME, { concurrency: 2 });
      const results = track(collect(stream));
      await settle(60);
      expect(results.state).toBe('waiting');
      expect(runtime.metrics().arena.waiting).toBeGreaterThan(0);
      other.release();
      await settle(60);
      expect(results.state).toBe('served');
      expect(results.value).toHaveLength(15);
    }),
  );

  it('two streams wait for each other: the newer call fails, and the other stream goes on', () =>
    withRuntime({ memory: '64KiB' }, async (runtime) => {
      const leases = ahead(runtime, 0);
      const streams = [leases.slice(0, 8), leases.slice(8)].map((half) => collect(runtime.stream(half, SCHEME)));
      const [first, second] = await Promise.allSettled(streams);
      expect(first).toMatchObject({ status: 'fulfilled' });
      expect(second).toMatchObject({ status: 'rejected', reason: STUCK });
      release(leases);
    }));
});
