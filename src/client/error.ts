/**
 * Errors that a server answered with.
 * @module
 */

/** An answer that is an error. */
export class RemoteError extends Error {
  /** Status of HTTP: 400 and above. */
  readonly status: number;
  /** The code of the library, such as `ERR_QUANTLANE_SHAPE`; undefined where the answer has none. */
  readonly code: string | undefined;
  /** Seconds after which the same request may succeed; undefined where the answer tells none. */
  readonly retryAfter: number | undefined;

  constructor(status: number, text: string, retryAfter?: number) {
    const [, code, message] = /^(ERR_\w+): ([\s\S]*)$/.exec(text) ?? [];
    super(message ?? text);
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The error of a response: its text is that of the protocol's form, or what else the body says. */
export async function errorOf(response: Response): Promise<RemoteError> {
  const body = await response.text();
  return new RemoteError(response.status, textOf(body) ?? response.statusText, secondsOf(response.headers));
}

/** The text of an error in the protocol's form; the beginning of what is none. */
function textOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Something between here and the server answered, such as a proxy.
  }
  return body === '' ? undefined : body.slice(0, 200);
}

/** Seconds to wait, which a server may also tell as a date. */
function secondsOf(headers: Headers): number | undefined {
  const told = headers.get('retry-after');
  if (told === null) return undefined;
  if (/^\d+$/.test(told)) return Number(told);
  const until = Date.parse(told);
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}
