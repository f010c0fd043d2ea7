import { expect, test } from 'vitest';
import { LeaseError } from '#src/errors.js';
import { Arena, type Lease } from '#src/memory/index.js';
import { codeOf } from './helpers.js';

const arena = new Arena({ bytes: 4096 });

/** Bytes in use while `use` runs; all must be back afterwards. */
function leased(bytes: number, use: (lease: Lease) => void): void {
  use(arena.lease(bytes));
  expect(arena.statistics()).toMatchObject({ inUse: 0, leases: 0 });
}

test('a lease knows its place, and is released once', () => {
  leased(100, (lease) => {
    expect(lease).toMatchObject({ byteLength: 100, allocatedBytes: 128, state: 'owned', released: false });
    expect(lease.byteOffset % 64).toBe(0);
    expect(arena.statistics()).toMatchObject({ inUse: 128, leases: 1 });
    lease.assertOwned();
    lease.release();
    expect([lease.state, lease.released]).toEqual(['released', true]);
    expect(() => lease.release()).toThrow(LeaseError);
    expect(codeOf(() => lease.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(codeOf(() => lease.assertOwned())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    expect(codeOf(() => lease.consume())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  });
});

test('a lease of no bytes takes 64', () => {
  leased(0, (lease) => {
    expect([lease.byteLength, lease.allocatedBytes, arena.statistics().inUse]).toEqual([0, 64, 64]);
    lease.release();
  });
});

test('a stale handle is noticed though its offset is leased again', () => {
  const stale = arena.lease(64);
  stale.release();
  const fresh = arena.lease(64);
  expect(fresh.byteOffset).toBe(stale.byteOffset);
  expect(fresh.generation).toBeGreaterThan(stale.generation);
  expect(codeOf(() => stale.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
  expect(codeOf(() => stale.assertOwned())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  fresh.consume().release();
  expect(arena.statistics().inUse).toBe(0);
});

test('a consumed lease belongs to its token, which gives the memory back once', () => {
  leased(100, (lease) => {
    const ownership = lease.consume();
    expect([lease.state, lease.released]).toEqual(['consumed', true]);
    const { byteOffset, generation } = lease;
    expect(ownership).toMatchObject({ byteOffset, generation, byteLength: 100, allocatedBytes: 128 });
    expect(codeOf(() => lease.assertOwned())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    expect(codeOf(() => lease.consume())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    expect(codeOf(() => lease.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(arena.statistics()).toMatchObject({ inUse: 128, leases: 1 });
    ownership.release();
    expect(arena.statistics()).toMatchObject({ inUse: 0, leases: 0 });
    expect(codeOf(() => ownership.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(codeOf(() => ownership.restore())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(codeOf(() => lease.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
  });
});

test('a restored lease is owned again, and the old token is spent', () => {
  leased(100, (lease) => {
    const first = lease.consume();
    first.restore();
    expect([lease.state, arena.statistics().inUse]).toEqual(['owned', 128]);
    expect(codeOf(() => first.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(codeOf(() => first.restore())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    const second = lease.consume();
    expect(codeOf(() => first.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    second.restore();
    lease.release();
    expect(codeOf(() => second.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
  });
});

test('disposal releases what is owned, and nothing else', () => {
  leased(64, (lease) => {
    lease[Symbol.dispose]();
    expect(lease.state).toBe('released');
    lease[Symbol.dispose]();
  });
  leased(64, (lease) => {
    const ownership = lease.consume();
    lease[Symbol.dispose]();
    expect([lease.state, arena.statistics().inUse]).toEqual(['consumed', 64]);
    ownership.release();
    lease[Symbol.dispose]();
  });
  leased(64, (lease) => {
    using held = lease;
    expect(held.released).toBe(false);
  });
});
