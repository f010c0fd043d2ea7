/**
 * Text from language models: the protocol's extension for generation, whole or as Server-Sent Events.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';
import { Body } from './body.js';
import { answer, type Failure, failureOf, late } from './failure.js';
import { MODEL_NAME } from './models.js';
import { fields } from './request.js';

/** What makes text, such as a `TextGenerator` of `quantlane/generate`. */
export interface TextSource {
  /** The tokens after a prompt, as they are made; nobody who listens ends it. */
  generate(prompt: string, options: TextOptions): Observable<TextPiece>;
}

/** How a text goes on. */
export interface TextOptions {
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly seed?: number;
}

/** What one token adds to a text. */
export interface TextPiece {
  readonly text: string;
  /** Why it is the last one; null for another one. */
  readonly finish: string | null;
}

/** A language model that is served. */
export interface GeneratorSettings {
  /** Its name in addresses. */
  readonly name: string;
  readonly generator: TextSource;
}

/** What generation has to work with. */
export interface GenerationParts {
  readonly generators: readonly GeneratorSettings[];
  readonly maxJson: number;
  /** Tokens of a text at most, and by default. */
  readonly maxTokens: number;
  /** Texts at a time. */
  readonly maxSessions: number;
  /** Milliseconds until the first token. */
  readonly timeout: number;
  /** Whether a name is that of a model already. */
  readonly isTaken: (name: string) => boolean;
  readonly count: (change: 1 | -1) => void;
  readonly refuse: (reply: FastifyReply, failure: Failure) => FastifyReply;
}

/** A request, checked. */
interface Wanted {
  readonly prompt: string;
  readonly options: TextOptions;
}

/** Serves language models. */
export class Generation {
  readonly #parts: GenerationParts;
  readonly #sources: ReadonlyMap<string, TextSource>;
  #sessions = 0;

  /** @throws ERR_QUANTLANE_ARGUMENT for a name that is none, or is taken */
  constructor(parts: GenerationParts) {
    for (const { name } of parts.generators) {
      if (typeof name === 'string' && MODEL_NAME.test(name) && !parts.isTaken(name)) continue;
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a name of its own for a language model, got ${got(name)}`);
    }
    this.#parts = parts;
    this.#sources = new Map(parts.generators.map(({ name, generator }) => [name, generator]));
  }

  /** What is said of a language model; undefined for a name that is of none. */
  metadata(name: string): object | undefined {
    if (!this.#sources.has(name)) return undefined;
    const text = (what: string): object => ({ name: what, datatype: 'BYTES', shape: [1] });
    return {
      name,
      versions: ['1'],
      platform: 'quantlane',
      inputs: [text('text_input')],
      outputs: [text('text_output')],
    };
  }

  /** Adds the routes of generation below the path of a model. */
  register(app: FastifyInstance, path: string): void {
    app.post(`${path}/generate`, (request, reply) => this.#begin(request, reply, false));
    app.post(`${path}/generate_stream`, (request, reply) => this.#begin(request, reply, true));
  }

  async #begin(request: FastifyRequest, reply: FastifyReply, isStream: boolean): Promise<FastifyReply> {
    const { refuse, maxSessions, timeout, maxJson } = this.#parts;
    const { name, version = '1' } = request.params as { name: string; version?: string };
    const source = version === '1' ? this.#sources.get(name) : undefined;
    if (source === undefined) {
      return refuse(reply, answer(404, `Expected the name of a language model and version 1, got '${name}'`));
    }
    if (this.#sessions >= maxSessions) {
      return refuse(reply, answer(429, `Expected at most ${maxSessions} texts at a time, got one more`));
    }
    this.#sessions++;
    this.#parts.count(1);
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(late(timeout)), timeout);
    const onClose = (): void => gone.abort(new Error('The client is gone'));
    reply.raw.once('close', onClose);
    const started = (): void => clearTimeout(timer);
    try {
      const wanted = this.#read(await new Body(request.raw, gone.signal).json(maxJson));
      const pieces = source.generate(wanted.prompt, wanted.options);
      if (isStream) await streamed(name, pieces, reply, gone.signal, started);
      else reply.send(answerOf(name, await whole(pieces, gone.signal, started)));
    } catch (error) {
      if (!reply.raw.headersSent) refuse(reply, failureOf(error));
    } finally {
      started();
      reply.raw.off('close', onClose);
      this.#sessions--;
      this.#parts.count(-1);
    }
    return reply;
  }

  /** @throws ERR_QUANTLANE_FORMAT for what is no request, ERR_QUANTLANE_ARGUMENT for a parameter that is none */
  #read(json: unknown): Wanted {
    const { text_input: prompt, parameters = {} } = fields('a request', json);
    if (typeof prompt !== 'string') {
      throw fail('ERR_QUANTLANE_FORMAT', `Expected text_input: a string, got ${got(prompt)}`);
    }
    // `stream` is among the examples of the protocol; the path says it already.
    const { max_tokens: asked, temperature, seed, stream: _, ...rest } = fields('parameters', parameters);
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) {
      const known = 'max_tokens, temperature, seed';
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected parameters among ${known}, got '${unknown}'`);
    }
    const most = this.#parts.maxTokens;
    const maxTokens = asked ?? most;
    if (!isCount(maxTokens) || maxTokens > most) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected max_tokens from 0 to ${most}, got ${got(asked)}`);
    }
    return {
      prompt,
      options: {
        maxTokens,
        ...(temperature !== undefined && { temperature: temperature as number }),
        ...(seed !== undefined && { seed: seed as number }),
      },
    };
  }
}

function answerOf(name: string, text: string): object {
  return { model_name: name, model_version: '1', text_output: text };
}

/** Tells `next` of the pieces until they end; rejects with what they end with, or the reason of the signal. */
function each(pieces: Observable<TextPiece>, signal: AbortSignal, next: (piece: TextPiece) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      subscription.unsubscribe();
      reject(signal.reason);
    };
    const subscription = pieces.subscribe({ next, error: reject, complete: resolve });
    subscription.add(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

async function whole(pieces: Observable<TextPiece>, signal: AbortSignal, started: () => void): Promise<string> {
  const texts: string[] = [];
  await each(pieces, signal, ({ text }) => {
    started();
    texts.push(text);
  });
  return texts.join('');
}

/** Writes an event for each piece. An error after the first one is an event, too; one before is thrown. */
async function streamed(
  name: string,
  pieces: Observable<TextPiece>,
  reply: FastifyReply,
  signal: AbortSignal,
  started: () => void,
): Promise<void> {
  const { raw } = reply;
  const write = (data: object, event = ''): void => {
    if (!raw.headersSent) {
      reply.hijack();
      raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    }
    raw.write(`${event}data: ${JSON.stringify(data)}\n\n`);
  };
  let isDone = false;
  try {
    await each(pieces, signal, ({ text, finish }) => {
      started();
      isDone = finish !== null;
      write({ ...answerOf(name, text), done: isDone });
    });
    if (!isDone) write({ ...answerOf(name, ''), done: true });
  } catch (error) {
    if (!raw.headersSent) throw error;
    write(failureOf(error).body, 'event: error\n');
  }
  raw.end();
}
