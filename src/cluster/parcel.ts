/**
 * Parcels: what is sent in one message, or in parts with a message that says how many, where it is too large for one.
 *
 * Parts lie in a stream of their own until the result was taken, and are then purged by their subject; an object store
 * would leave a marker for every object behind.
 * @module
 */
import type { PubAck } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { fail } from '../errors.js';
import type { Connection } from './connection.js';
import type { Way } from './names.js';

/** Headers of a message whose content comes in parts. */
const COUNT = 'Quantlane-Parts';
const BYTES = 'Quantlane-Bytes';

/** The header that names the batch, by which the server knows a message that it has already. */
const ID = 'Nats-Msg-Id';

/** Parts of one parcel that are on their way at a time. */
const AT_ONCE = 4;

/** Times that a part is asked for which is not there: a copy of the stream may lag behind. */
const ATTEMPTS = 4;

/** What a received message is. */
export interface Received {
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

/** The id of a message, by which the server knows it; empty for a message without one. */
export function messageIdOf({ headers }: Received): string {
  return headers?.get(ID) ?? '';
}

/** The id of the batch that a message is about: that of the message, but for how often it was sent anew. */
export function idOf(message: Received): string {
  return messageIdOf(message).replace(/~\d+$/, '');
}

/** Parts that belong to a message; 0 for one that has its content within. */
export function partCount({ headers }: Received): number {
  return wholeHeader(headers, COUNT);
}

/** Bytes of the content of a message. */
export function contentBytes(message: Received): number {
  return partCount(message) === 0 ? message.data.length : wholeHeader(message.headers, BYTES);
}

/**
 * Sends a content to a subject, in parts where it needs them.
 * @param to `id` is that of the batch, `messageId` that of its message where it is another one
 * @returns where its message is stored; errors are those of `Connection.publish`
 */
export async function send(
  connection: Connection,
  to: { readonly subject: string; readonly id: string; readonly way: Way; readonly messageId?: string },
  content: Uint8Array,
  signal?: AbortSignal,
): Promise<PubAck> {
  const { subject, id, way, messageId = id } = to;
  const { room, names } = connection;
  if (content.length <= room) return connection.publish(subject, messageId, content, {}, signal);
  const count = Math.ceil(content.length / room);
  await inParts(count, async (index) => {
    const part = content.subarray(index * room, (index + 1) * room);
    await connection.publish(names.partsOf(id, way, index), `${messageId}.${way}.${index}`, part, {}, signal);
  });
  const facts = { [COUNT]: String(count), [BYTES]: String(content.length) };
  return connection.publish(subject, messageId, new Uint8Array(0), facts, signal);
}

/**
 * The content of a message; a view of it where it has its content within.
 * @throws ERR_QUANTLANE_FORMAT where parts are missing, and errors of `Connection.persist`
 */
export async function receive(
  connection: Connection,
  message: Received,
  way: Way,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const count = partCount(message);
  if (count === 0) return message.data;
  const id = idOf(message);
  const content = new Uint8Array(contentBytes(message));
  const size = Math.ceil(content.length / count);
  let written = 0;
  await inParts(count, async (index) => {
    const part = await partAt(connection, connection.names.partsOf(id, way, index), signal);
    // All parts but the last have the same size, which the first tells.
    const at = index === count - 1 ? content.length - part.length : index * part.length;
    if (at < 0 || part.length < (index === count - 1 ? 1 : size)) throw missing(id, index);
    content.set(part, at);
    written += part.length;
  });
  if (written !== content.length) throw missing(id, count);
  return content;
}

/** Removes every part of a batch, those of its result too. */
export async function discardParts(connection: Connection, filter: string): Promise<void> {
  const { jsm, names } = connection;
  await connection.persist(() => jsm.streams.purge(names.parts, { filter }));
}

async function partAt(connection: Connection, subject: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { jsm, names } = connection;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 50 << attempt));
    const ask = () => jsm.direct.getMessage(names.parts, { last_by_subj: subject });
    const found = await connection.persist(ask, signal);
    if (found !== null) return found.data;
  }
  throw missing(subject, 0);
}

/** Works on all parts, a few at a time; after a failure none is begun, and nothing goes on behind the caller's back. */
async function inParts(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const carryOn = async (): Promise<void> => {
    while (next < count && failure === undefined) {
      await work(next++).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, carryOn));
  if (failure !== undefined) throw failure.error;
}

function wholeHeader(headers: MsgHdrs | undefined, name: string): number {
  const value = Number(headers?.get(name) ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function missing(id: string, index: number): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected all parts of ${id}, got none at ${index}`, { details: { index } });
}
