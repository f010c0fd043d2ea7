import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Allocator, type Block, roundedBytes } from '#src/memory/allocator.js';
import { codeOf } from './helpers.js';

/** Offset of a block of so many bytes; -1 where there is no room. */
function take(allocator: Allocator, bytes: number): number {
  return allocator.allocate(bytes)?.offset ?? -1;
}

test('requests are rounded up to 64 bytes, none is empty', () => {
  expect([0, 1, 63, 64, 65, 128].map(roundedBytes)).toEqual([64, 64, 64, 64, 128, 128]);
  const allocator = new Allocator(0, 256);
  expect([0, 1, 64, 63].map((bytes) => take(allocator, bytes))).toEqual([0, 64, 128, 192]);
  expect(allocator.inUse).toBe(256);
  expect(take(allocator, 0)).toBe(-1);
});

test('the bounds are rounded inwards', () => {
  const allocator = new Allocator(1, 255);
  expect(allocator.capacity).toBe(128);
  expect(allocator.largestFree).toBe(128);
  expect(take(allocator, 128)).toBe(64);
  expect(allocator.largestFree).toBe(0);
});

test.each([
  [0, 0],
  [0, 63],
  [1, 64],
  [100, 50],
])('the range from %d to %d has no room', (start, end) => {
  const allocator = new Allocator(start, end);
  expect([allocator.capacity, allocator.inUse, allocator.largestFree]).toEqual([0, 0, 0]);
  expect(allocator.fits(0)).toBe(false);
  expect(take(allocator, 0)).toBe(-1);
});

test('an empty range of any length fits a request for all of it', () => {
  for (let units = 1; units <= 2100; units += 1) {
    const allocator = new Allocator(64, 64 + units * 64);
    expect(allocator.fits(units * 64 + 1)).toBe(false);
    expect(allocator.fits(units * 64)).toBe(true);
    expect(take(allocator, units * 64)).toBe(64);
  }
});

test('a range of almost 2 GiB', () => {
  const allocator = new Allocator(4096, 2 ** 31 - 2 ** 16);
  const half = allocator.capacity / 2;
  expect(allocator.largestFree).toBe(allocator.capacity);
  expect(take(allocator, half)).toBe(4096);
  expect(take(allocator, half)).toBe(4096 + half);
  expect(take(allocator, 1)).toBe(-1);
});

test.each([2 ** 31, 2 ** 32, 2 ** 38, 2 ** 38 + 20 * 64, 2 ** 40, Number.MAX_SAFE_INTEGER])(
  '%d bytes do not fit',
  (bytes) => {
    const allocator = new Allocator(0, 2 ** 30);
    expect(allocator.fits(bytes)).toBe(false);
    expect(take(allocator, bytes)).toBe(-1);
    expect(allocator.inUse).toBe(0);
  },
);

describe('free', () => {
  test.each([
    ['forwards', [0, 1, 2, 3]],
    ['backwards', [3, 2, 1, 0]],
    ['every other first', [0, 2, 1, 3]],
    ['the middle last', [0, 3, 1, 2]],
  ])('%s joins all neighbours', (_, order) => {
    const allocator = new Allocator(0, 4096);
    const taken = [100, 1000, 64, 2000].map((bytes) => allocator.allocate(bytes)!);
    for (const index of order) allocator.free(taken[index]!);
    expect([allocator.inUse, allocator.largestFree]).toEqual([0, 4096]);
    expect(take(allocator, 4096)).toBe(0);
  });

  test('of what is not taken is refused', () => {
    const allocator = new Allocator(0, 4096);
    const [first, second, third] = [128, 64, 64].map((bytes) => allocator.allocate(bytes)!);
    allocator.free(first!);
    expect(codeOf(() => allocator.free(first!))).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    // One that was joined to the block before it.
    allocator.free(second!);
    expect(codeOf(() => allocator.free(second!))).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
    expect(allocator.inUse).toBe(64);
    allocator.free(third!);
    expect([allocator.inUse, allocator.largestFree]).toEqual([0, 4096]);
  });
});

/** A naive model: one flag for each 64 bytes. */
class Model {
  readonly taken: boolean[];

  constructor(units: number) {
    this.taken = new Array(units).fill(false);
  }

  /** The longest run of free units, in bytes. */
  get largestFree(): number {
    let longest = 0;
    let run = 0;
    for (const flag of this.taken) {
      run = flag ? 0 : run + 1;
      longest = Math.max(longest, run);
    }
    return longest * 64;
  }

  get inUse(): number {
    return this.taken.filter(Boolean).length * 64;
  }

  /** Sets units that must all have been the opposite. */
  set(first: number, count: number, flag: boolean): void {
    for (let unit = first; unit < first + count; unit += 1) {
      expect(this.taken[unit], `unit ${unit}`).toBe(!flag);
      this.taken[unit] = flag;
    }
  }
}

test('against a naive model: aligned, never overlapping, exact about what fits, whole again at the end', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 3000 }) }) },
    { weight: 1, arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 40_000 }) }) },
    { weight: 3, arbitrary: fc.record({ free: fc.nat() }) },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.nat(1000),
      fc.array(step, { maxLength: 120 }),
      (units, start, steps) => {
        const first = Math.ceil(start / 64) * 64;
        const allocator = new Allocator(start, first + units * 64 + (start % 64));
        const model = new Model(units);
        const blocks: { block: Block; bytes: number }[] = [];
        const free = ({ block, bytes }: { block: Block; bytes: number }) => {
          const { offset } = block;
          allocator.free(block);
          model.set((offset - first) / 64, roundedBytes(bytes) / 64, false);
        };
        for (const action of steps) {
          if ('free' in action) {
            if (blocks.length > 0) free(blocks.splice(action.free % blocks.length, 1)[0]!);
          } else {
            const fits = allocator.fits(action.bytes);
            expect(fits).toBe(roundedBytes(action.bytes) <= model.largestFree);
            const block = allocator.allocate(action.bytes);
            expect(block !== undefined).toBe(fits);
            if (block !== undefined) {
              const { offset } = block;
              expect(offset % 64).toBe(0);
              model.set((offset - first) / 64, roundedBytes(action.bytes) / 64, true);
              blocks.push({ block, bytes: action.bytes });
            }
          }
          expect(allocator.inUse).toBe(model.inUse);
          expect(allocator.largestFree).toBe(model.largestFree);
        }
        for (const block of blocks) free(block);
        expect(allocator.largestFree).toBe(allocator.capacity);
        expect(take(allocator, allocator.capacity)).toBe(first);
      },
    ),
    { numRuns: 300 },
  );
});
