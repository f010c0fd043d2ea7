/**
 * Where a tensor is cut, so that a few parts of it fit into the arena at once.
 *
 * Whole outer slices are best; then runs of whole groups of one slice. Where a parameter may be shared by several boxes,
 * boxes end anywhere: within a group, and within one index of it.
 * @module
 */
import { fail } from '../errors.js';
import { formatSize } from '../memory/index.js';
import { CODE_FACTS, isPacked } from '../scheme/index.js';
import { type Box, boxElements, boxShape, type Grid } from './grid.js';

/** Bytes that a box takes of the arena. */
export interface Cost {
  /** What is read from the file. */
  readonly input: number;
  /** All of it. */
  readonly total: number;
}

/** How a tensor is cut. */
export interface Cut {
  /** Size of a box; boxes at an end are smaller. */
  readonly step: Box['size'];
  /** Whether values of one parameter lie in several boxes. */
  readonly isSplit: boolean;
  /** Boxes that may be in work at once. */
  readonly inFlight: number;
}

/** The most bytes read at once, and boxes in work at once. */
const MAX_INPUT = 8 * 2 ** 20;
const MAX_IN_FLIGHT = 4;

type Level = { readonly most: number; readonly size: (count: number) => Box['size'] };

/**
 * How a tensor is cut.
 * @param capacity bytes of the arena
 * @param cost what a box of a shape takes
 * @param isFree whether parameters are known, so that any cut gives the same bytes
 * @throws ERR_QUANTLANE_ARENA_TOO_SMALL with the `--memory` that would do
 */
export function cutOf(grid: Grid, capacity: number, cost: (shape: number[]) => Cost, isFree: boolean): Cut {
  const costOf = (size: Box['size']): Cost => cost(boxShape(grid, size));
  const isSmall = (size: Box['size']): boolean => {
    const { input, total } = costOf(size);
    return input <= Math.min(MAX_INPUT, capacity / 16) && total <= capacity / 8;
  };
  const { outer, depth, inner, group } = grid;
  const slices: Level = { most: outer, size: (n) => [n, depth, inner] };
  const groups: Level = { most: Math.ceil(depth / group), size: (n) => [1, Math.min(n * group, depth), inner] };
  const within: Level = { most: group, size: (n) => [1, n, inner] };
  const runs: Level = { most: inner, size: (n) => [1, 1, n] };
  const isWhole = grid.scheme.layout !== 'planar' || grid.scheme.outliers !== null;
  const whole = isWhole ? [slices, groups] : [slices, groups, within, runs];
  const { kind } = grid.scheme.granularity;
  const splitsAnyway = kind === 'perTensor' || (kind === 'perChannel' && outer > 1);
  // A dynamic group that is larger than a box should be, but fits, is better read once than twice.
  const aligned = (size: Box['size']): boolean => isAligned(grid, size);
  let step = choose(isFree || splitsAnyway ? whole : [slices, groups], isSmall, aligned);
  if (step === undefined && !isFree && !splitsAnyway && costOf(groups.size(1)).total <= capacity) step = groups.size(1);
  step ??= choose(whole, isSmall, aligned) ?? whole.at(-1)!.size(1);
  const { total } = costOf(step);
  if (total > capacity) throw tooSmall(total, capacity);
  if (!aligned(step)) {
    const text = `Expected room for all of a tensor whose rows of ${depth * inner} codes do not end with a byte`;
    throw fail('ERR_QUANTLANE_ARENA_TOO_SMALL', `${text}, got an arena of ${formatSize(capacity)}`);
  }
  const inFlight = Math.max(1, Math.min(MAX_IN_FLIGHT, Math.floor(capacity / (2 * total))));
  return { step, isSplit: isSplit(grid, step), inFlight };
}

/** The boxes of a cut, in the order of their values. */
export function* boxesOf(grid: Grid, [outer, depth, inner]: Box['size']): Generator<Box> {
  for (let o = 0; o < grid.outer; o += outer) {
    for (let d = 0; d < grid.depth; ) {
      // A step below a group ends where the group does.
      const end = depth < grid.group ? d - (d % grid.group) + grid.group : grid.depth;
      const size = Math.min(depth, end - d, grid.depth - d);
      for (let i = 0; i < grid.inner; i += inner) {
        yield { at: [o, d, i], size: [Math.min(outer, grid.outer - o), size, Math.min(inner, grid.inner - i)] };
      }
      d += size;
    }
  }
}

/** Whether the codes of every box begin with a byte. */
function isAligned(grid: Grid, step: Box['size']): boolean {
  const { dtype } = grid.scheme;
  if (!isPacked(dtype)) return true;
  const perByte = 8 / CODE_FACTS[dtype].bits;
  for (const box of boxesOf(grid, step)) if (boxElements(grid, box).first % perByte !== 0) return false;
  return true;
}

/** The largest box of the first level that has one which passes, a little smaller where only that is aligned. */
function choose(
  levels: readonly Level[],
  passes: (size: Box['size']) => boolean,
  aligned: (size: Box['size']) => boolean,
): Box['size'] | undefined {
  for (const { most, size } of levels) {
    if (!passes(size(1))) continue;
    let low = 1;
    let high = most;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (passes(size(middle))) low = middle;
      else high = middle - 1;
    }
    for (let n = low; n > Math.max(0, low - 4); n--) if (aligned(size(n))) return size(n);
  }
  return undefined;
}

function isSplit(grid: Grid, [outer, depth, inner]: Box['size']): boolean {
  const { kind } = grid.scheme.granularity;
  if (kind === 'perTensor') return inner < grid.inner;
  if (kind === 'perChannel') return outer < grid.outer || inner < grid.inner;
  return depth < grid.depth && depth % grid.group !== 0;
}

function tooSmall(bytes: number, capacity: number): Error {
  const text =
    `Expected an arena of at least ${formatSize(bytes)} for the smallest part that can be quantized alone, ` +
    `got ${formatSize(capacity)}; --memory ${Math.ceil(bytes / 1024)}KiB would do`;
  return fail('ERR_QUANTLANE_ARENA_TOO_SMALL', text, { details: { bytes, capacity } });
}
