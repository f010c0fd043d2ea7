/**
 * A linear layer: y = x · Wᵀ + b on the lanes of a runtime.
 * @module
 */
import { fail, got } from '../errors.js';
import type { Lease, TensorLease } from '../memory/index.js';
import {
  QuantizedTensor,
  type QuantizeOptions,
  type Runtime,
  type SchemeInput,
  type TensorInput,
} from '../runtime/index.js';
import type { WeightKind } from './kinds.js';
import { floatWork, multiply, multiplyNow, type Weights } from './multiply.js';
import type { LinearPlan } from './plan.js';

/** How a layer is applied: as `quantize` is, where it quantizes its input. */
export type ForwardOptions = Omit<QuantizeOptions, 'stats' | 'outliers' | 'tensorScale'>;

/** What a layer is applied to: values, or for weights of int8 codes what was quantized before. */
export type LinearInput = TensorInput | QuantizedTensor;

/** A linear layer. Made by `createLinear`; its weights are in one lease until `release`. */
export class Linear {
  /** What the weights are kept as. */
  readonly weights: WeightKind;
  /** Values of a row of the input. */
  readonly inputs: number;
  /** Values of a row of the result. */
  readonly outputs: number;
  /** Inputs that share a scale; all of them where an output has one scale or none. */
  readonly groupSize: number;
  /** What rows are quantized with; null where they stay floats. */
  readonly activations: SchemeInput | null;
  readonly #runtime: Runtime;
  readonly #plan: LinearPlan;
  readonly #lease: Lease;
  /** Calls that read the weights. */
  #readers = 0;
  #isReleased = false;

  /** @internal Layers are made by `createLinear`. */
  constructor(runtime: Runtime, plan: LinearPlan, lease: Lease, activations: SchemeInput | null) {
    this.weights = plan.kind;
    this.inputs = plan.inputs;
    this.outputs = plan.outputs;
    this.groupSize = plan.group;
    this.activations = activations;
    this.#runtime = runtime;
    this.#plan = plan;
    this.#lease = lease;
  }

  /** Bytes of weights, scales, sums and bias. */
  get byteLength(): number {
    return this.#plan.bytes;
  }

  /** Whether it has been given back. */
  get released(): boolean {
    return this.#isReleased;
  }

  /**
   * Applies the layer to rows (equations L3 to L6 of docs/linear.md). The bits of a row's result do not depend on lanes,
   * kernels or other rows, unless it is quantized with one scale of all rows.
   *
   * A lease is used up, as by `quantize`, unless `keep` is set; a tensor that is quantized already stays the caller's, who
   * must not release it meanwhile. Several layers of the same inputs can share it.
   * @param x values of shape [..., inputs]; float32 where the layer does not quantize them
   * @returns a lease of float32 of shape [..., outputs]; release it
   * @throws ERR_QUANTLANE_LEASE_RELEASED for a layer that was released, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_DTYPE,
   * ERR_QUANTLANE_ARGUMENT for codes that are no factors, and errors of `quantize`
   */
  async forward(x: LinearInput, options: ForwardOptions = {}): Promise<TensorLease<'float32'>> {
    const weights = this.#enter();
    const runtime = this.#runtime;
    try {
      if (this.activations === null) {
        return await runtime.calls.run(valuesOf(x, this), options, (input) => floatWork(runtime, weights, input));
      }
      if (x instanceof QuantizedTensor) return await multiply(runtime, weights, x, options.signal);
      const q = await runtime.quantize(x, this.activations, options);
      try {
        return await multiply(runtime, weights, q, options.signal);
      } finally {
        q.release();
      }
    } finally {
      this.#leave();
    }
  }

  /** The same at once, on this thread, however long that takes. Errors are those of `forward` and of `quantizeSync`. */
  forwardSync(x: LinearInput, options: ForwardOptions = {}): TensorLease<'float32'> {
    const weights = this.#enter();
    const runtime = this.#runtime;
    try {
      if (this.activations === null) {
        const keep = options.keep === true;
        return runtime.calls.runNow(valuesOf(x, this), keep, (input) => floatWork(runtime, weights, input));
      }
      if (x instanceof QuantizedTensor) return multiplyNow(runtime, weights, x);
      const q = runtime.quantizeSync(x, this.activations, options);
      try {
        return multiplyNow(runtime, weights, q);
      } finally {
        q.release();
      }
    } finally {
      this.#leave();
    }
  }

  /** Gives the weights back, once the calls that read them are over; a second time is ERR_QUANTLANE_DOUBLE_RELEASE. */
  release(): void {
    if (this.#isReleased) {
      throw fail('ERR_QUANTLANE_DOUBLE_RELEASE', 'Expected to release a layer once, got one that was released before');
    }
    this.#isReleased = true;
    if (this.#readers === 0) this.#lease.release();
  }

  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }

  /** The weights, which stay until `#leave`. */
  #enter(): Weights {
    if (this.#isReleased) throw fail('ERR_QUANTLANE_LEASE_RELEASED', 'Expected a layer, got one that was released');
    this.#readers++;
    return { plan: this.#plan, byteOffset: this.#lease.byteOffset };
  }

  #leave(): void {
    this.#readers--;
    if (this.#isReleased && this.#readers === 0) this.#lease.release();
  }
}

/** Values that are not codes. */
function valuesOf(x: LinearInput, { weights }: Linear): TensorInput {
  if (!(x instanceof QuantizedTensor)) return x;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected float32 values for weights as ${weights}, got ${got(x)}`);
}
