import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ArenaError, ArgumentError, type QuantlaneError, StateError } from '#src/errors.js';
import { Arena, type Lease, roundedBytes } from '#src/memory/index.js';
import { codeOf, rejection } from './helpers.js';

const PAGE = 65_536;

describe('the memory', () => {
  test('is shared, of fixed size and of whole pages', () => {
    const { memory, buffer, capacity } = new Arena({ bytes: 100_000 });
    expect(memory).toBeInstanceOf(WebAssembly.Memory);
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(buffer).toBe(memory.buffer);
    expect(buffer.byteLength).toBe(2 * PAGE);
    expect(capacity).toBe(100_032);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  test('begins with reserved bytes that are never leased', () => {
    const arena = new Arena({ bytes: PAGE, reserved: 100 });
    expect(arena.buffer.byteLength).toBe(2 * PAGE);
    expect(arena.capacity).toBe(PAGE);
    const all = arena.lease(PAGE);
    expect(all.byteOffset).toBe(128);
    expect(codeOf(() => arena.lease(0))).toBe('ERR_QUANTLANE_ARENA_FULL');
    all.release();
  });

  test.each([0, -1, 1.5, Number.NaN, '1024', undefined, 2 ** 53])('of %j bytes is refused', (bytes) => {
    expect(codeOf(() => new Arena({ bytes: bytes as number }))).toBe('ERR_QUANTLANE_ARGUMENT');
  });

  test.each([-1, 1.5, Number.NaN, '64', null])('with %j reserved bytes is refused', (reserved) => {
    expect(codeOf(() => new Arena({ bytes: 64, reserved: reserved as number }))).toBe('ERR_QUANTLANE_ARGUMENT');
  });

  test('stays below 2 GiB in all', () => {
    expect(new Arena({ bytes: 2 ** 31 - 2 * PAGE, reserved: PAGE }).buffer.byteLength).toBe(2 ** 31 - PAGE);
    const tooLarge = () => new Arena({ bytes: 2 ** 31 - 2 * PAGE, reserved: PAGE + 1 });
    expect(codeOf(tooLarge)).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(tooLarge).toThrow('below 2 GiB');
    expect(codeOf(() => new Arena({ bytes: Number.MAX_SAFE_INTEGER }))).toBe('ERR_QUANTLANE_ARGUMENT');
  });

  test('that the host has no room for is an argument error with the cause', () => {
    const cause = new RangeError('WebAssembly.Memory(): could not allocate memory');
    const refuse = vi.spyOn(WebAssembly, 'Memory').mockImplementation(function refuse() {
      throw cause;
    });
    try {
      const make = () => new Arena({ bytes: 2 ** 28 });
      expect(make).toThrow(ArgumentError);
      expect(make).toThrow("Expected a host with room for an arena of 256 MiB, got 'WebAssembly.Memory()");
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT', cause }));
    } finally {
      refuse.mockRestore();
    }
  });
});

describe('lease', () => {
  test('throws at once for what can never fit, and for what does not fit now', async () => {
    const arena = new Arena({ bytes: 1024 });
    expect(() => arena.lease(1025)).toThrow(ArenaError);
    expect(codeOf(() => arena.lease(1025))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
    expect(await rejection(arena.acquire(1025))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
    expect(() => arena.lease(3 * 1024)).toThrow('at most 1 KiB, got 3 KiB: the arena has 1 KiB');
    const half = arena.lease(512);
    expect(codeOf(() => arena.lease(513))).toBe('ERR_QUANTLANE_ARENA_FULL');
    expect(() => arena.lease(1000)).toThrow('Expected room for 1000 B, got 512 B in one piece');
    arena.lease(512).release();
    half.release();
  });

  test.each([-1, -0, 0.5, Number.NaN, 2 ** 53, '64', null, undefined])('%j bytes are refused', async (bytes) => {
    const arena = new Arena({ bytes: 1024 });
    expect(codeOf(() => arena.lease(bytes as number))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(codeOf(() => arena.has(bytes as number))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(await rejection(arena.acquire(bytes as number))).toBe('ERR_QUANTLANE_ARGUMENT');
    if (bytes !== undefined) {
      expect(await rejection(arena.acquire(1, { holding: bytes as number }))).toBe('ERR_QUANTLANE_ARGUMENT');
    }
  });

  test('fits after fragments are joined again', () => {
    const arena = new Arena({ bytes: 1024 });
    const leases = [256, 256, 256, 256].map((bytes) => arena.lease(bytes));
    leases[0]!.release();
    leases[2]!.release();
    expect([arena.has(256), arena.has(512)]).toEqual([true, false]);
    leases[1]!.release();
    expect([arena.has(768), arena.has(769)]).toEqual([true, false]);
    leases[3]!.release();
    expect(arena.has(1024)).toBe(true);
  });
});

test('statistics count rounded bytes exactly, and the peak stays', () => {
  const arena = new Arena({ bytes: 1000 });
  const nothing = { capacity: 1024, inUse: 0, peak: 0, leases: 0, leaked: 0, leakedBytes: 0, waiting: 0 };
  expect(arena.statistics()).toEqual(nothing);
  const first = arena.lease(1);
  const second = arena.lease(65);
  expect(arena.statistics()).toEqual({ ...nothing, inUse: 192, peak: 192, leases: 2 });
  first.release();
  second.release();
  arena.lease(10).release();
  expect(arena.statistics()).toEqual({ ...nothing, peak: 192 });
});

describe('onRelease', () => {
  test('calls at each release, inside it, until stopped', () => {
    const arena = new Arena({ bytes: 1024 });
    const seen: number[] = [];
    const listen = () => void seen.push(arena.statistics().inUse);
    const stopOne = arena.onRelease(listen);
    const stopOther = arena.onRelease(listen);
    const leases = [arena.lease(64), arena.lease(64), arena.lease(64), arena.lease(64)];
    leases[0]!.release();
    expect(seen).toEqual([192, 192]);
    stopOne();
    stopOne();
    leases[1]!.consume().release();
    expect(seen).toEqual([192, 192, 128]);
    const token = leases[2]!.consume();
    token.restore();
    expect(seen).toHaveLength(3);
    stopOther();
    leases[2]!.release();
    leases[3]!.release();
    expect(seen).toHaveLength(3);
  });

  test('does not call a listener that another one adds meanwhile', () => {
    const arena = new Arena({ bytes: 128 });
    let calls = 0;
    const listen = () => {
      calls += 1;
      if (calls < 10) arena.onRelease(listen);
    };
    arena.onRelease(listen);
    arena.lease(64).release();
    expect(calls).toBe(1);
    arena.lease(64).release();
    expect(calls).toBe(3);
  });

  test('lets a listener lease, release and stop listening', () => {
    const arena = new Arena({ bytes: 128 });
    const got: Lease[] = [];
    const stop = arena.onRelease(() => {
      stop();
      got.push(arena.lease(128));
      got[0]!.release();
    });
    arena.lease(64).release();
    expect(got).toHaveLength(1);
    expect(arena.statistics()).toMatchObject({ inUse: 0, peak: 128 });
  });
});

describe('close', () => {
  const closed = new StateError('ERR_QUANTLANE_CLOSED', 'closed');

  test('rejects those that wait and all later requests; leases can still be released', async () => {
    const arena = new Arena({ bytes: 128 });
    const lease = arena.lease(128);
    const waiting = [arena.acquire(64), arena.acquire(64, { holding: 64 })];
    arena.close(closed);
    for (const promise of waiting) await expect(promise).rejects.toBe(closed);
    expect(arena.statistics().waiting).toBe(0);
    expect(() => arena.lease(64)).toThrow(closed);
    await expect(arena.acquire(64)).rejects.toBe(closed);
    await expect(arena.acquire(1 << 20)).rejects.toBe(closed);
    expect(lease.released).toBe(false);
    lease.release();
    expect(arena.statistics().inUse).toBe(0);
    expect(arena.has(0)).toBe(false);
  });

  test('keeps the first error', () => {
    const arena = new Arena({ bytes: 128 });
    arena.close(closed);
    arena.close(new Error('later'));
    expect(() => arena.lease(1)).toThrow(closed);
  });

  test('takes back the verdict on a deadlock', async () => {
    const arena = new Arena({ bytes: 128 });
    const lease = arena.lease(128);
    const stuck = arena.acquire(64, { holding: 128 });
    arena.close(closed);
    await expect(stuck).rejects.toBe(closed);
    lease.release();
  });
});

test('any order of leases and releases leaves exact statistics and disjoint leases', () => {
  const step = fc.oneof(
    fc.record({ bytes: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ end: fc.nat(), by: fc.constantFrom('release', 'dispose', 'consume', 'restore') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const arena = new Arena({ bytes: 16_384, reserved: 64 });
      const held: Lease[] = [];
      let peak = 0;
      for (const action of steps) {
        if ('bytes' in action) {
          const has = arena.has(action.bytes);
          const code = codeOf(() => held.push(arena.lease(action.bytes)));
          expect(code).toBe(has ? 'none' : 'ERR_QUANTLANE_ARENA_FULL');
        } else if (held.length > 0) {
          const [lease] = held.splice(action.end % held.length, 1) as [Lease];
          if (action.by === 'release') lease.release();
          else if (action.by === 'dispose') lease[Symbol.dispose]();
          else if (action.by === 'consume') lease.consume().release();
          else {
            lease.consume().restore();
            held.push(lease);
          }
        }
        const inUse = held.reduce((sum, lease) => sum + roundedBytes(lease.byteLength), 0);
        peak = Math.max(peak, inUse);
        expect(arena.statistics()).toMatchObject({ inUse, peak, leases: held.length, leaked: 0, waiting: 0 });
        const sorted = [...held].sort((a, b) => a.byteOffset - b.byteOffset);
        let end = 64;
        for (const { byteOffset, byteLength } of sorted) {
          expect(byteOffset).toBeGreaterThanOrEqual(end);
          end = byteOffset + byteLength;
        }
        expect(end).toBeLessThanOrEqual(64 + arena.capacity);
      }
    }),
  );
});

test('details carry the numbers of a refusal', () => {
  const arena = new Arena({ bytes: 256 });
  const lease = arena.lease(128);
  const details = (bytes: number) => {
    try {
      return arena.lease(bytes);
    } catch (error) {
      return (error as QuantlaneError).details;
    }
  };
  expect(details(300)).toEqual({ bytes: 300, capacity: 256, possible: 256, leakedBytes: 0 });
  expect(details(200)).toEqual({ bytes: 200, largestFree: 128, waiting: 0 });
  lease.release();
});
