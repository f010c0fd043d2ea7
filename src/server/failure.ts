/**
 * Errors as answers: the protocol's form, with the status that says whose fault it is.
 * @module
 */
import { type ErrorCode, QuantlaneError } from '../errors.js';

/** An answer that is an error. */
export interface Failure {
  readonly status: number;
  /** The body, as the protocol has it. */
  readonly body: { readonly error: string };
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;
}

/** Seconds that a client is asked to wait. */
const RETRY_AFTER = 1;

/** What is not the client's fault, and what is too much; every other code is a bad request. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_QUANTLANE_ARENA_TOO_SMALL: 413,
  ERR_QUANTLANE_ARENA_FULL: 503,
  ERR_QUANTLANE_ARENA_STUCK: 503,
  ERR_QUANTLANE_CLOSED: 503,
  ERR_QUANTLANE_OVERFLOW: 429,
  ERR_QUANTLANE_OVERLOADED: 429,
  ERR_QUANTLANE_DEADLINE: 503,
  ERR_QUANTLANE_LANE_START: 500,
  ERR_QUANTLANE_LANE_LOST: 500,
  ERR_QUANTLANE_POISON_BATCH: 500,
  ERR_QUANTLANE_KERNEL: 500,
  ERR_QUANTLANE_LEASE_RELEASED: 500,
  ERR_QUANTLANE_DOUBLE_RELEASE: 500,
};

/** The answer for an error. What is not known here is told by its class alone: it may hold what a client must not see. */
export function failureOf(error: unknown): Failure {
  if (error instanceof QuantlaneError) {
    return answer(STATUS[error.code] ?? 400, `${error.code}: ${error.message}`);
  }
  if (error instanceof LateError) return answer(503, error.message);
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) return answer(status, (error as Error).message);
  return answer(500, 'Internal error');
}

/** An answer of a status and a text. */
export function answer(status: number, error: string): Failure {
  return { status, body: { error }, retryAfter: status === 429 || status === 503 ? RETRY_AFTER : undefined };
}

/** A request took too long. */
class LateError extends Error {}

/** The error of a request that took more than so many milliseconds. */
export function late(timeout: number): Error {
  return new LateError(`Expected request and answer within ${timeout} ms, got more`);
}
