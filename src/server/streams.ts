/**
 * All streams of a server: the handshake, their number, and their end.
 * @module
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { TraceContext } from '../channels.js';
import { PREFIX, SUBPROTOCOL, TOKEN_PROTOCOL } from '../protocol/index.js';
import { BatchStream, type StreamParts } from './batch-stream.js';
import { answer, type Failure } from './failure.js';
import type { Model } from './models.js';
import { traceOf } from './trace.js';

/** How streams are made. */
export interface StreamsOptions extends StreamParts {
  readonly find: (name: string) => Model | undefined;
  /** Whether what a client brings as Authorization is the token of the server; undefined for a server without one. */
  readonly isToken: ((authorization: string | undefined) => boolean) | undefined;
  readonly maxStreams: number;
  /** Most bytes of a message, without its prefix. */
  readonly maxMessage: number;
}

const PATH = /^\/v2\/models\/([^/?]+)(?:\/versions\/1)?\/stream$/;

/** The streams of a server. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #sockets: WebSocketServer;
  readonly #open = new Set<BatchStream>();
  readonly #checks: NodeJS.Timeout;
  #isDraining = false;

  constructor(server: Server, options: StreamsOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: PREFIX + options.maxMessage,
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL,
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#checks = setInterval(() => {
      for (const stream of this.#open) stream.check();
    }, options.timeout);
    this.#checks.unref();
  }

  /** Takes no more streams, lets those that are open answer what they took, and ends them. */
  drain(): void {
    this.#isDraining = true;
    clearInterval(this.#checks);
    for (const stream of this.#open) stream.drain();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const model = this.#find(request.url ?? '');
    const failure = this.#refusal(request, model);
    if (failure !== undefined) {
      refuse(socket, failure);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#opened(webSocket, model!, traceOf(request)),
    );
  }

  #opened(socket: WebSocket, model: Model, trace: TraceContext): void {
    const stream = new BatchStream(socket, model, trace, this.#options);
    this.#open.add(stream);
    socket.on('close', () => this.#open.delete(stream));
  }

  /** Why a handshake is refused. */
  #refusal({ headers, url }: IncomingMessage, model: Model | undefined): Failure | undefined {
    const { isToken, maxStreams } = this.#options;
    const offered = protocolsOf(headers['sec-websocket-protocol']);
    if (isToken !== undefined && !isToken(headers.authorization ?? carriedToken(offered))) {
      return answer(401, 'Expected the token of the server as Authorization: Bearer, got another or none');
    }
    if (model === undefined) return answer(404, `Expected the path of a model's stream, got ${url}`);
    if (!offered.includes(SUBPROTOCOL)) {
      return answer(400, `Expected the subprotocol ${SUBPROTOCOL}, got ${offered.length === 0 ? 'none' : 'others'}`);
    }
    if (this.#isDraining) return answer(503, 'Expected a server that takes streams, got one that ends');
    if (this.#open.size >= maxStreams) {
      return answer(429, `Expected at most ${maxStreams} streams at a time, got one more`);
    }
    return undefined;
  }

  #find(url: string): Model | undefined {
    const name = PATH.exec(url)?.[1];
    try {
      return name === undefined ? undefined : this.#options.find(decodeURIComponent(name));
    } catch {
      return undefined;
    }
  }
}

function protocolsOf(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').map((each) => each.trim());
}

/** A token among the subprotocols, as it would be among the headers. */
function carriedToken(offered: readonly string[]): string | undefined {
  const found = offered.find((each) => each.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
  return found === undefined ? undefined : `Bearer ${Buffer.from(found, 'base64url').toString()}`;
}

/** Answers a handshake with an error. */
function refuse(socket: Duplex, { status, body, retryAfter }: Failure): void {
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`]),
    ...(status === 401 ? ['www-authenticate: Bearer'] : []),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
