/**
 * How a JSON part and the bytes behind it are put together: in the body of a request, and in one message of a stream.
 * @module
 */
import { fail } from '../errors.js';

/** The header of HTTP that tells how long the JSON part is, where there is more behind it. */
export const HEAD_LENGTH = 'inference-header-content-length';

/** The subprotocol of streams of batches. */
export const SUBPROTOCOL = 'quantlane.v2';

/** What stands before a token, in base64url, among the subprotocols that a client offers: browsers set no headers. */
export const TOKEN_PROTOCOL = 'quantlane.bearer.';

/** Bytes of the length before the JSON part of a message. */
export const PREFIX = 4;

/** The JSON part of a message, and the bytes behind it. */
export interface Frame {
  readonly head: Uint8Array;
  readonly rest: Uint8Array;
}

/** The beginning of a message: the length of the JSON part, and the part itself. */
export function framed(head: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PREFIX + head.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, PREFIX);
  return bytes;
}

/**
 * The parts of a message.
 * @throws ERR_QUANTLANE_FORMAT for a message that ends before its JSON part does
 */
export function unframed(message: Uint8Array): Frame {
  if (message.length < PREFIX) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected a message of at least ${PREFIX} bytes, got ${message.length}`);
  }
  const end = PREFIX + new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  if (end > message.length) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected a message of at least ${end} bytes, got ${message.length}`);
  }
  return { head: message.subarray(PREFIX, end), rest: message.subarray(end) };
}

/** The subprotocol that carries a token. */
export function tokenProtocol(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return TOKEN_PROTOCOL + base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
