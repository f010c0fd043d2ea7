/**
 * One inference over HTTP, from the first byte of its request to the last of its answer.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail } from '../errors.js';
import { HEAD_LENGTH } from '../protocol/index.js';
import { bodyOf, giveBack } from './bodies.js';
import { Body } from './body.js';
import { late } from './failure.js';
import type { Inference, LeasedAnswer } from './infer.js';
import type { Model } from './models.js';
import { answerSoon } from './outbox.js';
import { traceHeaders, traceOf } from './trace.js';

/** The longest body that is read as a whole, and the longest answer that is written as one piece, in bytes. */
const SMALL = 1 << 17;

/** What an exchange has to work with. */
export interface ExchangeParts {
  readonly inference: Inference;
  /** Milliseconds that it may take. */
  readonly timeout: number;
  /** Answers with an error; nothing was written before. */
  readonly refuse: (error: unknown) => void;
  /** Is called once, when it is over. */
  readonly over: () => void;
}

/**
 * One inference over HTTP. Small requests are read by events and answered in the turn of their last byte, for promises and
 * signals would take longer than the work; others go through `Body`.
 */
export class Exchange {
  readonly #model: Model;
  readonly #from: IncomingMessage;
  readonly #to: ServerResponse;
  readonly #parts: ExchangeParts;
  readonly #timer: NodeJS.Timeout;
  #gone: AbortController | undefined;
  #reason: unknown;
  /** Whether an answer or an error was given out, or nobody waits for one. */
  #isDone = false;
  /** What is being written. */
  #answer: LeasedAnswer | undefined;
  #body: Buffer | undefined;

  constructor(model: Model, from: IncomingMessage, to: ServerResponse, parts: ExchangeParts) {
    this.#model = model;
    this.#from = from;
    this.#to = to;
    this.#parts = parts;
    this.#timer = setTimeout(() => this.#giveUp(late(parts.timeout)), parts.timeout);
    // Whether all is sent, the client is gone, or it reads too slowly: the socket has let go of the memory then.
    to.once('close', () => this.#close());
    try {
      this.#read();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #read(): void {
    const { headers } = this.#from;
    const headBytes = countOf(headers[HEAD_LENGTH] as string | undefined);
    const length = Number(headers['content-length'] ?? Number.NaN);
    const at = headBytes ?? length;
    if (length > 0 && length <= SMALL && at <= length) {
      collect(this.#from, length, (body) => this.#run(() => this.#whole(body, at)));
      return;
    }
    this.#run(() => {
      const signal = this.#signal();
      return this.#parts.inference.incoming(this.#model, new Body(this.#from, signal), headBytes, {
        signal,
        trace: traceOf(this.#from),
      });
    });
  }

  #whole(body: Buffer, at: number): LeasedAnswer | Promise<LeasedAnswer> {
    const trace = traceOf(this.#from);
    return this.#parts.inference.whole(this.#model, body.subarray(0, at), body.subarray(at), trace, () =>
      this.#signal(),
    );
  }

  /** Answers with what `work` gives. */
  #run(work: () => LeasedAnswer | Promise<LeasedAnswer>): void {
    if (this.#isDone) return;
    try {
      const answer = work();
      if (!(answer instanceof Promise)) this.#write(answer);
      else {
        answer.then(
          (ready) => this.#write(ready),
          (error) => this.#refuse(error),
        );
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  #write(answer: LeasedAnswer): void {
    if (this.#isDone) {
      answer[Symbol.dispose]();
      return;
    }
    this.#isDone = true;
    const { head, tensors } = answer;
    const bytes = tensors.reduce((sum, { length }) => sum + length, head.length);
    const headers = traceHeaders(traceOf(this.#from));
    headers.push('content-length', String(bytes), 'content-type');
    if (tensors.length === 0) headers.push('application/json');
    else headers.push('application/octet-stream', HEAD_LENGTH, String(head.length));
    if (bytes <= SMALL) {
      // A copy of a few bytes costs less than a write of its own for each tensor.
      this.#body = bodyOf([head, ...tensors], bytes);
      answer[Symbol.dispose]();
      answerSoon(this.#to, headers, this.#body);
      return;
    }
    this.#to.writeHead(200, headers);
    this.#answer = answer;
    this.#to.write(head);
    for (const tensor of tensors) this.#to.write(tensor);
    this.#to.end();
  }

  #refuse(error: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#parts.refuse(error);
  }

  /** Ends what runs: with an error where nothing was written, else with the connection. */
  #giveUp(reason: Error): void {
    this.#reason = reason;
    this.#gone?.abort(reason);
    if (this.#isDone) this.#to.destroy();
    else this.#refuse(reason);
  }

  #close(): void {
    clearTimeout(this.#timer);
    if (!this.#isDone) {
      this.#isDone = true;
      this.#reason = new Error('The client is gone');
      this.#gone?.abort(this.#reason);
    }
    this.#answer?.[Symbol.dispose]();
    if (this.#body !== undefined && this.#to.writableFinished) giveBack(this.#body);
    this.#parts.over();
  }

  #signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#reason !== undefined) this.#gone.abort(this.#reason);
    return this.#gone.signal;
  }
}

/** The length of the JSON part by its header; undefined without one. */
function countOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,10}$/.test(header)) return Number(header);
  throw fail('ERR_QUANTLANE_FORMAT', `Expected a count of bytes as Inference-Header-Content-Length, got '${header}'`);
}

/** Calls back with a whole body; never where it does not come to its end. */
function collect(from: IncomingMessage, length: number, then: (body: Buffer) => void): void {
  const parts: Buffer[] = [];
  from.on('data', (part: Buffer) => parts.push(part));
  from.on('end', () => then(parts.length === 1 ? parts[0]! : Buffer.concat(parts, length)));
  // The response is closed then.
  from.on('error', () => undefined);
}
