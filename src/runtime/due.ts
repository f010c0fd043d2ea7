/**
 * Deadlines of calls: work that has not begun by then is given up.
 * @module
 */
import { fail, got } from '../errors.js';

/** When a call is due. */
export interface Due {
  /** By `performance.now()`; undefined for a call without a deadline. */
  readonly due?: number | undefined;
}

/**
 * When a call is due that begins now.
 * @param deadline milliseconds from now
 * @throws ERR_QUANTLANE_ARGUMENT for no positive number
 */
export function dueIn(deadline: number): number {
  if (typeof deadline === 'number' && deadline > 0) return performance.now() + deadline;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a deadline in milliseconds, above 0, got ${got(deadline)}`);
}

/** @throws ERR_QUANTLANE_DEADLINE where it is late */
export function assertInTime({ due }: Due): void {
  if (due === undefined) return;
  const now = performance.now();
  if (now >= due) throw late(now - due);
}

/** Waits for something that a signal can end, at most until it is due. */
export async function beforeDue<T>(
  { due, signal }: Due & { readonly signal?: AbortSignal | undefined },
  wait: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (due === undefined || due === Number.POSITIVE_INFINITY) return wait(signal);
  const ended = new AbortController();
  const end = () => ended.abort(signal?.reason);
  const timer = setTimeout(() => ended.abort(late(performance.now() - due)), Math.max(0, due - performance.now()));
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await wait(ended.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/** The error of work that was given up because it was late. */
export function late(milliseconds: number): Error {
  const by = Math.max(0, Math.ceil(milliseconds));
  return fail('ERR_QUANTLANE_DEADLINE', `Expected to begin before the deadline, got ${by} ms more of waiting`, {
    details: { late: by },
  });
}
