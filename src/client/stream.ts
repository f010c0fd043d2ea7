/**
 * A stream of batches over a WebSocket: tensors go out as long as there are credits, and come back quantized, in order.
 * @module
 */
import { fail, got } from '../errors.js';
import { framed, SUBPROTOCOL, tokenProtocol, unframed } from '../protocol/index.js';
import { RemoteError } from './error.js';
import type { ClientSettings, ClientSocket } from './options.js';
import { type ClientQuantized, type ClientTensor, decoded, encoded, jsonOf } from './tensors.js';

/** What a stream takes. */
export interface StreamOptions {
  /** Gives the stream up. */
  readonly signal?: AbortSignal;
  /** Parameters of every request, as those of `infer`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Batches that are sent and not yet taken from the result, at most; default 8. */
  readonly credits?: number;
  /**
   * Is told of a batch that the server refused, by its number from 0; the stream goes on without it. By default such an
   * error ends the stream.
   */
  readonly onError?: (error: RemoteError, batch: number) => void;
}

/** What there is to quantize. */
export type BatchSource = AsyncIterable<ClientTensor> | Iterable<ClientTensor>;

/** Batches on their way. */
class Flow {
  readonly #socket: ClientSocket;
  readonly #credits: number;
  readonly #answers: Uint8Array[] = [];
  /** Sent, and not yet taken. */
  #out = 0;
  #isSent = false;
  #failure: { readonly reason: unknown } | undefined;
  #wake: (() => void)[] = [];

  constructor(socket: ClientSocket, credits: number) {
    this.#socket = socket;
    this.#credits = credits;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.#answers.push(new Uint8Array(data as ArrayBuffer));
      this.#changed();
    };
    socket.onerror = () => undefined;
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      const why = `${code}${reason === '' ? '' : `: ${reason}`}`;
      this.fail(fail('ERR_QUANTLANE_CLOSED', `Expected a stream that is open, got its end (${why})`));
    };
  }

  /** Ends it with an error, unless it ended before. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#changed();
  }

  /** Sends what a source gives. */
  async send(batches: Iterator<ClientTensor> | AsyncIterator<ClientTensor>, parameters: object): Promise<void> {
    try {
      await new Promise<void>((resolve) => {
        this.#socket.onopen = () => resolve();
        this.#wake.push(() => this.#failure !== undefined && resolve());
      });
      for (let batch = 0; ; batch++) {
        while (this.#out >= this.#credits && this.#failure === undefined) await this.#change();
        if (this.#failure !== undefined) return;
        const { done, value } = await batches.next();
        if (this.#failure !== undefined) return;
        if (done === true) break;
        const { head, bytes } = encoded(value, parameters as Record<string, unknown>, String(batch));
        const begin = framed(head);
        const message = new Uint8Array(begin.length + bytes.length);
        message.set(begin);
        message.set(bytes, begin.length);
        this.#out++;
        this.#socket.send(message);
      }
      this.#isSent = true;
      this.#changed();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The next answer; undefined after the last one. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) {
        this.#out--;
        this.#changed();
        return answer;
      }
      if (this.#isSent && this.#out === 0) return undefined;
      if (this.#failure !== undefined) throw this.#failure.reason;
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/**
 * The batches of a source, quantized, in their order. The source is pulled only while there are credits, so whoever takes
 * the results slowly slows it down.
 * @throws RemoteError for a batch that the server refuses, ERR_QUANTLANE_CLOSED for a connection that ends or does not come
 * about, ERR_QUANTLANE_ARGUMENT, what `infer` throws for a tensor that is none, what the source throws, and the reason of
 * the signal
 */
export async function* streamed(
  settings: ClientSettings,
  path: string,
  source: BatchSource,
  { signal, parameters = {}, credits = 8, onError }: StreamOptions,
): AsyncGenerator<ClientQuantized, void, undefined> {
  if (!Number.isInteger(credits) || credits < 1) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected credits of at least 1, got ${got(credits)}`);
  }
  signal?.throwIfAborted();
  const { WebSocket, token, url } = settings;
  if (WebSocket === undefined) {
    throw fail(
      'ERR_QUANTLANE_ARGUMENT',
      'Expected a WebSocket, which Node has from version 22 on, as option; got none',
    );
  }
  const protocols = [SUBPROTOCOL, ...(token === undefined ? [] : [tokenProtocol(token)])];
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, protocols);
  const flow = new Flow(socket, credits);
  const batches = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const stop = (): void => flow.fail(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    void flow.send(batches, parameters);
    for (let batch = 0; ; batch++) {
      const answer = await flow.next();
      if (answer === undefined) return;
      const quantized = answered(answer, batch, onError);
      if (quantized !== undefined) yield quantized;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    flow.fail(fail('ERR_QUANTLANE_CLOSED', 'Expected a stream that is open, got one that was left'));
    socket.close(1000);
    // A source that is being asked for the next batch ends when it has answered; nobody waits for that.
    void Promise.resolve(batches.return?.()).catch(() => undefined);
  }
}

/** What a message holds; undefined for an error that somebody was told of. */
function answered(message: Uint8Array, batch: number, onError: StreamOptions['onError']): ClientQuantized | undefined {
  const { head, rest } = unframed(message);
  const { id, error, status } = jsonOf(head) as { id?: unknown; error?: unknown; status?: unknown };
  if (typeof error === 'string') {
    const refused = new RemoteError(typeof status === 'number' ? status : 500, error);
    if (onError === undefined) throw refused;
    onError(refused, batch);
    return undefined;
  }
  if (id !== String(batch)) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected the answer of batch ${batch}, got that of ${got(id)}`);
  }
  return decoded(head, rest);
}
