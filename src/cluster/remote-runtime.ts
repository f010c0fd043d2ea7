/**
 * A runtime whose work is done on other hosts.
 * @module
 */
import { bytesOf } from '../memory/index.js';
import { beforeDue, dueIn } from '../runtime/due.js';
import type {
  CloseOptions,
  Engine,
  PlainTensor,
  QuantizedTensor,
  QuantizeOptions,
  RuntimeMetrics,
  SchemeInput,
  TensorInput,
} from '../runtime/index.js';
import type { Input } from '../runtime/input.js';
import { Planner } from '../runtime/plan.js';
import { bytesIn } from '../runtime/tensor.js';
import { endStreams } from '../stream/closing.js';
import {
  type QuantizedStream,
  type QuantizingRuntime,
  StreamingRuntime,
  type StreamOptions,
  type StreamSource,
} from '../stream/index.js';
import { batchMessage } from './batch.js';
import { type Client, type ClientCounts, tooLarge } from './client.js';
import { closed } from './connection.js';
import { Credits } from './credits.js';
import { milliseconds } from './options.js';
import { Order } from './order.js';
import type { RemoteSettings } from './remote-options.js';
import { checkResult, landed } from './result.js';

/** What is said of a call that goes to another host. */
export interface RemoteCallOptions {
  /** Results of calls with the same key come in the order of the calls; without one, as they are done. */
  readonly key?: string;
  /** Milliseconds for the result to come from the moment that the batch is sent; default that of the runtime. */
  readonly timeout?: number;
}

/** How a tensor is quantized on another host. */
export interface RemoteQuantizeOptions extends QuantizeOptions, RemoteCallOptions {}

/** How a stream is worked off on other hosts. */
export interface RemoteStreamOptions extends StreamOptions, RemoteCallOptions {}

/** What a remote runtime has done and holds. */
export interface RemoteMetrics extends RuntimeMetrics {
  readonly cluster: Readonly<ClientCounts> & {
    /** Batches that are sent and have no result, and bytes of their values. */
    readonly inFlight: number;
    readonly inFlightBytes: number;
    /** Keys with calls in work. */
    readonly keys: number;
    /** Times that the connection was made again. */
    readonly reconnects: number;
    /** Messages and questions that were sent again, for their answer did not come. */
    readonly resent: number;
  };
}

/**
 * A runtime whose work is done on other hosts: the API of the local one, with leases of an arena here, where results land.
 * `quantize` and `stream` send batches; everything else, such as `dequantize`, `range` and `quantizeSync`, is done here with
 * the same bits.
 */
export class RemoteRuntime extends StreamingRuntime implements QuantizingRuntime {
  readonly #client: Client;
  readonly #settings: RemoteSettings;
  readonly #credits: Credits;
  readonly #order = new Order();
  readonly #planner = new Planner();
  readonly #closing = new AbortController();

  /** @internal Made by `remote`. */
  constructor(engine: Engine, client: Client, settings: RemoteSettings) {
    super(engine);
    this.#client = client;
    this.#settings = settings;
    this.#credits = new Credits(settings.maxInFlight, settings.maxBytes);
  }

  /**
   * Quantizes a tensor on another host; see `Runtime.quantize`. The input lease is back as soon as the batch is sent.
   *
   * `deadline` is for a credit to send the batch, and what is left of it for its work to begin on the host.
   * @throws errors of `Runtime.quantize`, and ERR_QUANTLANE_TIMEOUT, ERR_QUANTLANE_CONNECTION_LOST,
   * ERR_QUANTLANE_TOO_LARGE
   */
  override quantize(
    tensor: TensorInput,
    scheme: SchemeInput,
    options: RemoteQuantizeOptions = {},
  ): Promise<QuantizedTensor> {
    return this.#quantize(tensor, scheme, options);
  }

  /**
   * See `StreamingRuntime.stream`: results come in the order of the source. With a key they also come after those of calls
   * and streams with the same key that began before.
   */
  override stream(source: StreamSource, scheme: SchemeInput, options: RemoteStreamOptions = {}): QuantizedStream {
    return super.stream(source, scheme, options);
  }

  override metrics(): RemoteMetrics {
    const { counts, connection } = this.#client;
    const { count: inFlight, bytes: inFlightBytes } = this.#credits;
    const cluster = { ...counts, ...connection.counts, inFlight, inFlightBytes, keys: this.#order.size };
    return { ...super.metrics(), cluster };
  }

  override async drain(): Promise<void> {
    await super.drain();
    await this.#client.settled();
  }

  /**
   * See `Runtime.close`: takes no more batches, waits for the results of those that are on their way, which need room here,
   * and leaves nothing in the streams.
   */
  override async close(options: CloseOptions = {}): Promise<void> {
    const { grace } = options;
    if (grace !== undefined) milliseconds('grace', Math.max(grace, 1));
    this.#refuse();
    const timer = grace === undefined ? undefined : setTimeout(() => this.#client.abandon(closed()), grace);
    await super.drain();
    clearTimeout(timer);
    await super.close(options);
    await this.#client.close();
  }

  override async destroy(): Promise<void> {
    this.#refuse();
    this.#client.abandon(closed());
    await super.destroy();
    await this.#client.close();
  }

  /** @internal Nothing is done at once: it goes to another host. */
  override quantizeNow(): undefined {
    return undefined;
  }

  async #quantize(tensor: TensorInput, scheme: SchemeInput, options: RemoteQuantizeOptions): Promise<QuantizedTensor> {
    const { calls, engine } = this;
    const { signal, key, deadline, timeout = this.#settings.timeout } = options;
    this.#closing.signal.throwIfAborted();
    const input = calls.begin(tensor, options.keep === true, options.source !== undefined);
    const turn = this.#order.take(key);
    let isHeld = true;
    let credit: number | undefined;
    try {
      signal?.throwIfAborted();
      milliseconds('timeout', timeout);
      const due = deadline === undefined ? undefined : dueIn(deadline);
      const { dtype, shape } = input;
      // What is wrong with the call is told here, and where the result will lie is known.
      const plan = this.#planner.plan(scheme, dtype, shape, options);
      const bytes = this.#bytesOf(tensor, input);
      if (bytes.length > this.#settings.maxTensor) throw tooLarge(this.#settings.maxTensor, bytes.length);
      await beforeDue({ due, signal }, (ended) => this.#credits.acquire(bytes.length, ended));
      credit = bytes.length;
      const named = typeof scheme === 'string' ? scheme : plan.scheme;
      const rest = due === undefined ? {} : { deadline: Math.max(1, due - performance.now()) };
      const sent = { ...options, ...rest };
      const { sequence } = turn;
      const batch = { task: 'quantize', scheme: named, dtype, shape, bytes, options: sent, key, sequence } as const;
      const content = await batchMessage(batch, signal);
      // The values are in the message: the lease goes back, and the call stays pending.
      calls.enter();
      calls.end(input);
      isHeld = false;
      const frame = await this.#client.ask(content, { signal, timeout });
      await turn.come(signal);
      checkResult(frame);
      const result = await landed(frame, plan, engine.arena, signal, this.#closing.signal);
      calls.counts.elements += plan.layout.elements;
      return result;
    } catch (error) {
      calls.counts.failed++;
      throw error;
    } finally {
      if (credit !== undefined) this.#credits.release(credit);
      if (isHeld) calls.end(input);
      else calls.leave();
      turn.leave();
    }
  }
  #refuse(): void {
    endStreams(this);
    if (!this.#closing.signal.aborted) this.#closing.abort(closed());
  }

  /** The values of a call, where they lie. */
  #bytesOf(tensor: TensorInput, input: Input): Uint8Array {
    if (input.isPlain) return bytesIn((tensor as PlainTensor).data);
    return new Uint8Array(this.engine.arena.buffer, input.byteOffset, bytesOf(input.dtype, input.shape));
  }
}
