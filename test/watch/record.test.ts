/** The bounded record: seconds in a ring, counters of the recent past, latencies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latency, PART_MS, Recent, SECONDS, Seconds, Traffic } from '#src/watch/index.js';

describe('seconds', () => {
  it('hold what was added in each of the last five minutes, and nothing else', () => {
    const step = fc.tuple(fc.nat({ max: 200_000 }), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.array(step, { maxLength: 60 }), (began, steps) => {
        const seconds = new Seconds([0, Number.POSITIVE_INFINITY]);
        const model = new Map<number, { sum: number; least: number }>();
        let now = began;
        let first: number | undefined;
        for (const [pause, value] of steps) {
          now += pause;
          const second = Math.floor(now / 1000);
          first ??= second;
          const at = seconds.at(now);
          seconds.numbers[at]! += value;
          seconds.numbers[at + 1] = Math.min(seconds.numbers[at + 1]!, value);
          const { sum, least } = model.get(second) ?? { sum: 0, least: Number.POSITIVE_INFINITY };
          model.set(second, { sum: sum + value, least: Math.min(least, value) });
        }
        const newest = Math.floor(now / 1000);
        const oldest = Math.max(newest - SECONDS + 1, first ?? newest);
        const expected = Array.from({ length: newest - oldest + 1 }, (_, at) => {
          const { sum, least } = model.get(oldest + at) ?? { sum: 0, least: Number.POSITIVE_INFINITY };
          return [sum, least];
        });
        const places = [...seconds.last(now, SECONDS)];
        expect(places.map((at) => [seconds.numbers[at], seconds.numbers[at + 1]])).toEqual(expected);
        expect([...seconds.last(now, 3)]).toEqual(places.slice(-3));
      }),
    );
  });

  it('take the same memory after a day as after a second', () => {
    const seconds = new Seconds([0]);
    for (let hour = 0; hour < 24; hour++)
      for (let minute = 0; minute < 60; minute++) seconds.at((hour * 60 + minute) * 60_000);
    expect(seconds.numbers.length).toBe(SECONDS);
    expect([...seconds.last(24 * 3_600_000, 10_000)].length).toBe(SECONDS);
  });
});

describe('recent counters', () => {
  const counter = () =>
    new Recent(
      () => ({ count: 0 }),
      (one) => Object.assign(one, { count: 0 }),
    );
  const read = (recent: Recent<{ count: number }>, now: number) => recent.both(now).map(({ count }) => count);

  it('forget what is more than two parts ago', () => {
    const recent = counter();
    recent.at(0).count = 5;
    expect(read(recent, PART_MS - 1)).toEqual([5, 0]);
    recent.at(PART_MS).count = 7;
    expect(read(recent, PART_MS)).toEqual([7, 5]);
    expect(read(recent, 2 * PART_MS)).toEqual([0, 7]);
    expect(read(recent, 4 * PART_MS)).toEqual([0, 0]);
  });

  it('count what comes late where it is now', () => {
    const recent = counter();
    recent.at(PART_MS).count++;
    recent.at(PART_MS - 1).count++;
    expect(read(recent, PART_MS)).toEqual([2, 0]);
  });
});

describe('latency', () => {
  it('has the percentiles of the calls, within a hundredth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (times) => {
          const latency = new Latency();
          // Half of them in the part before.
          for (const [at, time] of times.entries()) latency.record(at < times.length / 2 ? 0 : PART_MS, time);
          const sorted = [...times].sort((a, b) => a - b);
          const found = latency.percentiles(PART_MS)!;
          expect(found.calls).toBe(times.length);
          for (const [percent, value] of [
            [50, found.p50],
            [90, found.p90],
            [99, found.p99],
          ] as const) {
            // The call of a rank, or of the one before: ranks that are no integers are rounded.
            const rank = (percent / 100) * sorted.length;
            const [low, high] = [sorted[Math.max(0, Math.floor(rank) - 1)]!, sorted[Math.ceil(rank) - 1]!];
            expect(value).toBeGreaterThanOrEqual(low * 0.99 - 0.0011);
            expect(value).toBeLessThanOrEqual(high * 1.01 + 0.0011);
          }
        },
      ),
    );
  });

  it('is none where there was no call of late', () => {
    const latency = new Latency();
    expect(latency.percentiles(0)).toBeNull();
    latency.record(0, 1);
    expect(latency.percentiles(3 * PART_MS)).toBeNull();
  });

  it('takes times of nothing, of minutes and of hours', () => {
    const latency = new Latency();
    for (const time of [0, 120_000, 7_200_000]) latency.record(0, time);
    expect(latency.percentiles(0)).toMatchObject({ calls: 3 });
  });
});

describe('traffic', () => {
  it('counts all, and each second that is over', () => {
    const traffic = new Traffic();
    traffic.add(10_000, 100, 400, 1);
    traffic.add(10_900, 50, 200, 1);
    traffic.add(12_000, 7, 28, 1);
    traffic.fail(12_500);
    expect(traffic.total).toEqual({ batches: 3, elements: 157, bytes: 628, failed: 1 });
    expect(traffic.series(12_999, 299)).toEqual({ batches: [2, 0], elements: [150, 0], bytes: [600, 0] });
    expect(traffic.rate(15_000)).toEqual({ batches: 3 / 5, elements: 157 / 5, bytes: 628 / 5, failed: 1 / 5 });
  });
});
