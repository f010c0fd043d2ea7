/**
 * What went wrong, for the one line that says so.
 * @module
 */

/** A failure with a stable code, and the place in its message. */
export class Failure extends Error {
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }

  /** An error of somebody else, with the place before its message. */
  static at(place: string, cause: unknown): Failure {
    const { message, code } = cause as NodeJS.ErrnoException;
    return new Failure(`${place}: ${message}`, code, cause);
  }
}
