/**
 * Requests by their JSON part. Clients send the same one again and again before other bytes, so the last ones are kept.
 * @module
 */
import { fail } from '../errors.js';
import { bytesOf } from '../memory/index.js';
import { parsed } from './body.js';
import type { Model, Models } from './models.js';
import { type InferRequest, readRequest } from './request.js';

/** A request that was checked. */
export interface PreparedRequest {
  readonly request: InferRequest;
  /** The model with the options of the request. */
  readonly model: Model;
  /** The JSON part of the answer, once it was made: it is the same again where all outputs are bytes. */
  answerHead: Buffer | undefined;
  /** Whether it is. */
  readonly isAnswerFixed: boolean;
}

/** The longest JSON part that is kept, in bytes, and how many are. */
const LONGEST = 1_024;
const MOST = 256;

/** Reads requests. */
export class Requests {
  readonly #models: Models;
  readonly #maxTensor: number;
  /** By model and text. */
  readonly #kept = new Map<Model, Map<string, PreparedRequest>>();
  #count = 0;

  /** @param maxTensor most bytes of a tensor */
  constructor(models: Models, maxTensor: number) {
    this.#models = models;
    this.#maxTensor = maxTensor;
  }

  /**
   * The request of a JSON part.
   * @throws ERR_QUANTLANE_FORMAT, ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_ARGUMENT, and
   * ERR_QUANTLANE_ARENA_TOO_SMALL for a tensor with too many bytes
   */
  read(model: Model, head: Buffer): PreparedRequest {
    if (head.length > LONGEST) return this.prepare(model, parsed(head));
    const text = head.toString('latin1');
    const kept = this.#kept.get(model)?.get(text);
    if (kept !== undefined) return kept;
    const prepared = this.prepare(model, parsed(head));
    const { id, input } = prepared.request;
    // One with a name or values of its own does not come again.
    if (id === undefined && input.binaryBytes !== undefined) this.#keep(model, text, prepared);
    return prepared;
  }

  /** The request of JSON; its errors are those of `read`. */
  prepare(model: Model, json: unknown): PreparedRequest {
    const request = readRequest(json);
    const { dtype, shape, binaryBytes } = request.input;
    const bytes = bytesOf(dtype, shape);
    if (binaryBytes !== undefined && binaryBytes !== bytes) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected ${bytes} bytes for shape [${shape}], got ${binaryBytes}`);
    }
    if (bytes > this.#maxTensor) {
      throw fail(
        'ERR_QUANTLANE_ARENA_TOO_SMALL',
        `Expected a tensor of at most ${this.#maxTensor} bytes, got ${bytes}`,
      );
    }
    return {
      request,
      model: this.#models.withParameters(model, request.parameters),
      answerHead: undefined,
      isAnswerFixed: request.outputs === undefined ? request.isBinary : [...request.outputs.values()].every(Boolean),
    };
  }

  #keep(model: Model, text: string, prepared: PreparedRequest): void {
    if (this.#count === MOST) {
      this.#kept.clear();
      this.#count = 0;
    }
    const ofModel = this.#kept.get(model) ?? new Map<string, PreparedRequest>();
    this.#kept.set(model, ofModel.set(text, prepared));
    this.#count++;
  }
}
