/**
 * Feeds: how batches get from a source into work. A pull source is asked for a batch only while there is credit; a push
 * source brings them when it likes, so an overflow policy decides.
 * @module
 */
import { type Observable, Subject, takeUntil } from 'rxjs';
import { fail, type QuantlaneError } from '../errors.js';
import { type Arena, roundedBytes } from '../memory/index.js';
import type { TensorInput } from '../runtime/index.js';
import type { StreamSettings } from './options.js';
import type { Arrival, OrderedWork } from './ordered.js';
import { isLeased, park } from './parking.js';
import { type BatchIterator, discard, iteratorOf, type PullSource } from './source.js';

/** Batches that a feed takes from a source without waiting; then others have their turn, such as other streams. */
const AT_ONCE = 8;

type Step = IteratorResult<TensorInput, unknown>;

/** What a feed tells its run, once it is started. */
export interface FeedEvents {
  /** The source has no more batches. */
  done(): void;
  /** The source, or the way to it, failed. */
  failed(error: unknown): void;
}

/** Brings batches into work. */
export interface Feed {
  /** Batches that wait to get into work. */
  readonly waiting: number;
  /** Turns to the source. */
  start(): void;
  /** There may be room for another batch. */
  proceed(): void;
  /** Lets go of the source, and releases what waits; more than once is once. */
  stop(): void;
}

/** A feed from an Observable. */
export class PushFeed implements Feed {
  readonly #source: Observable<TensorInput>;
  readonly #work: OrderedWork;
  readonly #settings: StreamSettings;
  readonly #events: FeedEvents;
  readonly #waiting: Arrival[] = [];
  /** Bytes of those. */
  #bytes = 0;
  readonly #stop = new Subject<void>();
  readonly #arena: Arena;
  #unpark = (): void => undefined;
  #isStopped = false;

  constructor(
    source: Observable<TensorInput>,
    arena: Arena,
    work: OrderedWork,
    settings: StreamSettings,
    events: FeedEvents,
  ) {
    this.#source = source;
    this.#arena = arena;
    this.#work = work;
    this.#settings = settings;
    this.#events = events;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  start(): void {
    this.#unpark = park(this.#arena, () => this.#waiting.map(({ batch }) => batch));
    // The source may push while it is subscribed to, and must be stopped then too: a subscription would come too late.
    this.#source.pipe(takeUntil(this.#stop)).subscribe({
      next: (batch) => {
        try {
          this.#accept(batch);
        } catch (error) {
          this.#events.failed(error);
        }
      },
      error: (error) => this.#events.failed(error),
      complete: () => {
        if (!this.#isStopped) this.#events.done();
      },
    });
  }

  proceed(): void {
    while (this.#waiting.length > 0 && this.#work.hasRoom(this.#waiting[0]!.bytes, this.#settings)) {
      this.#work.start(this.#leave('shift'));
    }
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#unpark();
    this.#stop.next();
    for (const { batch } of this.#waiting.splice(0)) discard(batch, this.#settings.quantize);
  }

  #accept(batch: TensorInput): void {
    // A source that does not look whether it is stopped.
    if (this.#isStopped) return discard(batch, this.#settings.quantize);
    const arrival = this.#work.arrival(batch);
    if (this.#waiting.length === 0 && this.#work.hasRoom(arrival.bytes, this.#settings))
      return this.#work.start(arrival);
    this.#waiting.push(arrival);
    this.#bytes += arrival.bytes;
    const { full, onDrop, quantize } = this.#settings;
    while (this.#isOver()) {
      if (full === 'error') throw this.#overflow();
      const dropped = this.#leave(full === 'drop-oldest' ? 'shift' : 'pop').batch;
      discard(dropped, quantize);
      onDrop(dropped, this.#overflow());
    }
  }

  /** Whether more wait than may. */
  #isOver(): boolean {
    const { room, maxBytes } = this.#settings;
    return this.#waiting.length > 0 && (this.#waiting.length > room || this.#work.bytes + this.#bytes > maxBytes);
  }

  #leave(end: 'shift' | 'pop'): Arrival {
    const arrival = this.#waiting[end]()!;
    this.#bytes -= arrival.bytes;
    return arrival;
  }

  #overflow(): QuantlaneError {
    const { concurrency, room, maxBytes } = this.#settings;
    const bytes = maxBytes === Number.POSITIVE_INFINITY ? '' : `, ${maxBytes} bytes of them`;
    const text = `Expected at most ${concurrency} batches in work and ${room} waiting${bytes}, got one more`;
    return fail('ERR_QUANTLANE_OVERFLOW', text, { details: { concurrency, room } });
  }
}

/** A feed from what can be asked for one batch at a time. */
export class PullFeed implements Feed {
  readonly waiting = 0;
  readonly #source: PullSource;
  readonly #arena: Arena;
  readonly #work: OrderedWork;
  readonly #settings: StreamSettings;
  readonly #events: FeedEvents;
  #iterator: BatchIterator | undefined;
  /** Ends listening to the arena; there only while the arena has no room: of many streams most wait for nothing. */
  #offRelease: (() => void) | undefined;
  #unpark = (): void => undefined;
  /** The batches, where they are in an array; of another source nobody knows them in advance. */
  readonly #known: readonly TensorInput[];
  #pulled = 0;
  /** Bytes of the largest batch so far: the next is expected to need no more. */
  #largest = 0;
  #isPulling = false;
  /** Batches that were taken without waiting. */
  #taken = 0;
  readonly #resume = (): void => this.proceed();
  #isStopped = false;

  constructor(source: PullSource, arena: Arena, work: OrderedWork, settings: StreamSettings, events: FeedEvents) {
    this.#source = source;
    this.#arena = arena;
    this.#work = work;
    this.#settings = settings;
    this.#events = events;
    this.#known = Array.isArray(source) ? source : [];
    // What has its first batch at once is waited for too: nothing comes out within a subscription.
    if (Symbol.iterator in source) this.#taken = AT_ONCE;
  }

  start(): void {
    try {
      this.#iterator = iteratorOf(this.#source);
    } catch (error) {
      return this.#events.failed(error);
    }
    this.#unpark = park(this.#arena, () => this.#known.slice(this.#pulled));
    this.proceed();
  }

  proceed(): void {
    if (!this.#isPulling) this.#pull();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#listenNoMore();
    this.#unpark();
    const iterator = this.#iterator;
    // A generator that is asked for a batch ends when it has brought it; nobody waits for that.
    void (async () => iterator?.return?.())().catch(() => undefined);
  }

  /** Whether the next batch, if it is no larger than those before, would find room, and its result too. */
  #hasCredit(): boolean {
    if (this.#isStopped || !this.#work.hasRoom(this.#largest, this.#settings)) return false;
    // It would have to wait, which costs more than small work itself.
    if (this.#work.rests(this.#resume)) return false;
    const { capacity, inUse, leakedBytes } = this.#arena;
    // Nobody will give anything back: now or never.
    if (inUse === leakedBytes) return true;
    const batch = roundedBytes(this.#largest);
    const result = this.#work.largestResult ?? batch;
    // What was leased in advance holds its memory anyway. Whether its result will ever fit is for the arena to say.
    if (this.#work.size === 0 && isLeased(this.#known[this.#pulled])) return true;
    if (this.#arena.has(Math.max(batch, result)) && batch + result <= capacity - inUse) return true;
    this.#offRelease ??= this.#arena.onRelease(() => {
      this.#listenNoMore();
      this.proceed();
    });
    return false;
  }

  #listenNoMore(): void {
    this.#offRelease?.();
    this.#offRelease = undefined;
  }

  /** Pulls while there is credit, at once where the source has the next batch. */
  #pull(): void {
    this.#isPulling = true;
    while (this.#hasCredit()) {
      if (this.#taken === AT_ONCE) return void this.#pullLater(undefined);
      const step = this.#ask();
      if (step === undefined) break;
      if (step instanceof Promise) return void this.#pullLater(step);
      this.#taken++;
      const arrival = this.#arrival(step);
      if (arrival === undefined) break;
      this.#work.start(arrival);
    }
    this.#isPulling = false;
  }

  /** Goes on pulling when the source has brought a batch, or when others had their turn. */
  async #pullLater(asked: Promise<Step> | undefined): Promise<void> {
    let arrival: Arrival | undefined;
    try {
      const step = await asked;
      if (asked !== undefined) arrival = this.#arrival(step!);
    } catch (error) {
      this.#over(() => this.#events.failed(error));
    }
    this.#taken = 0;
    if (arrival !== undefined) {
      await this.#work.untilTime();
      if (this.#isStopped) discard(arrival.batch, this.#settings.quantize);
      else this.#work.start(arrival);
    }
    this.#isPulling = false;
    this.proceed();
  }

  /** Asks the source for a batch; undefined where it fails. */
  #ask(): Step | Promise<Step> | undefined {
    try {
      const step = this.#iterator!.next();
      return 'then' in step ? Promise.resolve(step) : step;
    } catch (error) {
      this.#over(() => this.#events.failed(error));
    }
    return undefined;
  }

  /** What the source brought; undefined after its end, or where nobody wants it. */
  #arrival(step: Step): Arrival | undefined {
    this.#pulled++;
    if (step.done === true) this.#over(() => this.#events.done());
    else if (this.#isStopped) discard(step.value, this.#settings.quantize);
    else {
      const arrival = this.#work.arrival(step.value);
      this.#largest = Math.max(this.#largest, arrival.bytes);
      return arrival;
    }
    return undefined;
  }

  /** The source has ended by itself: it need not be told to. */
  #over(tell: () => void): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#listenNoMore();
    this.#unpark();
    tell();
  }
}
