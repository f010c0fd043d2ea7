import { describe, expect, test } from 'vitest';
import { type Turn, Turns } from '#src/runtime/turns.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { FORCED } from './helpers.js';

interface Named extends Turn {
  readonly name: string;
}

function job(source: object, name: string, elements = 2 ** 20): Named {
  return { source, elements, turn: 0, name };
}

describe('turns', () => {
  test('go round the sources, however many jobs one of them has', () => {
    const [flood, trickle, other] = [{}, {}, {}];
    const turns = new Turns<Named>();
    for (let k = 0; k < 100; k++) turns.push(job(flood, `flood ${k}`, 1));
    turns.push(job(trickle, 'trickle', 1));
    turns.push(job(other, 'other', 1));
    const names: string[] = [];
    for (let k = 0; k < 5; k++) {
      const next = turns.next()!;
      turns.go(next);
      names.push(`${next.name}: ${next.turn}`);
    }
    expect(names).toEqual(['flood 0: 1', 'trickle: 1', 'other: 1', 'flood 1: 2', 'flood 2: 3']);
    expect(turns.waiting).toBe(97);
  });

  test('let so much of a source go at a time, and two jobs in any case', () => {
    const source = {};
    const turns = new Turns<Named>();
    const jobs = [0, 1, 2, 3].map((k) => job(source, String(k), 2 ** 22));
    for (const each of jobs) turns.push(each);
    for (const each of jobs.slice(0, 2)) {
      expect(turns.next()).toBe(each);
      turns.go(each);
    }
    expect(turns.next()).toBeUndefined();
    turns.ended(jobs[0]!);
    expect(turns.next()).toBe(jobs[2]);
  });

  test('a source that comes anew is one job behind those that run, not behind all that wait', () => {
    const [flood, late] = [{}, {}];
    const turns = new Turns<Named>();
    const jobs = Array.from({ length: 8 }, (_, k) => job(flood, String(k), 1));
    for (const each of jobs) {
      turns.push(each);
      turns.go(each);
    }
    expect(jobs.map(({ turn }) => turn)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    turns.ended(jobs[0]!);
    const next = job(late, 'late', 1);
    turns.push(next);
    turns.go(next);
    // The second of the flood runs; of those that wait it is before all but the one with the same number.
    expect(next.turn).toBe(2);
  });

  test('forget what was taken out', () => {
    const source = {};
    const turns = new Turns<Named>();
    const [one, two] = [job(source, 'one'), job(source, 'two')];
    turns.push(one);
    turns.push(two);
    expect([turns.remove(one), turns.remove(one), turns.waiting]).toEqual([true, false, 1]);
    turns.go(two);
    turns.ended(two);
    expect([turns.next(), turns.remove(two)]).toEqual([undefined, false]);
  });
});

test('a flood in one stream delays a batch of another by one batch at most', async () => {
  await withRuntime({ lanes: 1, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED }, async (runtime) => {
    const order: string[] = [];
    const [flood, trickle] = [{}, {}];
    const call = (name: string, source: object, seed: number) => {
      // Slow enough for each end to be seen.
      const { lease } = faultyBatch(runtime, Fault.Slow, [4, 64], seed);
      const options = { source } as object;
      return runtime.quantize(lease, 'torchao-int8', options).then((quantized) => {
        order.push(name);
        quantized.release();
      });
    };
    // The lane is busy while all of these come.
    const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
    const first = runtime.quantize(gate.lease, 'torchao-int8').then((quantized) => quantized.release());
    await gate.held();
    const calls = Array.from({ length: 10 }, (_, k) => call(`flood ${k}`, flood, k));
    await new Promise((resolve) => setTimeout(resolve, 5));
    calls.push(call('trickle', trickle, 20));
    await new Promise((resolve) => setTimeout(resolve, 5));
    gate.open();
    await Promise.all([first, ...calls]);
    expect(order.indexOf('trickle')).toBeLessThanOrEqual(1);
    expect(order.filter((name) => name !== 'trickle')).toEqual(Array.from({ length: 10 }, (_, k) => `flood ${k}`));
  });
});
