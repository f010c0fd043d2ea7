/**
 * A runtime whose work is done on other hosts.
 * @module
 */
import { bytesIn, bytesOf, INPUT_DTYPE_BYTES } from '../memory/index.js';
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
import { type Plan, Planner } from '../runtime/plan.js';
import { endStreams } from '../stream/closing.js';
import {
  type QuantizedStream,
  type QuantizingRuntime,
  StreamingRuntime,
  type StreamOptions,
  type StreamSource,
} from '../stream/index.js';
import { type Batch, batchMessage } from './batch.js';
import { type Client, type ClientCounts, tooLarge } from './client.js';
import { closed } from './connection.js';
import { Credits } from './credits.js';
import type { Frame } from './framing.js';
import { milliseconds } from './options.js';
import { Order, type Turn } from './order.js';
import type { RemoteSettings } from './remote-options.js';
import { checkResult, either, landed } from './result.js';
import { piecesOf, quantizeInPieces, type Splitting } from './split.js';

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

/** What is known of a call before it is sent. */
interface Call {
  readonly plan: Plan;
  readonly scheme: Batch['scheme'];
  /** The values. */
  readonly bytes: Uint8Array;
  readonly options: QuantizeOptions;
  readonly key: string | undefined;
  readonly sequence: number;
  readonly timeout: number;
  readonly due: number | undefined;
  readonly signal: AbortSignal | undefined;
}

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
    const { calls } = this;
    const { signal, key, deadline, timeout = this.#settings.timeout } = options;
    this.#closing.signal.throwIfAborted();
    const input = calls.begin(tensor, options.keep === true, options.source !== undefined);
    const turn = this.#order.take(key);
    let isHeld = true;
    // The values are in messages: the lease goes back, and the call stays pending.
    const letGo = (): void => {
      if (!isHeld) return;
      isHeld = false;
      calls.enter();
      calls.end(input);
    };
    try {
      signal?.throwIfAborted();
      milliseconds('timeout', timeout);
      const due = deadline === undefined ? undefined : dueIn(deadline);
      // What is wrong with the call is told here, and where the result will lie is known.
      const plan = this.#planner.plan(scheme, input.dtype, input.shape, options);
      const bytes = this.#bytesOf(tensor, input);
      const named = typeof scheme === 'string' ? scheme : plan.scheme;
      const call = { plan, scheme: named, bytes, options, key, sequence: turn.sequence, timeout, due, signal };
      const result = (await this.#inPieces(call, turn)) ?? (await this.#whole(call, turn, letGo));
      calls.counts.elements += plan.layout.elements;
      return result;
    } catch (error) {
      calls.counts.failed++;
      throw error;
    } finally {
      letGo();
      calls.leave();
      turn.leave();
    }
  }

  /** One host quantizes the tensor. */
  async #whole(call: Call, turn: Turn, letGo: () => void): Promise<QuantizedTensor> {
    const { plan, bytes, options, signal } = call;
    const { maxTensor } = this.#settings;
    if (bytes.length > maxTensor) throw tooLarge(maxTensor, bytes.length);
    const land = async (frame: Frame): Promise<QuantizedTensor> => {
      await turn.come(signal);
      checkResult(frame);
      return landed(frame, plan, this.engine.arena, signal, this.#closing.signal);
    };
    const { shape, dtype } = plan;
    return this.#ask({ task: 'quantize', shape, dtype, bytes, options }, call, letGo, land);
  }

  /** Several hosts do, where it is large and its scheme allows; else undefined. */
  async #inPieces(call: Call, turn: Turn): Promise<QuantizedTensor | undefined> {
    const { plan, bytes, options } = call;
    const pieces = piecesOf(plan, this.#settings.splitAbove);
    if (pieces === undefined) return undefined;
    const width = INPUT_DTYPE_BYTES[plan.dtype];
    const ask: Splitting['ask'] = (task, { first, elements, shape }, given, signal) => {
      const part = bytes.subarray(first * width, (first + elements) * width);
      const sent = { task, shape, dtype: plan.dtype, bytes: part, options: given };
      return this.#ask(
        sent,
        { ...call, signal },
        () => undefined,
        async (frame) => {
          checkResult(frame);
          return frame;
        },
      );
    };
    const signal = either(call.signal, this.#closing.signal);
    const result = await quantizeInPieces({ plan, pieces, options, ask }, this.engine.arena, call.signal, signal);
    try {
      if (result !== undefined) await turn.come(call.signal);
      return result;
    } catch (error) {
      result?.release();
      throw error;
    }
  }

  /** Sends values as soon as there is a credit, which is given back when `take` has the result. */
  async #ask<T>(
    sent: Pick<Batch, 'task' | 'shape' | 'dtype' | 'bytes' | 'options'>,
    { scheme, key, sequence, due, signal, timeout }: Call,
    onSent: () => void,
    take: (frame: Frame) => Promise<T>,
  ): Promise<T> {
    const { length } = sent.bytes;
    await beforeDue({ due, signal }, (ended) => this.#credits.acquire(length, ended));
    try {
      const rest = due === undefined ? {} : { deadline: Math.max(1, due - performance.now()) };
      const batch = { ...sent, scheme, key, sequence, options: { ...sent.options, ...rest } };
      const content = await batchMessage(batch, signal);
      onSent();
      return await take(await this.#client.ask(content, { signal, timeout }));
    } finally {
      this.#credits.release(length);
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
