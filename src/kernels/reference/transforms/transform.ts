/**
 * Transforms (equations 40 to 45): float32 of the values, to be quantized later.
 * @module
 */
import { Op } from '../../../scheme/codes.js';
import { Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import { type Memory, valueBytes } from '../memory.js';
import { entryOf } from './paley.js';
import { transpose } from './transpose.js';

/** Carries out the transform that `d` describes. */
export function transform(d: Descriptor, memory: Memory): void {
  const op = d.int(Word.Op);
  if (op === Op.Transpose) {
    transpose(d, memory);
    return;
  }
  const length = d.address(Word.Length);
  const scales = new Float32Array(length);
  if (op !== Op.Rotate) for (let i = 0; i < length; i++) scales[i] = memory.getFloat32(d.address(Word.Scale) + i * 4);
  const dtype = d.int(Word.Dtype);
  const bytes = valueBytes(dtype);
  const row = new Float32Array(length);
  for (let at = d.int(Word.First) * length; at < d.int(Word.Last) * length; at += length) {
    memory.gatherValues(dtype, d.address(Word.Values) + at * bytes, bytes, length, row);
    if (op === Op.Rotate) rotate(row, d.address(Word.Group), d.int(Word.Count), d.int(Word.Parts));
    else for (let i = 0; i < length; i++) row[i] = op === Op.Divide ? row[i]! / scales[i]! : row[i]! * scales[i]!;
    memory.scatterValues(d.address(Word.Codes) + at * 4, 4, length, row);
  }
}

/** Rotates a row in blocks of `n`, with a factor of order `order` made of `prime` (equations 40 and 41). */
function rotate(row: Float32Array, n: number, order: number, prime: number): void {
  const run = n / order;
  const root = Math.fround(Math.sqrt(n));
  for (let from = 0; from < row.length; from += n) {
    const block = row.subarray(from, from + n);
    if (order > 1) block.set(mixed(block, order, prime));
    for (let half = 1; half < run; half *= 2) {
      for (let i = 0; i < n; i++) {
        if ((i % run) & half) continue;
        const [a, b] = [block[i]!, block[i + half]!];
        block[i] = a + b;
        block[i + half] = a - b;
      }
    }
    for (let i = 0; i < n; i++) block[i] = block[i]! / root;
  }
}

/** Run i is the sum of all runs with the signs of row i of the matrix, from the first to the last. */
function mixed(block: Float32Array, order: number, prime: number): Float32Array {
  const run = block.length / order;
  // Any first value adds to −0 as itself.
  const sums = new Float32Array(block.length).fill(-0);
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < order; j++) {
      const entry = entryOf(order, prime, i, j);
      for (let c = 0; c < run; c++) sums[i * run + c]! += entry * block[j * run + c]!;
    }
  }
  return sums;
}
