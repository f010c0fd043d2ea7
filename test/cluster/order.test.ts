/** The order of results, and credits: whatever comes out of turn waits, and nobody waits for what was given up. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Credits } from '#src/cluster/credits.js';
import { Order } from '#src/cluster/order.js';

it('lets calls of a key come in their order, whatever order they are over in', async () => {
  const script = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', undefined), weight: fc.nat(), fails: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(script, async (calls) => {
      const order = new Order();
      const came: string[] = [];
      const turns = calls.map(({ key }) => order.take(key));
      const byWeight = calls.map((call, at) => ({ ...call, at })).sort((a, b) => a.weight - b.weight);
      const all = byWeight.map(async ({ key, fails, at }) => {
        const turn = turns[at]!;
        if (!fails) {
          await turn.come();
          came.push(`${key} ${turn.sequence}`);
        }
        turn.leave();
        turn.leave();
      });
      await Promise.all(all);
      for (const key of ['a', 'b']) {
        const numbers = came.filter((entry) => entry.startsWith(`${key} `)).map((entry) => Number(entry.slice(2)));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
      expect(came).toHaveLength(calls.filter(({ fails }) => !fails).length);
      expect(order.size).toBe(0);
    }),
  );
});

it('lets a call that waits for its turn be aborted, and those behind it go on', async () => {
  const order = new Order();
  const [first, second, third] = [order.take('k'), order.take('k'), order.take('k')];
  const stop = new AbortController();
  const waiting = second.come(stop.signal);
  const last = third.come();
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  second.leave();
  let isLast = false;
  void last.then(() => {
    isLast = true;
  });
  await Promise.resolve();
  expect(isLast).toBe(false);
  first.leave();
  await last;
  third.leave();
  expect(order.size).toBe(0);
});

it('gives credits in the order of the requests, by count and by bytes', async () => {
  const credits = new Credits(3, 100);
  await credits.acquire(60);
  await credits.acquire(40);
  const got: string[] = [];
  const stop = new AbortController();
  const large = credits.acquire(90).then(() => got.push('large'));
  const given = credits.acquire(50, stop.signal);
  const small = credits.acquire(10).then(() => got.push('small'));
  stop.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  credits.release(60);
  await Promise.resolve();
  expect(got).toEqual([]);
  credits.release(40);
  await Promise.all([large, small]);
  expect(got).toEqual(['large', 'small']);
  expect([credits.count, credits.bytes, credits.free]).toEqual([2, 100, 1]);
  credits.release(90);
  credits.release(10);
  // One that is alone may have more than there is.
  await credits.acquire(1_000);
  expect(credits.count).toBe(1);
});
