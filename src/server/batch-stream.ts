/**
 * A stream of batches over one WebSocket: a request a message, answered in order.
 * @module
 */
import type { WebSocket } from 'ws';
import type { TraceContext } from '../channels.js';
import { framed, unframed } from '../protocol/index.js';
import { failureOf, late } from './failure.js';
import type { Inference, LeasedAnswer } from './infer.js';
import type { Model } from './models.js';

/** Batches of a stream that are in work at a time; while there are so many its socket is not read. */
export const CREDITS = 16;

/** The longest answer that is written as one piece, in bytes. */
const SMALL = 1 << 17;

/** Codes of the end of a stream. */
const GOING_AWAY = 1001;

/** What streams have in common. */
export interface StreamParts {
  readonly inference: Inference;
  /** Milliseconds for a batch until its answer is there, and for an answer until it is sent. */
  readonly timeout: number;
  /** Is called when a batch is taken (1), and when its answer is gone (−1). */
  readonly count: (change: 1 | -1) => void;
}

/** A message. */
interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** What is sent for a message. */
interface Outgoing {
  readonly head: Uint8Array;
  /** The answer that it is of, on shared memory; undefined for an error. */
  readonly answer: LeasedAnswer | undefined;
  readonly isBinary: boolean;
}

/** A message in work. */
interface Slot {
  outgoing: Outgoing | undefined;
  timer: NodeJS.Timeout | undefined;
  gone: AbortController | undefined;
}

/** One stream. */
export class BatchStream {
  readonly #socket: WebSocket;
  readonly #model: Model;
  readonly #parts: StreamParts;
  readonly #trace: TraceContext;
  /** What came while all credits were in use: the rest of what was read then. */
  readonly #waiting: Message[] = [];
  /** In the order of their messages; without those that are being sent. */
  readonly #slots: Slot[] = [];
  #sending = 0;
  #isDraining = false;
  #isClosed = false;
  #isAlive = true;

  /** @param trace that of the handshake, to which all batches belong */
  constructor(socket: WebSocket, model: Model, trace: TraceContext, parts: StreamParts) {
    this.#socket = socket;
    this.#model = model;
    this.#parts = parts;
    this.#trace = trace;
    socket.on('message', (data, isBinary) => {
      this.#isAlive = true;
      if (this.#isDraining) return;
      this.#waiting.push({ data: data as Buffer, isBinary });
      this.#work();
    });
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    // What is wrong with a socket ends it, too.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#close());
  }

  /** Takes no more messages, and ends when those in work are answered. */
  drain(): void {
    this.#isDraining = true;
    this.#waiting.length = 0;
    this.#work();
  }

  /** Ends a stream whose client did not answer since the last time. One that is not read cannot answer. */
  check(): void {
    if (!this.#isAlive && !this.#socket.isPaused) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  /** Begins what there are credits for. */
  #work(): void {
    while (this.#waiting.length > 0 && this.#inWork < CREDITS && !this.#isClosed) this.#begin(this.#waiting.shift()!);
    if (this.#isClosed) return;
    if (this.#isDraining && this.#inWork === 0) this.#socket.close(GOING_AWAY, 'The server ends');
    // A socket that is not read does not see the end of its stream.
    if (this.#inWork < CREDITS) this.#socket.resume();
    else this.#socket.pause();
  }

  get #inWork(): number {
    return this.#slots.length + this.#sending;
  }

  #begin(message: Message): void {
    const slot: Slot = { outgoing: undefined, timer: undefined, gone: undefined };
    this.#slots.push(slot);
    this.#parts.count(1);
    const settle = (outgoing: Outgoing): void => {
      clearTimeout(slot.timer);
      slot.outgoing = outgoing;
      if (this.#isClosed) outgoing.answer?.[Symbol.dispose]();
      else this.#flush();
    };
    let head: Buffer | undefined;
    const refuse = (error: unknown): void => settle(refusal(error, head, message.isBinary));
    try {
      const frame = message.isBinary ? unframed(message.data) : { head: message.data, rest: new Uint8Array() };
      head = frame.head as Buffer;
      const answer = this.#parts.inference.whole(this.#model, head, frame.rest, this.#trace, () => this.#signal(slot));
      if (answer instanceof Promise) answer.then((ready) => settle(accepted(ready, message.isBinary)), refuse);
      else settle(accepted(answer, message.isBinary));
    } catch (error) {
      refuse(error);
    }
  }

  /** What gives a slot up that has to wait. */
  #signal(slot: Slot): AbortSignal {
    const { timeout } = this.#parts;
    const gone = new AbortController();
    slot.gone = gone;
    slot.timer = setTimeout(() => gone.abort(late(timeout)), timeout);
    return gone.signal;
  }

  /** Sends what is ready, up to the first that is not. */
  #flush(): void {
    for (let first = this.#slots[0]; first?.outgoing !== undefined; first = this.#slots[0]) {
      this.#slots.shift();
      this.#send(first.outgoing);
    }
  }

  #send({ head, answer, isBinary }: Outgoing): void {
    this.#sending++;
    // A client that does not read what it asked for holds memory.
    const timer = setTimeout(() => this.#socket.terminate(), this.#parts.timeout);
    const sent = (): void => {
      clearTimeout(timer);
      answer?.[Symbol.dispose]();
      this.#sending--;
      this.#parts.count(-1);
      this.#work();
    };
    const parts = [isBinary ? framed(head) : head, ...(answer?.tensors ?? [])];
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    const pieces = bytes <= SMALL ? [Buffer.concat(parts, bytes)] : parts;
    for (const [index, piece] of pieces.entries()) {
      const fin = index === pieces.length - 1;
      this.#socket.send(piece, { binary: isBinary, fin }, fin ? sent : undefined);
    }
  }

  /** Gives up what nobody waits for any more. */
  #close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    for (const { outgoing, gone, timer } of this.#slots.splice(0)) {
      clearTimeout(timer);
      gone?.abort(new Error('The client is gone'));
      outgoing?.answer?.[Symbol.dispose]();
      this.#parts.count(-1);
    }
  }
}

/** An answer as it was asked for: as text where the request was text and there is nothing but JSON. */
function accepted(answer: LeasedAnswer, isBinary: boolean): Outgoing {
  return { head: answer.head, answer, isBinary: isBinary || answer.tensors.length > 0 };
}

/** An error in the protocol's form, with the status that it would have and the name of the request. */
function refusal(error: unknown, head: Buffer | undefined, isBinary: boolean): Outgoing {
  const { status, body } = failureOf(error);
  return { head: Buffer.from(JSON.stringify({ ...idOf(head), ...body, status })), answer: undefined, isBinary };
}

function idOf(head: Buffer | undefined): { readonly id?: string } {
  try {
    const { id } = JSON.parse(head!.toString()) as { id?: unknown };
    return typeof id === 'string' ? { id } : {};
  } catch {
    return {};
  }
}
