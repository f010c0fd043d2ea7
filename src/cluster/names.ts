/**
 * What the streams, subjects and messages of a cluster are called.
 * @module
 */
import { fail, got } from '../errors.js';

/** The name of a cluster where none is given. */
export const DEFAULT_NAME = 'quantlane';

/** The one consumer of the work, which all hosts share. */
export const HOSTS = 'hosts';

/** Which way a batch goes: to a host, or back as its result. */
export type Way = 'in' | 'out';

/** Streams and subjects of one cluster. */
export class Names {
  /** The stream of batches that wait for a host. */
  readonly work: string;
  /** The stream of results that wait for whoever sent the batch. */
  readonly results: string;
  /** The stream of parts of what is too large for one message. */
  readonly parts: string;

  /** @throws ERR_QUANTLANE_ARGUMENT for a name that no stream can have */
  constructor(name: string = DEFAULT_NAME) {
    if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a stream of letters, digits, _ and -, got ${got(name)}`);
    }
    this.work = name;
    this.results = `${name}-results`;
    this.parts = `${name}-parts`;
  }

  /** Where batches of a client are published. */
  workOf(client: string): string {
    return `${this.work}.work.${client}`;
  }

  /** Where results for a client are published. */
  resultsOf(client: string): string {
    return `${this.work}.results.${client}`;
  }

  /** Where a part is published; without an index all parts of a batch, without an id those of every client. */
  partsOf(id = '', way?: Way, index?: number): string {
    const begin = id === '' ? `${this.work}.parts` : `${this.work}.parts.${id}`;
    return way === undefined ? `${begin}.>` : `${begin}.${way}.${index}`;
  }
}

/** The id of a batch, which is that of its message: it comes from a client, and never twice. */
export function messageId(client: string, number: number): string {
  return `${client}.${number}`;
}

/** The client that a batch came from; undefined for what is no id. */
export function clientOf(id: string): string | undefined {
  return /^([\da-f]{16})\.\d{1,15}$/.exec(id)?.[1];
}
