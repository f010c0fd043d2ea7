/**
 * What went wrong, in one line, and the exit code that says whose fault it was.
 * @module
 */
import { ArgumentError, type ErrorCode, fail, QuantlaneError } from '../errors.js';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends ArgumentError {}

/** The command was stopped by a signal. */
export class Interrupted extends Error {
  /** 128 and the number of the signal, as shells have it. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Stopped by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** The error for a wrong command line. */
export function usage(message: string, code: ErrorCode = 'ERR_QUANTLANE_ARGUMENT'): UsageError {
  return new UsageError(code, message);
}

/** Runs `body`, whose argument errors are the command line's; `option` begins their message. */
export function asUsage<T>(option: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ArgumentError) throw usage(`${option}: ${error.message}`, error.code);
    throw error;
  }
}

/** The same error with the place before its message; errors of other libraries, and those that have it, pass. */
export function located(error: unknown, where: string): unknown {
  if (!(error instanceof QuantlaneError) || error.message.startsWith(where)) return error;
  return fail(error.code, `${where}: ${error.message}`, { details: error.details, cause: error });
}

/** 2 for wrong usage, 1 for failure, that of the shell for a signal. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof UsageError ? 2 : 1;
}

/** One line without control characters: the code, then what was wrong and where. */
export function lineOf(error: unknown): string {
  if (error instanceof QuantlaneError) return printable(`${error.code}: ${error.message}`);
  return printable(error instanceof Error ? error.message : String(error));
}

/** Text from a file that a terminal may show: control and direction characters become escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const point = character.codePointAt(0)!.toString(16);
    return point.length <= 4 ? `\\u${point.padStart(4, '0')}` : `\\u{${point}}`;
  });
}

/** The most characters of a name that a message repeats. */
const MAX_QUOTED = 80;

/** A name from a file, in quotes, for a message. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name);
}
