/**
 * How a client is made.
 * @module
 */
import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';

/** How a client is made. */
export interface ClientOptions {
  /** The token of the server. */
  readonly token?: string;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch;
  /** Instead of the global one, which Node has from version 22 on; the class of the package `ws` will do. */
  readonly WebSocket?: WebSocketClass;
  /** Times that a request that is refused for now, with 429 or 503, is sent again at most; default 0. */
  readonly retries?: number;
}

/** A class of WebSockets: what is used of the one of browsers. */
export type WebSocketClass = new (url: string, protocols: string[]) => ClientSocket;

/** A WebSocket: what is used of the one of browsers. */
export interface ClientSocket {
  /** Set to `arraybuffer`. */
  binaryType: string;
  /** Is told that the connection stands. */
  onopen: ((event: never) => void) | null;
  /** Is told of each message. */
  onmessage: ((event: never) => void) | null;
  /** Is told of the end, with its code. */
  onclose: ((event: never) => void) | null;
  /** Is told that there is no connection. */
  onerror: ((event: never) => void) | null;
  /** Sends a message of bytes. */
  send(data: Uint8Array<ArrayBuffer>): void;
  /** Ends the connection. */
  close(code?: number, reason?: string): void;
}

/** The options, checked. */
export interface ClientSettings {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly WebSocket: WebSocketClass | undefined;
  readonly retries: number;
}

/**
 * The options with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settleClient(url: string | URL, options: ClientOptions): ClientSettings {
  const { token, retries = 0 } = options;
  const text = String(url);
  if (!/^https?:\/\/[^?#]+$/.test(text)) throw wrong('an address such as http://127.0.0.1:8000', url);
  if (token !== undefined && (typeof token !== 'string' || token === '')) throw wrong('token: a string', token);
  if (!isCount(retries)) throw wrong('retries: an integer from 0', retries);
  const global = globalThis as { WebSocket?: WebSocketClass };
  return {
    url: text.replace(/\/+$/, ''),
    token,
    // Browsers want their own function called on nothing but the global object.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    WebSocket: options.WebSocket ?? global.WebSocket,
    retries,
  };
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(actual)}`);
}
