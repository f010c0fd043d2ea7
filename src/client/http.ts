/**
 * Requests over HTTP, and again where a server asks for it.
 * @module
 */
import { errorOf, type RemoteError } from './error.js';
import type { ClientSettings } from './options.js';

/** What a request may have. */
export interface Sending {
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Times that it is sent again at most. */
  readonly retries?: number | undefined;
}

/** Seconds to wait where an answer tells none. */
const WAIT = 1;

/**
 * Sends a request, which is a POST where it has a body. One that is refused for now, with 429 or 503, is sent again after
 * the time that the answer tells.
 * @throws RemoteError for every status but 2xx, the reason of the signal, and what `fetch` rejects with
 */
export async function send(settings: ClientSettings, path: string, sending: Sending = {}): Promise<Response> {
  const { body, headers, signal, retries = settings.retries } = sending;
  const { token } = settings;
  const init: RequestInit = {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { body }),
    ...(signal !== undefined && { signal }),
  };
  for (let left = retries; ; left--) {
    const response = await settings.fetch(`${settings.url}${path}`, init);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (left <= 0 || !isForNow(error)) throw error;
    await elapsed((error.retryAfter ?? WAIT) * 1000, signal);
  }
}

function isForNow({ status }: RemoteError): boolean {
  return status === 429 || status === 503;
}

/** Settles after so many milliseconds, or rejects with the reason of the signal. */
function elapsed(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
