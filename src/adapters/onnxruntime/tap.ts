/**
 * A tapped model: a session whose inner values come out as a stream.
 * @module
 */
import type * as Onnx from 'onnxruntime-node';
import { fail } from '../../errors.js';
import type { TensorLease } from '../../memory/index.js';

/** What goes into a session by name: tensors of ONNX Runtime, or leases, which stay the caller's. */
export type Feeds = Readonly<Record<string, Onnx.Tensor | TensorLease>>;

/** Runs a session and copies outputs into leases, by name. */
type Collect = (
  session: Onnx.InferenceSession,
  feeds: Feeds,
  names: readonly string[],
) => Promise<Map<string, TensorLease>>;

/** An inner value of one run of the model. */
export interface Activation {
  /** The name that was asked for. */
  readonly name: string;
  /** Number of the run, from 0. */
  readonly run: number;
  /** The values, in a lease that is the taker's. */
  readonly tensor: TensorLease;
}

/** A model with inner values as outputs. Made by `OnnxAdapter.tap`. */
export class Tap {
  /** The session; its other outputs are those of the model. */
  readonly session: Onnx.InferenceSession;
  readonly #collect: Collect;
  /** Names of outputs by the names of values. */
  readonly #outputs: ReadonlyMap<string, string>;

  /** @internal */
  constructor(session: Onnx.InferenceSession, outputs: ReadonlyMap<string, string>, collect: Collect) {
    this.session = session;
    this.#outputs = outputs;
    this.#collect = collect;
  }

  /** Names of the values. */
  get names(): readonly string[] {
    return [...this.#outputs.keys()];
  }

  /**
   * Runs the model once for all of `inputs`, one after the other as the values are taken, and gives the values of each
   * run in the order of `names`; those of a branch that did not run are left out. Errors are those of `collect`.
   */
  async *activations(inputs: AsyncIterable<Feeds> | Iterable<Feeds>): AsyncGenerator<Activation, void, undefined> {
    let run = 0;
    for await (const feeds of inputs) {
      const leases = await this.#collect(this.session, feeds, [...this.#outputs.values()]);
      try {
        for (const [name, output] of this.#outputs) {
          const tensor = leases.get(output)!;
          leases.delete(output);
          if (tensor.elements === 0) tensor.release();
          else yield { name, run, tensor };
        }
      } finally {
        for (const lease of leases.values()) lease.release();
      }
      run++;
    }
  }

  /**
   * The values of one name, a batch for each run: a source for `runtime.stream`.
   * @throws ERR_QUANTLANE_ARGUMENT for a name that is not tapped
   */
  async *batches(
    name: string,
    inputs: AsyncIterable<Feeds> | Iterable<Feeds>,
  ): AsyncGenerator<TensorLease, void, undefined> {
    const output = this.#outputs.get(name);
    if (output === undefined) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected one of ${this.names.join(', ')}, got '${name}'`);
    }
    const only = new Tap(this.session, new Map([[name, output]]), this.#collect);
    for await (const { tensor } of only.activations(inputs)) yield tensor;
  }

  /** Ends the session. */
  async release(): Promise<void> {
    await this.session.release();
  }

  /** The same as `release`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
