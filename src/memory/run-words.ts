/**
 * The words of a run: batches of one kind that share a descriptor, so that many small ones cost one claim and one wake-up.
 * @module
 */
import { Word } from '../scheme/descriptor.js';
import { clearOutcome } from './outcome-words.js';

/** Addresses of a descriptor that lie in what a batch writes, or is given with it; 0 where there is none. */
const MOVED = [
  Word.Codes,
  Word.Scale,
  Word.ZeroPoint,
  Word.RangeLow,
  Word.RangeHigh,
  Word.Statistics,
  Word.TensorScale,
] as const;

/** The first of the bits of `RunMarks` that say what was withdrawn. */
const WITHDRAWN = 1 << 16;

/** Where a batch of a run lies. */
export interface RunBatch {
  /** Byte address of its values. */
  readonly values: number;
  /** Bytes by which its other addresses lie behind those of the first batch. */
  readonly shift: number;
}

/** Makes the descriptor at word index `at` one of all batches; its own addresses are those of the first. */
export function writeRun(words: Int32Array, at: number, batches: readonly RunBatch[]): void {
  words[at + Word.RunCount] = batches.length;
  words[at + Word.RunDirty] = 0;
  words[at + Word.RunMarks] = 0;
  for (const [index, { values, shift }] of batches.entries()) {
    words[at + Word.RunBatches + 2 * index] = values;
    words[at + Word.RunBatches + 2 * index + 1] = shift;
  }
}

/**
 * Carries out the batches of the run at byte address `address` that were not withdrawn, each as a descriptor of its own.
 * Afterwards the descriptor
 * has no error, and a bit of `RunDirty` for each batch that had one, or values that are not finite.
 */
export function eachOfRun(words: Int32Array, address: number, execute: (address: number) => void): void {
  const at = address >> 2;
  const count = words[at + Word.RunCount]!;
  let dirty = 0;
  let before = 0;
  for (let index = 0; index < count; index++) {
    if (!begins(words, at, index)) continue;
    const shift = words[at + Word.RunBatches + 2 * index + 1]!;
    words[at + Word.Values] = words[at + Word.RunBatches + 2 * index]!;
    for (const word of MOVED) if (words[at + word] !== 0) words[at + word]! += shift - before;
    before = shift;
    clearOutcome(words, address);
    execute(address);
    if (words[at + Word.Status] !== 0 || words[at + Word.BadCount] !== 0) dirty |= 1 << index;
  }
  clearOutcome(words, address);
  words[at + Word.RunDirty] = dirty;
}

/** Lane: whether a batch may be begun; it is from now on. */
function begins(words: Int32Array, at: number, index: number): boolean {
  return (Atomics.or(words, at + Word.RunMarks, 1 << index) & (WITHDRAWN << index)) === 0;
}

/** Producer: withdraws a batch of the run at word index `at` that no lane has begun; false where one has. */
export function withdrawBatch(words: Int32Array, at: number, index: number): boolean {
  return (Atomics.or(words, at + Word.RunMarks, WITHDRAWN << index) & (1 << index)) === 0;
}

/** Whether a lane has begun a batch of the run at word index `at`. */
export function hasBegun(words: Int32Array, at: number, index: number): boolean {
  return (Atomics.load(words, at + Word.RunMarks) & (1 << index)) !== 0;
}

/** Whether there is something to say about a batch of the run at word index `at`. */
export function isDirty(words: Int32Array, at: number, index: number): boolean {
  return ((words[at + Word.RunDirty]! >> index) & 1) === 1;
}
