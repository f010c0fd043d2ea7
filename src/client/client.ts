/**
 * A client of the Open Inference Protocol, for Node and for browsers.
 * @module
 */
import { HEAD_LENGTH } from '../protocol/index.js';
import { RemoteError } from './error.js';
import { type GenerateRequest, generateBody, textsOf } from './generate.js';
import { send } from './http.js';
import { type ClientOptions, type ClientSettings, settleClient } from './options.js';
import { type BatchSource, type StreamOptions, streamed } from './stream.js';
import { type ClientQuantized, type ClientTensor, decoded, encoded } from './tensors.js';

/** What every call takes. */
export interface ClientCallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  /** Instead of those of the client. */
  readonly retries?: number;
}

/** What an inference takes. */
export interface InferOptions extends ClientCallOptions {
  /** Parameters of the request, such as options of a preset by their names in the protocol: `{ block_size: 32 }`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** What a server says of itself. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** What a server says of a tensor of a model; a size of −1 follows from the request. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** What a server says of a model. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** Speaks to a server. It holds no connection of its own. Errors of the server are `RemoteError`. */
export class Client {
  readonly #settings: ClientSettings;

  /**
   * @param url where the server listens, such as `http://127.0.0.1:8000`
   * @throws ERR_QUANTLANE_ARGUMENT
   */
  constructor(url: string | URL, options: ClientOptions = {}) {
    this.#settings = settleClient(url, options);
  }

  /** Whether the server takes requests; false also where it says that it does not. */
  async ready(options: ClientCallOptions = {}): Promise<boolean> {
    try {
      await (await send(this.#settings, '/v2/health/ready', options)).arrayBuffer();
      return true;
    } catch (error) {
      if (error instanceof RemoteError && error.status === 503) return false;
      throw error;
    }
  }

  /** What the server says of itself. */
  async metadata(options: ClientCallOptions = {}): Promise<ServerMetadata> {
    return (await send(this.#settings, '/v2', options)).json() as Promise<ServerMetadata>;
  }

  /** What the server says of a model. */
  async model(name: string, options: ClientCallOptions = {}): Promise<ModelMetadata> {
    return (await send(this.#settings, pathOf(name), options)).json() as Promise<ModelMetadata>;
  }

  /**
   * Quantizes a tensor: bytes there and bytes back.
   * @param name a preset, or a model of the server's own
   * @throws RemoteError; ERR_QUANTLANE_DTYPE and ERR_QUANTLANE_SHAPE for a tensor that is none, ERR_QUANTLANE_FORMAT for
   * an answer that is none, the reason of the signal, and what `fetch` rejects with
   */
  async infer(
    name: string,
    tensor: ClientTensor,
    { parameters = {}, ...options }: InferOptions = {},
  ): Promise<ClientQuantized> {
    const { head, bytes } = encoded(tensor, parameters);
    // One copy, which also takes the tensor out of shared memory: `fetch` takes none.
    const body = new Uint8Array(head.length + bytes.length);
    body.set(head);
    body.set(bytes, head.length);
    const headers = { 'content-type': 'application/octet-stream', [HEAD_LENGTH]: String(head.length) };
    const response = await send(this.#settings, `${pathOf(name)}/infer`, { ...options, body, headers });
    const answer = new Uint8Array(await response.arrayBuffer());
    const length = Number(response.headers.get(HEAD_LENGTH) ?? answer.length);
    return decoded(answer.subarray(0, length), answer.subarray(length));
  }

  /**
   * Quantizes the batches of a source over one WebSocket: results come in the order of the source, which is pulled only as
   * fast as they are taken.
   * @param name a preset, or a model of the server's own
   * @throws when it is iterated: RemoteError for a batch that the server refuses, ERR_QUANTLANE_CLOSED for a connection
   * that ends or does not come about, ERR_QUANTLANE_ARGUMENT where there is no WebSocket, errors of `infer`, what the source
   * throws, and the reason of the signal
   */
  stream(name: string, source: BatchSource, options: StreamOptions = {}): AsyncIterableIterator<ClientQuantized> {
    return streamed(this.#settings, `${pathOf(name)}/stream`, source, options);
  }

  /**
   * Text from a language model, as it is made. Whoever leaves ends it at the server, too.
   * @throws when it is iterated: RemoteError, the reason of the signal, and what `fetch` rejects with
   */
  async *generate(
    name: string,
    request: GenerateRequest,
    options: ClientCallOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    const headers = { 'content-type': 'application/json' };
    const sending = { ...options, body: generateBody(request), headers };
    const { body } = await send(this.#settings, `${pathOf(name)}/generate_stream`, sending);
    if (body !== null) yield* textsOf(body);
  }
}

function pathOf(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`;
}
