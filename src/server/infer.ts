/**
 * One inference: a request's tensor goes into a lease as it comes in, and the answer out of one.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail } from '../errors.js';
import { bytesOf } from '../memory/index.js';
import { HEAD_LENGTH } from '../protocol/index.js';
import type { CallOptions, QuantizedTensor, Runtime } from '../runtime/index.js';
import { answerOf, type InferAnswer } from './answer.js';
import { Body } from './body.js';
import type { Model, Models } from './models.js';
import { outputsOf } from './outputs.js';
import { type InferRequest, readRequest } from './request.js';
import { traceOf } from './trace.js';
import { writeValues } from './values.js';
import type { Watching } from './watching.js';

/** Limits of one request. */
export interface InferLimits {
  /** Most bytes of JSON. */
  readonly json: number;
  /** Most bytes of a tensor. */
  readonly tensor: number;
}

/** Quantizes what requests bring. */
export class Inference {
  readonly #runtime: Runtime;
  readonly #models: Models;
  readonly #limits: InferLimits;
  readonly #watching: Watching;

  constructor(runtime: Runtime, models: Models, limits: InferLimits, watching: Watching) {
    this.#runtime = runtime;
    this.#models = models;
    this.#watching = watching;
    this.#limits = limits;
  }

  /**
   * Answers a request, and settles when the answer is written. Nothing is written where it rejects.
   * @param signal gives it up: the client is gone, or it took too long
   */
  async answer(model: Model, from: IncomingMessage, to: ServerResponse, signal: AbortSignal): Promise<void> {
    const body = new Body(from, signal);
    const request = readRequest(await this.#head(body, from));
    const chosen = this.#models.withParameters(model, request.parameters);
    using quantized = await this.#quantized(chosen, request, body, { signal, trace: traceOf(from) });
    await write(to, answerOf(model.name, request, outputsOf(quantized)), signal);
  }

  #head(body: Body, { headers }: IncomingMessage): Promise<unknown> {
    const length = headers[HEAD_LENGTH];
    if (length === undefined) return body.json(this.#limits.json);
    if (typeof length === 'string' && /^\d{1,10}$/.test(length)) return body.jsonOf(Number(length), this.#limits.json);
    throw fail('ERR_QUANTLANE_FORMAT', `Expected a count of bytes as Inference-Header-Content-Length, got '${length}'`);
  }

  async #quantized(model: Model, { input }: InferRequest, body: Body, options: CallOptions): Promise<QuantizedTensor> {
    const { dtype, shape, binaryBytes, data } = input;
    const bytes = bytesOf(dtype, shape);
    if (binaryBytes !== undefined && binaryBytes !== bytes) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected ${bytes} bytes for shape [${shape}], got ${binaryBytes}`);
    }
    if (bytes > this.#limits.tensor) {
      throw fail(
        'ERR_QUANTLANE_ARENA_TOO_SMALL',
        `Expected a tensor of at most ${this.#limits.tensor} bytes, got ${bytes}`,
      );
    }
    const lease = await this.#runtime.acquire(dtype, shape, options);
    try {
      if (binaryBytes === undefined) writeValues(data, lease.data as Float32Array);
      else await body.fill(new Uint8Array(lease.data.buffer, lease.byteOffset, bytes));
      await body.end();
    } catch (error) {
      lease.release();
      throw error;
    }
    return this.#watching.quantize(model, input.name, lease, { ...model.given, ...options });
  }
}

/** Writes an answer; settles when its memory is not needed any more. */
function write(to: ServerResponse, { head, tensors }: InferAnswer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const bytes = tensors.reduce((sum, { length }) => sum + length, head.length);
  to.setHeader('content-length', bytes);
  to.setHeader('content-type', tensors.length > 0 ? 'application/octet-stream' : 'application/json');
  if (tensors.length > 0) to.setHeader(HEAD_LENGTH, head.length);
  to.writeHead(200);
  return new Promise((resolve) => {
    // Whether all is sent, the client is gone, or it reads too slowly: the socket has let go of the memory then.
    to.once('close', resolve);
    signal.addEventListener('abort', () => to.destroy(), { once: true });
    to.write(head);
    for (const tensor of tensors) to.write(tensor);
    to.end();
  });
}
