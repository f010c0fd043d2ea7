/**
 * ONNX Runtime beside a runtime: its sessions read codes where they lie and write their results into leases.
 * @module
 */
import type * as Onnx from 'onnxruntime-node';
import { fail, got } from '../../errors.js';
import { bytesIn, type InputDtype, type Ownership, TensorLease } from '../../memory/index.js';
import type { QuantizedTensor, Runtime } from '../../runtime/index.js';
import { addOutputs } from './add-outputs.js';
import { type ModelSource, readModel, writeModel } from './model.js';
import { IDENTITY } from './probe.js';
import { type Feeds, Tap } from './tap.js';

/** The module `onnxruntime-node`. */
type OnnxModule = typeof Onnx;

/** A quantized tensor as those of ONNX Runtime. */
export interface QuantizedOnnxTensors {
  /** The codes, `dataShape` of them; codes that share bytes, and blocks, as uint8. */
  readonly codes: Onnx.Tensor;
  /** The scales, of the shape of the parameters; null where they lie within the blocks. */
  readonly scale: Onnx.Tensor | null;
  /** The zero points; null for a symmetric scheme. */
  readonly zeroPoint: Onnx.Tensor | null;
}

/** Types of leases as ONNX Runtime names them. */
const LEASABLE = new Set<string>(['float32', 'float16', 'bfloat16'] satisfies InputDtype[]);

/**
 * Hands tensors to ONNX Runtime and takes them from it. On Node 22 and later it reads and writes shared memory; before,
 * every tensor is copied, which `metrics().copiedBytes` of the runtime counts.
 */
export class OnnxAdapter {
  /** Whether ONNX Runtime takes tensors on shared memory here, so that nothing is copied. */
  readonly sharesMemory: boolean;
  readonly #runtime: Runtime;
  readonly #onnx: OnnxModule;

  private constructor(runtime: Runtime, onnx: OnnxModule, sharesMemory: boolean) {
    this.#runtime = runtime;
    this.#onnx = onnx;
    this.sharesMemory = sharesMemory;
  }

  /**
   * Loads `onnxruntime-node`, which must be installed, and tries whether it takes shared memory.
   * @throws ERR_QUANTLANE_ARGUMENT where it cannot be loaded
   */
  static async create(runtime: Runtime): Promise<OnnxAdapter> {
    const onnx = await load();
    const session = await onnx.InferenceSession.create(IDENTITY);
    try {
      const data = new Float32Array(new SharedArrayBuffer(4));
      const answer = session.run({ x: new onnx.Tensor('float32', data, [1]) });
      const sharesMemory = await answer.then(
        () => true,
        () => false,
      );
      return new OnnxAdapter(runtime, onnx, sharesMemory);
    } finally {
      await session.release();
    }
  }

  /** A quantized tensor for ONNX Runtime; where memory is shared, good until it is released. */
  tensors(quantized: QuantizedTensor): QuantizedOnnxTensors {
    const { data, scale, zeroPoint, dataShape, parameterShape } = quantized;
    return {
      codes: this.#wrap(data, dataShape),
      scale: scale === null ? null : this.#wrap(scale, parameterShape, scaleType(quantized)),
      zeroPoint: zeroPoint === null ? null : this.#wrap(zeroPoint, parameterShape),
    };
  }

  /**
   * A lease for ONNX Runtime; where memory is shared, good until it is released.
   * @throws ERR_QUANTLANE_DTYPE for bfloat16, which its JavaScript interface does not know, ERR_QUANTLANE_LEASE_RELEASED
   */
  tensor(lease: TensorLease): Onnx.Tensor {
    return this.#wrap(lease.data, lease.shape, onnxType(lease));
  }

  /**
   * Runs a session and has it write results into leases, of float32 or float16, which stay the caller's as those of
   * `feeds` do; none of them may be released meanwhile, and none can be.
   * @param into leases by the names of outputs; nothing else is computed
   * @throws ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_DTYPE where an output is not of its lease's shape or type,
   * ERR_QUANTLANE_LEASE_RELEASED, and errors of ONNX Runtime
   */
  async run(session: Onnx.InferenceSession, feeds: Feeds, into: Readonly<Record<string, TensorLease>>): Promise<void> {
    const leases = [...Object.values(feeds), ...Object.values(into)].filter((each) => each instanceof TensorLease);
    const inputs = this.#inputs(feeds);
    const outputs = Object.fromEntries(
      Object.entries(into).map(([name, lease]) => [name, this.sharesMemory ? this.tensor(lease) : null]),
    );
    const targets = new Map(Object.entries(into).map(([name, lease]) => [name, { lease, data: lease.data }]));
    const tokens: Ownership[] = [];
    try {
      for (const lease of new Set(leases)) tokens.push(lease.consume());
      const results = await session.run(inputs, outputs);
      for (const [name, { lease, data }] of targets) this.#settle(name, results[name]!, lease, data);
    } finally {
      for (const token of tokens) token.restore();
    }
  }

  /**
   * Runs a session and copies outputs of any shape into leases of their own, which the caller releases.
   * @throws ERR_QUANTLANE_DTYPE for an output that is neither float32 nor float16, and errors of `acquire` and of ONNX
   * Runtime
   */
  async collect(
    session: Onnx.InferenceSession,
    feeds: Feeds,
    names: readonly string[] = session.outputNames,
  ): Promise<Map<string, TensorLease>> {
    const leases = new Map<string, TensorLease>();
    const results = await session.run(this.#inputs(feeds), [...names]);
    try {
      for (const name of names) leases.set(name, await this.#copied(name, results[name]!));
      return leases;
    } catch (error) {
      for (const lease of leases.values()) lease.release();
      throw error;
    }
  }

  /**
   * Opens a model with inner values as its outputs, to watch its activations while it runs.
   * @param names names of values that nodes of the model give; within a branch of an `If` too
   * @throws ERR_QUANTLANE_ARGUMENT for an unknown name, or one within a loop, ERR_QUANTLANE_FORMAT, and errors of ONNX
   * Runtime
   */
  async tap(
    source: ModelSource,
    names: readonly string[],
    options: Onnx.InferenceSession.SessionOptions = {},
  ): Promise<Tap> {
    const model = await readModel(source);
    const outputs = addOutputs(model, names);
    const session = await this.#onnx.InferenceSession.create(writeModel(model), options);
    const byName = new Map(names.map((name, index) => [name, outputs[index]!]));
    return new Tap(session, byName, (...run) => this.collect(...run));
  }

  #inputs(feeds: Feeds): Record<string, Onnx.Tensor> {
    return Object.fromEntries(
      Object.entries(feeds).map(([name, each]) => [name, each instanceof TensorLease ? this.tensor(each) : each]),
    );
  }

  /** A tensor on `view`, or on a copy of it. */
  #wrap(view: ArrayBufferView, shape: readonly number[], type: string = typeOf(view)): Onnx.Tensor {
    let data = view as Uint8Array;
    if (!this.sharesMemory) {
      data = data.slice();
      this.#runtime.calls.counts.copiedBytes += data.byteLength;
    }
    return new this.#onnx.Tensor(type as 'uint8', data, shape);
  }

  /** Checks a result, and copies it into its lease where ONNX Runtime did not write it there. */
  #settle(name: string, result: Onnx.Tensor, lease: TensorLease, data: ArrayBufferView): void {
    if (this.sharesMemory) return;
    if (result.type !== lease.dtype) throw wrongType(name, lease.dtype, result.type);
    if (result.dims.join() !== lease.shape.join()) {
      const text = `Expected '${name}' of shape [${lease.shape}], got [${result.dims}]`;
      throw fail('ERR_QUANTLANE_SHAPE', text, { details: { name } });
    }
    this.#copy(result, data);
  }

  async #copied(name: string, result: Onnx.Tensor): Promise<TensorLease> {
    if (!LEASABLE.has(result.type)) throw wrongType(name, 'float32 or float16', result.type);
    const lease = await this.#runtime.acquire(result.type as InputDtype, result.dims);
    this.#copy(result, lease.data);
    return lease;
  }

  #copy(result: Onnx.Tensor, to: ArrayBufferView): void {
    const from = result.data as Float32Array;
    bytesIn(to).set(bytesIn(from));
    this.#runtime.calls.counts.copiedBytes += from.byteLength;
  }
}

/** See `OnnxAdapter.create`. */
export function createOnnxAdapter(runtime: Runtime): Promise<OnnxAdapter> {
  return OnnxAdapter.create(runtime);
}

async function load(): Promise<OnnxModule> {
  try {
    // The package is CommonJS: its names are those of its default export.
    const module: { readonly default: unknown } = await import('onnxruntime-node');
    return module.default as OnnxModule;
  } catch (cause) {
    throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected the package onnxruntime-node to be installed, got none', { cause });
  }
}

/** The type of a tensor of these numbers. */
function typeOf(view: ArrayBufferView): string {
  return view.constructor.name.replace('Array', '').toLowerCase();
}

/** Scales of float16 are bits of it; those that are a byte stay bytes. */
function scaleType({ scheme, scale }: QuantizedTensor): string {
  return scheme.scaleDtype === 'float16' ? 'float16' : scheme.scaleDtype === 'float32' ? 'float32' : typeOf(scale!);
}

function onnxType({ dtype }: TensorLease): string {
  if (dtype !== 'bfloat16') return dtype;
  throw fail('ERR_QUANTLANE_DTYPE', `Expected a lease of float32 or float16 for ONNX Runtime, got ${got(dtype)}`);
}

function wrongType(name: string, expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_DTYPE', `Expected '${name}' of ${expected}, got ${actual}`, { details: { name } });
}
