/**
 * The watch: a bounded record of what is quantized, stream by stream, of which it looks at a batch now and then.
 * @module
 */
import type { TensorLease } from '../memory/index.js';
import type { QuantizedTensor, QuantizeOptions, Runtime } from '../runtime/index.js';
import { defineScheme, perChannel, perTensor, preset, type Scheme } from '../scheme/index.js';
import { MAX_CHANNELS } from './channel-peaks.js';
import { type StreamName, WatchedStream } from './stream.js';
import { Traffic } from './traffic.js';

/** The most streams; the one that was not used for the longest time makes room for a new one. */
export const MAX_STREAMS = 64;

/** The least time from one look at a stream to the next, in milliseconds. */
const STREAM_GAP = 100;

/** Milliseconds that a look is worth, so that there are 200 a second, and no more than 20 million values. */
const LOOK_MS = 5;
const VALUES_PER_MS = 20_000;

/** Milliseconds worth of looks that may be ahead of time: one at each stream, for they may come all at once. */
const AHEAD_MS = LOOK_MS * MAX_STREAMS;

/** What a batch that is looked at is quantized with: its errors are counted, and it is kept until its range is known. */
const LOOKING: QuantizeOptions = Object.freeze({ stats: true, keep: true });
const NOT_LOOKING: QuantizeOptions = Object.freeze({});

const base = preset('torchao-int8');
/** Schemes that a range is asked for: that of each index of the last axis, or of all values; NaN and infinities aside. */
const CHANNELS = defineScheme({ ...base, name: 'channels', granularity: perChannel(-1), nonFinite: 'saturate' });
const ALL = defineScheme({ ...base, name: 'all', granularity: perTensor, nonFinite: 'saturate' });

/** How a watch is made. */
export interface WatchOptions {
  /** The most streams; default 64. */
  readonly maxStreams?: number;
  /** Milliseconds, never going back; default `performance.now`. */
  readonly clock?: () => number;
}

/** A batch that is being quantized. What is said of its lease is read before: afterwards that may be used up. */
interface WatchedBatch {
  readonly stream: WatchedStream;
  readonly lease: TensorLease;
  readonly scheme: Scheme;
  readonly elements: number;
  readonly byteLength: number;
  readonly shape: readonly number[];
  readonly began: number;
  readonly isLook: boolean;
}

/** Watches what a runtime quantizes. */
export class Watch {
  /** All streams together, those that made room included. */
  readonly traffic = new Traffic();
  readonly #runtime: Runtime;
  readonly #clock: () => number;
  readonly #maxStreams: number;
  readonly #streams = new Map<string, WatchedStream>();
  readonly #looking = new Set<Promise<void>>();
  /** When all looks so far are paid for. */
  #paidAt = Number.NEGATIVE_INFINITY;
  #looks = 0;
  #forgotten = 0;

  constructor(runtime: Runtime, { maxStreams = MAX_STREAMS, clock = () => performance.now() }: WatchOptions = {}) {
    this.#runtime = runtime;
    this.#maxStreams = maxStreams;
    this.#clock = clock;
  }

  /** The streams, the newest last. */
  get streams(): readonly WatchedStream[] {
    return [...this.#streams.values()];
  }

  /** A stream by name. */
  find(id: string): WatchedStream | undefined {
    return this.#streams.get(id);
  }

  /** Batches that were looked at; each cost the runtime one call, for its range. */
  get looks(): number {
    return this.#looks;
  }

  /** Streams that made room for others. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The time by the clock of the watch. */
  get now(): number {
    return this.#clock();
  }

  /**
   * Quantizes a batch and notes what became of it. Errors are those of `quantize`.
   * @param quantize quantizes the lease with what the watch wants beside
   */
  quantize(
    name: StreamName,
    lease: TensorLease,
    scheme: Scheme,
    quantize: (more: QuantizeOptions) => Promise<QuantizedTensor>,
  ): Promise<QuantizedTensor> {
    const batch = this.#begin(name, lease, scheme);
    return quantize(batch.isLook ? LOOKING : NOT_LOOKING).then(
      (quantized) => this.#end(batch, quantized),
      (error: unknown) => this.#fail(batch, error),
    );
  }

  /** The same at once. */
  quantizeNow(
    name: StreamName,
    lease: TensorLease,
    scheme: Scheme,
    quantize: (more: QuantizeOptions) => QuantizedTensor,
  ): QuantizedTensor {
    const batch = this.#begin(name, lease, scheme);
    let quantized: QuantizedTensor;
    try {
      quantized = quantize(batch.isLook ? LOOKING : NOT_LOOKING);
    } catch (error) {
      return this.#fail(batch, error);
    }
    return this.#end(batch, quantized);
  }

  #begin(name: StreamName, lease: TensorLease, scheme: Scheme): WatchedBatch {
    const began = this.#clock();
    const stream = this.#stream(name, scheme, began);
    const { elements, byteLength, shape } = lease;
    const isLook = this.#isDue(stream, elements, began);
    return { stream, lease, scheme, elements, byteLength, shape, began, isLook };
  }

  #end(
    { stream, lease, scheme, elements, byteLength, shape, began, isLook }: WatchedBatch,
    quantized: QuantizedTensor,
  ) {
    const now = this.#clock();
    stream.scheme = scheme;
    stream.shape = shape;
    stream.traffic.add(now, elements, byteLength, now - began);
    this.traffic.add(now, elements, byteLength, now - began);
    if (isLook) this.#look(stream, lease, quantized, now);
    return quantized;
  }

  #fail({ stream, lease, isLook }: WatchedBatch, error: unknown): never {
    const now = this.#clock();
    stream.traffic.fail(now);
    this.traffic.fail(now);
    if (isLook) lease.release();
    throw error;
  }

  /** Settles when no batch is held any more to be looked at. */
  async settled(): Promise<void> {
    await Promise.all(this.#looking);
  }

  /** Whether a batch is to be looked at, which is then counted. */
  #isDue(stream: WatchedStream, elements: number, now: number): boolean {
    if (now < stream.nextLook || this.#paidAt - now >= AHEAD_MS) return false;
    const worth = Math.max(LOOK_MS, elements / VALUES_PER_MS);
    this.#paidAt = Math.max(this.#paidAt, now) + worth;
    // Many streams take turns: else those that always come last would never be looked at.
    stream.nextLook = now + Math.max(STREAM_GAP, worth, LOOK_MS * this.#streams.size);
    return true;
  }

  #stream(name: StreamName, scheme: Scheme, now: number): WatchedStream {
    let stream = this.#streams.get(name.id);
    if (stream === undefined) {
      if (this.#streams.size >= this.#maxStreams) this.#forget();
      stream = new WatchedStream(name, scheme);
      this.#streams.set(name.id, stream);
    }
    stream.usedAt = now;
    return stream;
  }

  #forget(): void {
    let oldest: WatchedStream | undefined;
    for (const stream of this.#streams.values()) {
      if (oldest === undefined || stream.usedAt < oldest.usedAt) oldest = stream;
    }
    if (oldest !== undefined && this.#streams.delete(oldest.name.id)) this.#forgotten++;
  }

  /** Reads the codes at once, for they are the caller's; then takes the range of the values, and gives them back. */
  #look(stream: WatchedStream, lease: TensorLease, quantized: QuantizedTensor, now: number): void {
    this.#looks++;
    stream.looks.addQuantized(now, quantized);
    const { shape } = lease;
    const isByChannel = shape.length > 1 && shape.at(-1)! <= MAX_CHANNELS;
    const looking = this.#runtime
      .range(lease, isByChannel ? CHANNELS : ALL)
      .then((ranges) => stream.looks.addRanges(now, ranges, isByChannel))
      // A runtime that is closed meanwhile has no ranges any more; nothing else can be wrong with values that were quantized.
      .catch(() => undefined)
      .finally(() => {
        lease.release();
        this.#looking.delete(looking);
      });
    this.#looking.add(looking);
  }
}
