/**
 * One inference: a request's tensor goes into a lease as it comes in, and the answer out of one.
 * @module
 */
import type { TraceContext } from '../channels.js';
import { bytesIn, type TensorLease } from '../memory/index.js';
import type { CallOptions, QuantizedTensor, Runtime } from '../runtime/index.js';
import { answerOf, type InferAnswer } from './answer.js';
import { type Body, tooLarge, tooLong, tooShort } from './body.js';
import { copyToShared } from './copy.js';
import type { Model, Models } from './models.js';
import { outputsOf } from './outputs.js';
import { type PreparedRequest, Requests } from './prepared.js';
import { writeValues } from './values.js';
import type { Watching } from './watching.js';

/** Limits of one request. */
export interface InferLimits {
  /** Most bytes of JSON. */
  readonly json: number;
  /** Most bytes of a tensor. */
  readonly tensor: number;
}

/** The most elements that are quantized at once, whatever else this turn of the event loop did: some 10 µs. */
const AT_ONCE = 1 << 14;

/** An answer on shared memory; released when it is written. */
export class LeasedAnswer implements InferAnswer, Disposable {
  readonly head: Buffer;
  readonly tensors: readonly Uint8Array[];
  readonly #quantized: QuantizedTensor;

  /** @throws what `answerOf` does; the tensor is released then */
  constructor(prepared: PreparedRequest, quantized: QuantizedTensor) {
    const { request, model, answerHead } = prepared;
    try {
      const { head, tensors } = answerOf(model.name, request, outputsOf(quantized), answerHead);
      this.head = head;
      this.tensors = tensors;
      if (prepared.isAnswerFixed) prepared.answerHead = head;
    } catch (error) {
      quantized.release();
      throw error;
    }
    this.#quantized = quantized;
  }

  [Symbol.dispose](): void {
    this.#quantized.release();
  }
}

/** Quantizes what requests bring. */
export class Inference {
  readonly #runtime: Runtime;
  readonly #requests: Requests;
  readonly #limits: InferLimits;
  readonly #watching: Watching;

  constructor(runtime: Runtime, models: Models, limits: InferLimits, watching: Watching) {
    this.#runtime = runtime;
    this.#requests = new Requests(models, limits.tensor);
    this.#limits = limits;
    this.#watching = watching;
  }

  /**
   * Answers a request that is there as a whole: at once where its memory is free and its work is short.
   * @param head the JSON part
   * @param rest the bytes behind it
   * @param trace the trace that the request belongs to
   * @param signalOf makes what gives a request up that has to wait
   * @throws and rejects with what is wrong in the request, and errors of the runtime
   */
  whole(
    model: Model,
    head: Buffer,
    rest: Uint8Array,
    trace: TraceContext,
    signalOf: () => AbortSignal,
  ): LeasedAnswer | Promise<LeasedAnswer> {
    if (head.length > this.#limits.json) throw tooLarge(this.#limits.json);
    const prepared = this.#requests.read(model, head);
    const { dtype, shape, binaryBytes = 0 } = prepared.request.input;
    if (rest.length < binaryBytes) throw tooShort(binaryBytes - rest.length);
    if (rest.length > binaryBytes) throw tooLong();
    if (!this.#runtime.hasRoom(dtype, shape)) return this.#waiting(prepared, rest, { signal: signalOf(), trace });
    const lease = this.#runtime.lease(dtype, shape);
    fill(lease, prepared, rest);
    if (lease.elements > AT_ONCE) return this.#quantized(prepared, lease, { signal: signalOf(), trace });
    const { given } = prepared.model;
    const { name } = prepared.request.input;
    return new LeasedAnswer(prepared, this.#watching.quantizeNow(prepared.model, name, lease, { ...given, trace }));
  }

  /**
   * Answers a request that comes in: its bytes go to where they belong.
   * @param headBytes length of the JSON part; undefined where there is nothing else
   * @throws as `whole`
   */
  async incoming(model: Model, body: Body, headBytes: number | undefined, options: CallOptions): Promise<LeasedAnswer> {
    const { json } = this.#limits;
    const prepared = this.#requests.prepare(
      model,
      headBytes === undefined ? await body.json(json) : await body.jsonOf(headBytes, json),
    );
    const { dtype, shape, binaryBytes } = prepared.request.input;
    const lease = await this.#runtime.acquire(dtype, shape, options);
    try {
      if (binaryBytes === undefined) writeValues(prepared.request.input.data, lease.data as Float32Array);
      else await body.fill(bytesIn(lease.data));
      await body.end();
    } catch (error) {
      lease.release();
      throw error;
    }
    return this.#quantized(prepared, lease, options);
  }

  async #waiting(prepared: PreparedRequest, rest: Uint8Array, options: CallOptions): Promise<LeasedAnswer> {
    const { dtype, shape } = prepared.request.input;
    const lease = await this.#runtime.acquire(dtype, shape, options);
    fill(lease, prepared, rest);
    return this.#quantized(prepared, lease, options);
  }

  async #quantized(prepared: PreparedRequest, lease: TensorLease, options: CallOptions): Promise<LeasedAnswer> {
    const { model, request } = prepared;
    const settings = { ...model.given, ...options };
    return new LeasedAnswer(prepared, await this.#watching.quantize(model, request.input.name, lease, settings));
  }
}

/** Writes the values of a request to a lease, which is released where they are wrong. */
function fill(lease: TensorLease, { request }: PreparedRequest, rest: Uint8Array): void {
  try {
    const { binaryBytes, data } = request.input;
    if (binaryBytes === undefined) writeValues(data, lease.data as Float32Array);
    else copyToShared(rest, bytesIn(lease.data));
  } catch (error) {
    lease.release();
    throw error;
  }
}
