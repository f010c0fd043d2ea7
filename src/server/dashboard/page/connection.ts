/**
 * The feed, read with `fetch` so that the token goes in a header; connected again where it breaks off.
 * @module
 */
import type { DashboardUpdate } from '../state.js';

/** How it stands with the feed. */
export type ConnectionState =
  | { readonly name: 'connecting' | 'live' | 'unauthorized' }
  /** Connected, but nothing came for so many seconds. */
  | { readonly name: 'stale'; readonly seconds: number }
  /** It is tried again in so many seconds. */
  | { readonly name: 'disconnected'; readonly seconds: number; readonly reason: string };

/** Seconds without an update after which what is shown is stale, and after which the connection is given up. */
const STALE = 3;
const LOST = 15;

/** Seconds until it is tried again: twice as long each time. */
const LEAST_PAUSE = 1;
const MOST_PAUSE = 10;

/** Reads the feed. */
export class Connection {
  readonly #onUpdate: (update: DashboardUpdate) => void;
  readonly #onState: (state: ConnectionState) => void;
  #token: string | undefined;
  #stream: string | undefined;
  #attempt = new AbortController();
  #pause = LEAST_PAUSE;
  #nextTry = 0;
  #heardAt = 0;
  #reason = '';
  #state: ConnectionState['name'] = 'connecting';

  constructor(onUpdate: (update: DashboardUpdate) => void, onState: (state: ConnectionState) => void) {
    this.#onUpdate = onUpdate;
    this.#onState = onState;
    setInterval(() => this.#look(), 1000);
  }

  /** Connects anew with this token and stream, at once. */
  open(token: string | undefined, stream: string | undefined): void {
    const isFirst = this.#state !== 'live' && this.#state !== 'stale';
    this.#token = token;
    this.#stream = stream;
    this.#attempt.abort();
    this.#attempt = new AbortController();
    // To look at another stream is no reason to tell of a connection.
    if (isFirst) this.#set({ name: 'connecting' });
    void this.#read(this.#attempt);
  }

  async #read(attempt: AbortController): Promise<void> {
    this.#heardAt = performance.now();
    try {
      const url = new URL('./feed', import.meta.url);
      if (this.#stream !== undefined) url.searchParams.set('stream', this.#stream);
      const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
      const response = await fetch(url, { headers, signal: attempt.signal, cache: 'no-store' });
      if (response.status === 401) return this.#set({ name: 'unauthorized' });
      if (!response.ok || response.body === null) throw new Error(await reasonOf(response));
      await this.#follow(response.body.getReader());
      throw new Error('The server ended the connection');
    } catch (error) {
      if (attempt.signal.aborted) return;
      this.#reason = error instanceof TypeError ? 'The server does not answer' : (error as Error).message;
      this.#nextTry = performance.now() + this.#pause * 1000;
      this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
      this.#state = 'disconnected';
      this.#look();
    }
  }

  /** Reads events, each of which is one line of data. */
  async #follow(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
      rest = parts.pop()!;
      const last = parts.findLast((part) => part.startsWith('data: '));
      if (last === undefined) continue;
      this.#heardAt = performance.now();
      this.#pause = LEAST_PAUSE;
      this.#set({ name: 'live' });
      this.#onUpdate(JSON.parse(last.slice('data: '.length)) as DashboardUpdate);
    }
  }

  /** Once a second: is it late, or time to try again? */
  #look(): void {
    const now = performance.now();
    if (this.#state === 'disconnected') {
      const seconds = Math.ceil((this.#nextTry - now) / 1000);
      if (seconds <= 0) this.open(this.#token, this.#stream);
      else this.#set({ name: 'disconnected', seconds, reason: this.#reason });
      return;
    }
    if (this.#state !== 'live' && this.#state !== 'stale') return;
    const seconds = Math.floor((now - this.#heardAt) / 1000);
    if (seconds >= LOST) this.open(this.#token, this.#stream);
    else if (seconds >= STALE) this.#set({ name: 'stale', seconds });
  }

  #set(state: ConnectionState): void {
    this.#state = state.name;
    this.#onState(state);
  }
}

async function reasonOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { error: string }).error;
  } catch {
    return `The server answers with status ${response.status}`;
  }
}
