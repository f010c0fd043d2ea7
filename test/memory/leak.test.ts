import { expect, test } from 'vitest';
import { Arena, type Lease, type Ownership, TensorLease } from '#src/memory/index.js';
import { codeOf, collect, collectUntil, rejection, track, turn } from './helpers.js';

/** Leases memory whose handle is out of reach when this returns. */
function lose(arena: Arena, ...sizes: number[]): number[] {
  return sizes.map((bytes) => arena.lease(bytes).byteOffset);
}

test('a lease that is collected while owned is counted, and its memory not used again', async () => {
  const arena = new Arena({ bytes: 1024 });
  lose(arena, 100);
  await collectUntil(() => arena.statistics().leaked === 1);
  expect(arena.statistics()).toMatchObject({ inUse: 128, leases: 1, leaked: 1, leakedBytes: 128 });
  const rest = arena.lease(1024 - 128);
  expect(codeOf(() => arena.lease(1))).toBe('ERR_QUANTLANE_ARENA_FULL');
  rest.release();
  expect(codeOf(() => arena.lease(1024 - 127))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  expect(await rejection(arena.acquire(1024))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  expect(() => arena.lease(1024)).toThrow('at most 896 B, got 1 KiB: the arena has 1 KiB; 128 B leaked');
});

test('a leak in the middle leaves no more possible than the longer side', async () => {
  const arena = new Arena({ bytes: 1024, reserved: 64 });
  const before = arena.lease(256);
  expect(lose(arena, 64)).toEqual([64 + 256]);
  await collectUntil(() => arena.statistics().leaked === 1);
  before.release();
  expect(codeOf(() => arena.lease(705))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  arena.lease(704).release();
});

test('of several leaks, found in any order, the longest run between them counts', async () => {
  const arena = new Arena({ bytes: 1024 });
  let first: Lease | undefined = arena.lease(64);
  const gaps = [arena.lease(320), arena.lease(64)];
  lose(arena, 64);
  await collectUntil(() => arena.statistics().leaked === 1);
  expect(first.byteOffset).toBe(0);
  first = undefined;
  await collectUntil(() => arena.statistics().leaked === 2);
  for (const gap of gaps) gap.release();
  expect(codeOf(() => arena.lease(513))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  arena.lease(512).release();
  lose(arena, 512);
  await collectUntil(() => arena.statistics().leaked === 3);
  expect(codeOf(() => arena.lease(385))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
  arena.lease(384).release();
});

test('an acquired lease is watched too, though its signal lives on', async () => {
  const arena = new Arena({ bytes: 128 });
  const controller = new AbortController();
  const first = arena.lease(128);
  await (async () => {
    const waiting = arena.acquire(64, { signal: controller.signal });
    first.release();
    expect((await waiting).state).toBe('owned');
  })();
  await collectUntil(() => arena.statistics().leaked === 1);
  expect(arena.statistics()).toMatchObject({ inUse: 64, leakedBytes: 64 });
  controller.abort();
});

test('a tensor is watched through its lease, though its data is kept', async () => {
  const arena = new Arena({ bytes: 1024 });
  const data = (() => new TensorLease(arena.lease(16), arena, 'float32', [4]).data)();
  await collectUntil(() => arena.statistics().leaked === 1);
  data.fill(1);
  expect(new Float32Array(arena.buffer, arena.lease(64).byteOffset, 16)).toEqual(new Float32Array(16));
});

test('what was released, disposed of or consumed is no leak; what was restored is', async () => {
  const arena = new Arena({ bytes: 4096 });
  const tokens: Ownership[] = [];
  (() => {
    arena.lease(64).release();
    arena.lease(64)[Symbol.dispose]();
    tokens.push(arena.lease(128).consume());
    tokens.push(new TensorLease(arena.lease(256), arena, 'float16', [128]).consume());
    const restored = arena.lease(512).consume();
    restored.restore();
  })();
  lose(arena, 1024); // shows that the collector came by
  await collectUntil(() => arena.statistics().leaked === 2);
  await collect();
  expect(arena.statistics()).toMatchObject({ leaked: 2, leakedBytes: 512 + 1024, inUse: 128 + 256 + 512 + 1024 });
  for (const token of tokens) token.release();
  expect(arena.statistics()).toMatchObject({ leaked: 2, inUse: 512 + 1024, leases: 2 });
});

test('a handle that is held is never counted', async () => {
  const arena = new Arena({ bytes: 1024 });
  const held = arena.lease(64);
  lose(arena, 64);
  await collectUntil(() => arena.statistics().leaked === 1);
  await collect();
  expect(held.state).toBe('owned');
  held.release();
  expect(arena.statistics()).toMatchObject({ leaked: 1, inUse: 64 });
});

test('a request that a leak made impossible is rejected, and the next is served', async () => {
  const arena = new Arena({ bytes: 1024 });
  lose(arena, 256);
  const impossible = track(arena.acquire(1024));
  const possible = track(arena.acquire(768));
  let told = 0;
  arena.onRelease(() => {
    told += 1;
  });
  await collectUntil(() => impossible.state === 'rejected');
  expect(impossible.reason).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL' });
  expect(told).toBe(1);
  await turn();
  expect(possible.state).toBe('served');
  possible.value!.release();
});

test('leaked memory does not hide a deadlock', async () => {
  const arena = new Arena({ bytes: 1024 });
  const input = arena.lease(512);
  lose(arena, 256);
  const job = track(arena.acquire(512, { holding: 512 }));
  await turn(3);
  expect(job.state).toBe('waiting');
  await collectUntil(() => job.state === 'rejected');
  expect(job.reason).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_STUCK' });
  input.release();
});
