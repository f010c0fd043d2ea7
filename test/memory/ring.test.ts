import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Ring, SLOTS } from '#src/memory/index.js';
import { State, Word } from '../../src/scheme/descriptor.js';
import { HEAD, LANES, Model, POISON, publishPass, ringAt, step, TAIL } from '../runtime/ring-model.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the ring against a model', () => {
  const starts = fc.constantFrom(0, SLOTS - 3, 2 ** 31 - 200, 2 ** 31 - 1, -300, -1);

  test('claim, finish, withdraw, give back and retire, across the wrap of sequence numbers', () => {
    let claims = 0;
    fc.assert(
      fc.property(starts, fc.array(step, { minLength: 20, maxLength: 300, size: 'max' }), (start, steps) => {
        const model = new Model(start);
        for (const each of steps) model.run(each);
        claims += model.claims;
      }),
      { numRuns: 150 },
    );
    expect(claims).toBeGreaterThan(1000);
  });

  test('every slot is used many times over', () => {
    const model = new Model(2 ** 31 - 1000);
    for (let round = 0; round < 60; round++) {
      model.run({ kind: 'publish', count: 17, isTwoPass: true });
      for (let each = 0; each < 34; each++) {
        model.run({ kind: 'claim', lane: each % LANES });
        model.run({ kind: 'finish', pick: 0 });
      }
      model.run({ kind: 'collect' });
    }
    expect(model.claims).toBe(60 * 34);
    expect(model.ring.head).toBe((2 ** 31 - 1000 + 60 * 34) | 0);
  });
});

describe('a second pass', () => {
  test('is claimed only after the whole first pass is over', () => {
    const ring = ringAt(0);
    const first = publishPass(ring, 3);
    const second = publishPass(ring, 3, first);
    const claimed = first.map(() => ring.claim(0));
    expect(claimed).toEqual(first.map((sequence) => ring.address(sequence)));
    expect(ring.claim(1)).toBe(-1);
    ring.finish(claimed[2]!);
    ring.finish(claimed[0]!);
    expect(ring.claim(1)).toBe(-1);
    ring.finish(claimed[1]!);
    expect(ring.claim(1)).toBe(ring.address(second[0]!));
  });

  test('does not hold up what comes after it', () => {
    const ring = ringAt(0);
    const first = publishPass(ring, 1);
    publishPass(ring, 1, first);
    const [other] = publishPass(ring, 1);
    expect(ring.claim(0)).toBe(ring.address(first[0]!));
    expect(ring.claim(1)).toBe(ring.address(other!));
  });
});

describe('a lane that is held up between two steps', () => {
  test('the ring moved on between its looks at tail and head: it finds nothing, and soon', () => {
    const ring = ringAt(0);
    const other = new Ring(ring.words.buffer as SharedArrayBuffer);
    let looks = 0;
    let loads = 0;
    const load = Atomics.load.bind(Atomics);
    vi.spyOn(Atomics, 'load').mockImplementation(((words: Int32Array, at: number) => {
      if (++loads > 100_000) throw new Error('it goes round all sequence numbers');
      const value = load(words, at);
      if ((at === TAIL || at === HEAD) && ++looks === 1) {
        // Before the second look, another lane does a job and the producer retires it.
        const [sequence] = publishPass(other, 1);
        other.finish(other.claim(1));
        other.free(sequence!);
        other.retire();
      }
      return value;
    }) as typeof Atomics.load);
    expect(ring.claim(0)).toBe(-1);
  });

  test('after it said that it is done, the slots are used anew: the new pass is not counted down', () => {
    const ring = ringAt(0);
    const other = new Ring(ring.words.buffer as SharedArrayBuffer);
    const [sequence] = publishPass(ring, 1);
    const address = ring.claim(0);
    const store = Atomics.store.bind(Atomics);
    let first: number[] = [];
    vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, at: number, value: number) => {
      const result = store(words, at, value);
      if (at === (address >> 2) + Word.State && value === State.Done) {
        vi.restoreAllMocks();
        // The producer collects the job at once, and the ring goes round to the same slot.
        other.free(sequence!);
        other.retire();
        ring.words[TAIL] = SLOTS;
        ring.words[HEAD] = SLOTS;
        first = publishPass(other, 2);
        publishPass(other, 1, first);
      }
      return result;
    }) as typeof Atomics.store);
    ring.finish(address);
    const [one] = first.map(() => ring.claim(0));
    ring.finish(one!);
    // One of the two descriptors of the first pass is still at work.
    expect(ring.claim(1)).toBe(-1);
  });

  test('it dies between the two steps of finishing: the next pass is claimed all the same', () => {
    const ring = ringAt(0);
    const first = publishPass(ring, 1);
    const second = publishPass(ring, 1, first);
    const address = ring.claim(0);
    const store = Atomics.store.bind(Atomics);
    const spy = vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, at: number, value: number) => {
      store(words, at, value);
      if (value === State.Done) throw new Error('the thread ends here');
      return value;
    }) as typeof Atomics.store);
    expect(() => ring.finish(address)).toThrow('the thread ends here');
    spy.mockRestore();
    for (const sequence of ring.heldBy(0)) ring.giveBack(sequence, 2, POISON);
    const next = ring.claim(1);
    if (next === address) ring.finish(address);
    expect(next === address ? ring.claim(1) : next).toBe(ring.address(second[0]!));
  });
});

describe('waiting', () => {
  test('a lane does not sleep through work that came before', async () => {
    const ring = ringAt(0);
    const seen = ring.workCount;
    ring.wake(1);
    await ring.sleep(seen, 60_000);
    ring.doze(seen, 60_000);
    expect(ring.workCount).toBe((seen + 1) | 0);
  });

  test('the end of a pass wakes whoever waits for it', async () => {
    const ring = ringAt(0);
    const first = publishPass(ring, 2);
    for (const sequence of first) ring.words[(ring.address(sequence) >> 2) + Word.Leads] = 1;
    const second = publishPass(ring, 1, first);
    const [work, finished] = [ring.workCount, ring.finishedCount];
    ring.finish(ring.claim(0));
    expect([ring.workCount, ring.finishedCount]).toEqual([work, finished]);
    ring.finish(ring.claim(0));
    expect([ring.workCount, ring.finishedCount]).toEqual([work + 1, finished]);
    expect(ring.claim(0)).toBe(ring.address(second[0]!));
    const waiting = ring.untilFinished(finished, 60_000);
    ring.finish(ring.address(second[0]!));
    await waiting;
    expect(ring.finishedCount).toBe(finished + 1);
  });

  test('the end of a first pass whose second was withdrawn wakes the producer, which waits for it', () => {
    const ring = ringAt(0);
    const first = publishPass(ring, 1);
    ring.words[(ring.address(first[0]!) >> 2) + Word.Leads] = 1;
    const second = publishPass(ring, 1, first);
    const address = ring.claim(0);
    expect([ring.withdraw(second[0]!), ring.withdraw(first[0]!)]).toEqual([true, false]);
    const finished = ring.finishedCount;
    ring.finish(address);
    expect(ring.finishedCount).toBe(finished + 1);
  });

  test('a lane that rests does not use up a wake-up', async () => {
    const ring = ringAt(0);
    const resting = ring.rest(60_000);
    const sleeping = ring.sleep(ring.workCount, 60_000);
    ring.wake(1);
    await sleeping;
    ring.rouse();
    await resting;
    ring.setStop(true);
    await ring.rest(60_000);
  });

  test('stop', () => {
    const ring = ringAt(0);
    expect(ring.isStopped).toBe(false);
    ring.setStop(true);
    expect([ring.isStopped, ring.workCount]).toEqual([true, 1]);
    ring.setStop(false);
    expect(ring.isStopped).toBe(false);
  });
});
