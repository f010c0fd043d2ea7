/**
 * Feeds: how batches get from a source into work. A pull source is asked for a batch only while there is credit; a push
 * source brings them when it likes, so an overflow policy decides.
 * @module
 */
import { type Observable, Subject, takeUntil } from 'rxjs';
import { fail } from '../errors.js';
import { type Arena, TensorLease } from '../memory/index.js';
import { sizeOf, type TensorInput } from '../runtime/index.js';
import type { StreamSettings } from './options.js';
import type { OrderedWork } from './ordered.js';

/** What a feed tells its stream. */
export interface FeedEvents {
  /** The source has no more batches. */
  done(): void;
  /** The source, or the way to it, failed. */
  failed(error: unknown): void;
}

/** Brings batches into work. */
export interface Feed {
  /** There may be room for another batch. */
  proceed(): void;
  /** Batches that wait to get into work. */
  readonly waiting: number;
  /** Lets go of the source, and releases what waits. */
  stop(): void;
}

/** Gives a lease back that nobody will quantize. */
function discard(batch: TensorInput): void {
  if (batch instanceof TensorLease) batch[Symbol.dispose]();
}

/** A feed from an Observable. */
export class PushFeed implements Feed {
  readonly #work: OrderedWork;
  readonly #settings: StreamSettings;
  readonly #waiting: TensorInput[] = [];
  readonly #stop = new Subject<void>();
  #isStopped = false;

  constructor(source: Observable<TensorInput>, work: OrderedWork, settings: StreamSettings, events: FeedEvents) {
    this.#work = work;
    this.#settings = settings;
    // The source may push while it is subscribed to, so all else is ready by now.
    source.pipe(takeUntil(this.#stop)).subscribe({
      next: (batch) => {
        try {
          this.#accept(batch);
        } catch (error) {
          this.stop();
          events.failed(error);
        }
      },
      error: (error) => events.failed(error),
      complete: () => {
        if (!this.#isStopped) events.done();
      },
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  proceed(): void {
    while (this.#waiting.length > 0 && this.#work.size < this.#settings.concurrency) {
      this.#work.start(this.#waiting.shift()!);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#stop.next();
    for (const batch of this.#waiting.splice(0)) discard(batch);
  }

  #accept(batch: TensorInput): void {
    if (this.#isStopped) return discard(batch);
    const { concurrency, room, full, onDrop } = this.#settings;
    if (this.#waiting.length === 0 && this.#work.size < concurrency) return this.#work.start(batch);
    this.#waiting.push(batch);
    if (this.#waiting.length <= room) return;
    if (full === 'error') {
      const text = `Expected at most ${concurrency} batches in work and ${room} waiting, got one more`;
      throw fail('ERR_QUANTLANE_OVERFLOW', text, { details: { concurrency, room } });
    }
    const dropped = full === 'drop-oldest' ? this.#waiting.shift()! : this.#waiting.pop()!;
    discard(dropped);
    onDrop(dropped);
  }
}

/** A feed from an iterator. */
export class PullFeed implements Feed {
  readonly waiting = 0;
  readonly #iterator: AsyncIterator<TensorInput> | Iterator<TensorInput>;
  readonly #arena: Arena;
  readonly #work: OrderedWork;
  readonly #settings: StreamSettings;
  readonly #events: FeedEvents;
  readonly #offRelease: () => void;
  /** Bytes of the largest batch so far with its result, which is what the next one is expected to need. */
  #need = 0;
  #isPulling = false;
  #isStopped = false;

  constructor(
    iterator: AsyncIterator<TensorInput> | Iterator<TensorInput>,
    arena: Arena,
    work: OrderedWork,
    settings: StreamSettings,
    events: FeedEvents,
  ) {
    this.#iterator = iterator;
    this.#arena = arena;
    this.#work = work;
    this.#settings = settings;
    this.#events = events;
    this.#offRelease = arena.onRelease(() => this.proceed());
  }

  proceed(): void {
    if (this.#isPulling || this.#isStopped || !this.#hasCredit()) return;
    this.#isPulling = true;
    void this.#pull();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#offRelease();
    // A source that is asked for a batch ends when it has brought it; nobody waits for that.
    void (async () => this.#iterator.return?.())().catch(() => undefined);
  }

  /** Whether the next batch, if it is no larger than those before, would find room, and its result too. */
  #hasCredit(): boolean {
    if (this.#work.size >= this.#settings.concurrency) return false;
    return this.#arena.has(this.#need) || this.#arena.statistics().inUse === 0;
  }

  async #pull(): Promise<void> {
    try {
      do {
        const { value, done } = await this.#iterator.next();
        if (done === true) {
          if (this.#isStopped) return;
          this.#isStopped = true;
          this.#offRelease();
          return this.#events.done();
        }
        if (this.#isStopped) return discard(value);
        this.#need = Math.max(this.#need, 2 * sizeOf(value));
        this.#work.start(value);
      } while (!this.#isStopped && this.#hasCredit());
    } catch (error) {
      if (!this.#isStopped) this.#events.failed(error);
    } finally {
      this.#isPulling = false;
    }
    // Room may have come while the last batch was on its way.
    this.proceed();
  }
}
