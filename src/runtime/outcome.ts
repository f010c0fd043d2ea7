/**
 * What became of a job.
 * @module
 */
import { errorCode, fail } from '../errors.js';
import { Word } from '../scheme/descriptor.js';
import type { Scheme } from '../scheme/index.js';

/** What became of a job. */
export interface Outcome {
  /** 0, or the numeric id of an error. */
  status: number;
  /** Values that were NaN or infinite. */
  badCount: number;
  /** Element index of the first of them, or −1. */
  badFirst: number;
  /** Bits of the range of an `Op.Tensor` job. */
  high: number;
  low: number;
}

/** The outcome before anything was done. */
export function emptyOutcome(): Outcome {
  return { status: 0, badCount: 0, badFirst: -1, high: -0x00800000, low: 0x7f800000 };
}

/** Adds what the descriptor at word index `at` reports. */
export function addOutcome(outcome: Outcome, words: Int32Array, at: number): void {
  outcome.status ||= words[at + Word.Status]!;
  const count = words[at + Word.BadCount]!;
  if (count > 0) {
    const first = words[at + Word.BadFirst]!;
    outcome.badCount += count;
    if (outcome.badFirst < 0 || first < outcome.badFirst) outcome.badFirst = first;
  }
  const high = words[at + Word.High]!;
  const low = words[at + Word.Low]!;
  if (keyOf(high) > keyOf(outcome.high)) outcome.high = high;
  if (keyOf(low) < keyOf(outcome.low)) outcome.low = low;
}

/** An integer that orders the bits of float32 as their values are, −0 below +0. */
export function keyOf(bits: number): number {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

/**
 * Passes the outcome of work that was done, whatever its values.
 * @throws ERR_QUANTLANE_KERNEL, ERR_QUANTLANE_POISON_BATCH
 */
export function checkDone({ status }: Outcome): void {
  if (status === 0) return;
  const code = errorCode(status);
  const text = code === 'ERR_QUANTLANE_POISON_BATCH' ? 'it ended two lanes that worked on it' : 'a kernel trapped';
  throw fail(code, `Expected the batch to be computed, but ${text}`);
}

/**
 * Passes an outcome without error.
 * @throws ERR_QUANTLANE_KERNEL, ERR_QUANTLANE_POISON_BATCH, or ERR_QUANTLANE_NON_FINITE where the scheme's policy is `error`
 */
export function checkOutcome(outcome: Outcome, scheme: Scheme): void {
  checkDone(outcome);
  if (outcome.badCount === 0 || scheme.nonFinite !== 'error') return;
  const { badCount: count, badFirst: first } = outcome;
  const text = `Expected finite values, got ${count} NaN or infinite, the first at ${first}`;
  throw fail('ERR_QUANTLANE_NON_FINITE', text, { details: { count, first } });
}
