/**
 * Every error of the library: a small class tree with stable string codes, and a numeric form that survives the
 * crossing of a thread (a structured clone keeps neither the class nor `code`).
 * @module
 */

/** Stable codes by numeric id. The id crosses threads in shared words; a code keeps its id for ever. */
const CODES = {
  ERR_QUANTLANE_ARGUMENT: 1,
  ERR_QUANTLANE_PRESET: 2,
  ERR_QUANTLANE_DTYPE: 3,
  ERR_QUANTLANE_SHAPE: 4,
  ERR_QUANTLANE_PARAMETERS: 5,
  ERR_QUANTLANE_NON_FINITE: 6,
  ERR_QUANTLANE_ARENA_TOO_SMALL: 7,
  ERR_QUANTLANE_ARENA_FULL: 8,
  ERR_QUANTLANE_ARENA_STUCK: 9,
  ERR_QUANTLANE_LEASE_RELEASED: 10,
  ERR_QUANTLANE_DOUBLE_RELEASE: 11,
  ERR_QUANTLANE_LANE_START: 12,
  ERR_QUANTLANE_LANE_LOST: 13,
  ERR_QUANTLANE_POISON_BATCH: 14,
  ERR_QUANTLANE_KERNEL: 15,
  ERR_QUANTLANE_CLOSED: 16,
  ERR_QUANTLANE_OVERFLOW: 17,
  ERR_QUANTLANE_FORMAT: 18,
  ERR_QUANTLANE_DEADLINE: 19,
  ERR_QUANTLANE_OVERLOADED: 20,
  ERR_QUANTLANE_UNREACHABLE: 31,
  ERR_QUANTLANE_CONNECTION_LOST: 32,
  ERR_QUANTLANE_TIMEOUT: 33,
  ERR_QUANTLANE_TOO_LARGE: 34,
} as const;

/** A stable error code of the library. */
export type ErrorCode = keyof typeof CODES;

/** Numbers that describe an error and may cross a thread, such as a count and a position. */
export type ErrorDetails = Readonly<Record<string, number | string>>;

/** The root of every error that the library throws or rejects with. */
export class QuantlaneError extends Error {
  /** Stable code; test this, not the message. */
  readonly code: ErrorCode;
  /** Facts about the error, such as `{ count, first }` for non-finite input. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** An argument, option, scheme, dtype, shape or parameter is not what the call takes. */
export class ArgumentError extends QuantlaneError {}

/** The values of a batch cannot be quantized, such as NaN under the policy `error`. */
export class DataError extends QuantlaneError {}

/** The arena has no room, or never can have. */
export class ArenaError extends QuantlaneError {}

/** A lease was used or given back when it was no longer owned. */
export class LeaseError extends QuantlaneError {}

/** A lane did not start, died, or trapped. */
export class LaneError extends QuantlaneError {}

/** The runtime or a stream is closed, overrun or too late. */
export class StateError extends QuantlaneError {}

/** A file or byte stream is not what its format says. */
export class FormatError extends QuantlaneError {}

/** Other hosts cannot be reached, do not answer in time, or do not take so much. */
export class ClusterError extends QuantlaneError {}

const CLASSES: Record<ErrorCode, new (...args: ConstructorParameters<typeof QuantlaneError>) => QuantlaneError> = {
  ERR_QUANTLANE_ARGUMENT: ArgumentError,
  ERR_QUANTLANE_PRESET: ArgumentError,
  ERR_QUANTLANE_DTYPE: ArgumentError,
  ERR_QUANTLANE_SHAPE: ArgumentError,
  ERR_QUANTLANE_PARAMETERS: ArgumentError,
  ERR_QUANTLANE_NON_FINITE: DataError,
  ERR_QUANTLANE_ARENA_TOO_SMALL: ArenaError,
  ERR_QUANTLANE_ARENA_FULL: ArenaError,
  ERR_QUANTLANE_ARENA_STUCK: ArenaError,
  ERR_QUANTLANE_LEASE_RELEASED: LeaseError,
  ERR_QUANTLANE_DOUBLE_RELEASE: LeaseError,
  ERR_QUANTLANE_LANE_START: LaneError,
  ERR_QUANTLANE_LANE_LOST: LaneError,
  ERR_QUANTLANE_POISON_BATCH: LaneError,
  ERR_QUANTLANE_KERNEL: LaneError,
  ERR_QUANTLANE_CLOSED: StateError,
  ERR_QUANTLANE_OVERFLOW: StateError,
  ERR_QUANTLANE_FORMAT: FormatError,
  ERR_QUANTLANE_DEADLINE: StateError,
  ERR_QUANTLANE_OVERLOADED: StateError,
  ERR_QUANTLANE_UNREACHABLE: ClusterError,
  ERR_QUANTLANE_CONNECTION_LOST: ClusterError,
  ERR_QUANTLANE_TIMEOUT: ClusterError,
  ERR_QUANTLANE_TOO_LARGE: ClusterError,
};

/** The error of the class that belongs to `code`. */
export function fail(
  code: ErrorCode,
  message: string,
  options?: { details?: ErrorDetails; cause?: unknown },
): QuantlaneError {
  return new CLASSES[code](code, message, options);
}

/** Whether a text is one of the codes, as an error of another process brings it. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(CODES, text);
}

/** The numeric id of a code, for a shared word. */
export function errorId(code: ErrorCode): number {
  return CODES[code];
}

/** The code of a numeric id; an unknown id (a newer peer) is a kernel error. */
export function errorCode(id: number): ErrorCode {
  for (const [code, value] of Object.entries(CODES)) if (value === id) return code as ErrorCode;
  return 'ERR_QUANTLANE_KERNEL';
}

/** `value (type)` for the second half of a message "Expected X, got Y"; safe for hostile values, long ones are cut. */
export function got(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}' (string)`;
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `[${cut(value.slice(0, 9).map(partOf).join(', '))}] (array)`;
  if (typeof value === 'object') return partOf(value);
  return `${cut(String(value))} (${typeof value})`;
}

/** A part of a value: objects by their kind, for their own conversion may throw. */
function partOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.prototype.toString.call(value).slice(8, -1);
}

function cut(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
