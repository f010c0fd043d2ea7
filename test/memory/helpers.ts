/** Errors by code, turns of the event loop, and the garbage collector. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { type ErrorCode, QuantlaneError } from '#src/errors.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Turns of the event loop after which a collection has surely been noticed, or never will be. */
const MAX_TURNS = 100;

/** The code that a call throws with, or `none`. */
export function codeOf(call: () => unknown): ErrorCode | 'none' {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(QuantlaneError);
    return (error as QuantlaneError).code;
  }
  return 'none';
}

/** The code that a promise rejects with, or `none`. */
export async function rejection(promise: Promise<unknown>): Promise<ErrorCode | 'none'> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return 'none';
  expect(error).toBeInstanceOf(QuantlaneError);
  return (error as QuantlaneError).code;
}

/** What has become of a promise: look at `state` after a `turn()`. */
export function track<T>(promise: Promise<T>): {
  state: 'waiting' | 'served' | 'rejected';
  value?: T;
  reason?: unknown;
} {
  const tracked: ReturnType<typeof track<T>> = { state: 'waiting' };
  promise.then(
    (value) => Object.assign(tracked, { state: 'served', value }),
    (reason: unknown) => Object.assign(tracked, { state: 'rejected', reason }),
  );
  return tracked;
}

/** Lets promises and immediates run. */
export async function turn(times = 1): Promise<void> {
  for (let index = 0; index < times; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Collects garbage a few times, for what must not happen then. */
export async function collect(): Promise<void> {
  for (let index = 0; index < 5; index += 1) {
    gc();
    await turn();
  }
}

/** Collects garbage until the condition holds; fails after a bounded number of turns. */
export async function collectUntil(condition: () => boolean): Promise<void> {
  for (let index = 0; index < MAX_TURNS && !condition(); index += 1) {
    gc();
    await turn();
  }
  expect(condition(), `the collector was given ${MAX_TURNS} turns`).toBe(true);
}
