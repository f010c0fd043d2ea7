/**
 * One text that grows: its tokens, and the keys and values of those that the model has seen.
 * @module
 */
import { Observable, type Subscriber } from 'rxjs';
import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';
import type { AttentionCache } from './cache.js';
import type { LlamaConfig } from './config.js';
import { chooseToken, type SamplingOptions, samplingOf } from './sampler.js';
import type { Stepper } from './stepper.js';
import type { TextCodec } from './text.js';

/** How a text goes on. */
export interface GenerateOptions extends SamplingOptions {
  /** Tokens that are made at most. Default: as many as the model has positions for. */
  readonly maxTokens?: number;
}

/** A token that was made. */
export interface GeneratedToken {
  readonly id: number;
  /** What it adds to the text: nothing while a character is not complete, and for a token that ends a text. */
  readonly text: string;
  /**
   * Why it is the last one: it ends the text (`end`), no more were asked for (`tokens`), or the model has no more positions
   * (`positions`); null for another one.
   */
  readonly finish: 'end' | 'tokens' | 'positions' | null;
}

/** A session outside of shared memory, as it can be stored. */
export interface ParkedSession {
  /** All tokens of the text. */
  readonly ids: readonly number[];
  /** Keys and values. */
  readonly cache: Uint8Array;
}

/** What sessions of one model share. */
export interface SessionParts {
  readonly config: LlamaConfig;
  readonly stepper: Stepper;
  readonly codec: TextCodec;
}

/** One text that grows. Made by `TextGenerator.session`; it holds memory until `release`. */
export class Session implements AsyncDisposable {
  readonly #parts: SessionParts;
  readonly #cache: AttentionCache;
  readonly #ids: number[];
  /** Ends the generation that runs. */
  #running: AbortController | undefined;
  /** Settles, never rejects, when the cache is not in work. */
  #idle: Promise<void> = Promise.resolve();
  #isReleased = false;

  /** @internal Takes the cache over, which holds the first of the tokens, or none. */
  constructor(parts: SessionParts, ids: readonly number[], cache: AttentionCache) {
    this.#parts = parts;
    this.#ids = [...ids];
    this.#cache = cache;
  }

  /** The tokens of the text so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Bytes of keys and values. */
  get byteLength(): number {
    return this.#isReleased ? 0 : this.#cache.byteLength;
  }

  /**
   * Makes tokens, when it is subscribed to; a session makes one text at a time. Leaving ends it after the step that runs,
   * and the session may go on from there.
   * @returns the tokens as they are made; its errors are ERR_QUANTLANE_ARGUMENT for wrong options or a session that
   * generates already, ERR_QUANTLANE_LEASE_RELEASED, and those of the runtime
   */
  generate(options: GenerateOptions = {}): Observable<GeneratedToken> {
    return new Observable((subscriber) => {
      const running = new AbortController();
      void this.#generate(subscriber, options, running);
      return () => running.abort();
    });
  }

  /** A second session of the same text, which goes on on its own; it waits for the step that runs. */
  async fork(): Promise<Session> {
    await this.#idle;
    this.#assertOpen();
    return new Session(this.#parts, this.#ids, this.#cache.fork());
  }

  /** Ends a generation that runs, and releases the session; what it returns brings it back by `TextGenerator.resume`. */
  async park(): Promise<ParkedSession> {
    this.#running?.abort();
    await this.#idle;
    this.#assertOpen();
    const parked = { ids: [...this.#ids], cache: this.#cache.serialize() };
    await this.release();
    return parked;
  }

  /** Ends a generation that runs, and gives keys and values back; a second call changes nothing. */
  async release(): Promise<void> {
    this.#running?.abort();
    await this.#idle;
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cache.release();
  }

  /** The same as `release()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #generate(
    subscriber: Subscriber<GeneratedToken>,
    options: GenerateOptions,
    running: AbortController,
  ): Promise<void> {
    const { signal } = running;
    try {
      this.#assertOpen();
      if (this.#running !== undefined) {
        throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected a session that does not generate, got one that does');
      }
      this.#running = running;
      try {
        await this.#makeTokens(subscriber, options, signal);
      } finally {
        this.#running = undefined;
      }
      subscriber.complete();
    } catch (error) {
      if (signal.aborted) subscriber.complete();
      else subscriber.error(error);
    }
  }

  async #makeTokens(
    subscriber: Subscriber<GeneratedToken>,
    { maxTokens, ...options }: GenerateOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const { config, codec } = this.#parts;
    const sampling = samplingOf(options);
    if (maxTokens !== undefined && !isCount(maxTokens)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected maxTokens to be an integer from 0, got ${got(maxTokens)}`);
    }
    const text = codec.stream();
    const room = config.positions - this.#ids.length;
    const most = Math.min(maxTokens ?? room, room);
    for (let made = 1; made <= most && !signal.aborted; made++) {
      const logits = await this.#step(signal);
      const id = chooseToken(logits, sampling, this.#ids.length);
      this.#ids.push(id);
      const isEnd = config.ends.includes(id);
      const last = made < most ? null : most === maxTokens ? 'tokens' : 'positions';
      const finish = isEnd ? 'end' : last;
      const added = text.push(id);
      subscriber.next({ id, text: finish === null ? added : added + text.end(), finish });
      if (isEnd) return;
    }
  }

  /** Shows the model the tokens that it has not seen, and gives the logits after them. */
  #step(signal: AbortSignal): Promise<Float32Array> {
    const segment = { cache: this.#cache, ids: this.#ids.slice(this.#cache.tokens) };
    const logits = this.#parts.stepper.step(segment, signal);
    // Whoever waits for this goes on before the next step touches the cache, which begins in a later turn.
    const settled = () => undefined;
    this.#idle = logits.then(settled, settled);
    return logits;
  }

  #assertOpen(): void {
    if (this.#isReleased) throw fail('ERR_QUANTLANE_LEASE_RELEASED', 'Expected a session, got one that was released');
  }
}
