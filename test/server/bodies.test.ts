/** Memory for small answers: used again only when nobody reads it any more. */
import { expect, it } from 'vitest';
import { bodyOf, giveBack } from '#src/server/bodies.js';

const part = (...bytes: number[]) => Uint8Array.from(bytes);

it('puts the parts one after the other', () => {
  expect([...bodyOf([part(1, 2), part(), part(3)], 3)]).toEqual([1, 2, 3]);
  expect(bodyOf([part(), new Uint8Array(100_000).fill(7)], 100_000).every((byte) => byte === 7)).toBe(true);
});

it('uses memory again that was given back, and no other', () => {
  const [first, second] = [bodyOf([part(1)], 1), bodyOf([part(2)], 1)];
  expect(second.buffer).not.toBe(first.buffer);
  giveBack(first);
  const third = bodyOf([part(3, 4)], 2);
  expect(third.buffer).toBe(first.buffer);
  expect([...third, ...second]).toEqual([3, 4, 2]);
  // A body with memory of its own is not kept.
  const large = bodyOf([new Uint8Array(10_000)], 10_000);
  giveBack(large);
  expect(bodyOf([part(5)], 1).buffer).not.toBe(large.buffer);
});

it('keeps no more than 2 MiB', () => {
  const bodies = Array.from({ length: 300 }, () => bodyOf([part(1)], 1));
  for (const body of bodies) giveBack(body);
  const known = new Set(bodies.map(({ buffer }) => buffer));
  const again = Array.from({ length: 300 }, () => bodyOf([part(1)], 1));
  expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(256);
});
