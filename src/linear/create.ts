/**
 * Makes linear layers: weights are quantized and laid out for the kernels once.
 * @module
 */
import { fail, got } from '../errors.js';
import type { Lease } from '../memory/index.js';
import type { Work } from '../runtime/calls.js';
import { QuantizedTensor, type Runtime, type SchemeInput, type TensorInput } from '../runtime/index.js';
import type { Input } from '../runtime/input.js';
import { NOWHERE } from '../runtime/job.js';
import { checkDone } from '../runtime/outcome.js';
import { Panel } from '../scheme/descriptor.js';
import { resolveScheme } from '../scheme/index.js';
import { codesAt } from './codes-at.js';
import { checkFactor, kindOf, type WeightKind, weightScheme } from './kinds.js';
import { Linear } from './layer.js';
import { hasCodes, type LinearPlan, planLinear, weightsKind } from './plan.js';

/** What a layer is made of. */
export interface LinearOptions {
  /**
   * Weights of shape [outputs, inputs], row-major, finite where they are quantized. Or int8 codes that were quantized
   * before, symmetric, with a scale for each output or each group of its inputs.
   */
  readonly weight: TensorInput | QuantizedTensor;
  /** A number for each output; default none, which is as zeros. */
  readonly bias?: ArrayLike<number>;
  /** What the weights are kept as; default `int8`. */
  readonly weights?: WeightKind;
  /** Inputs that share a scale, a multiple of 8; default 128 for `int8-groups` and 32 for `int4`. */
  readonly groupSize?: number;
  /**
   * How rows are quantized, for weights as `int8` and `int8-groups`: a preset's name or a scheme with int8 or uint8 codes
   * per token or tensor; default `vllm-int8-per-token`. For the other weights `none`, which is their default.
   */
  readonly activations?: SchemeInput | 'none';
  /** A lease of weights stays the caller's; quantized weights always do. */
  readonly keep?: boolean;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a linear layer. Its weights are quantized, if they are to be, and laid out in the arena once, in one lease that all
 * lanes share; release the layer to give it back.
 *
 * The work is done by the lanes and may take long for the caller's thread where there are none; the event loop gets its
 * turns.
 * @throws ERR_QUANTLANE_ARGUMENT for wrong options, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_DTYPE for floats of a type that the
 * weights do not have, ERR_QUANTLANE_PRESET, and errors of `quantize`
 */
export async function createLinear(runtime: Runtime, options: LinearOptions): Promise<Linear> {
  const { weight, weights = 'int8', groupSize } = options;
  const activations = activationsOf(weights, options.activations);
  const plan = planLinear(weights, weight.shape, groupSize);
  const bias = biasOf(plan, options.bias);
  const { keep = false, signal } = options;
  const given = { keep, ...(signal !== undefined && { signal }) };
  const layer = (lease: Lease) => new Linear(runtime, plan, lease, activations);
  if (!hasCodes(plan)) {
    const tensor = floatsOf(weight, weights);
    const lease = await runtime.calls.run(tensor, given, (input) => layFloats(runtime, plan, bias, input));
    return layer(lease);
  }
  if (weight instanceof QuantizedTensor) {
    checkWeights(weight, plan);
    return layer(await layCodes(runtime, plan, bias, weight, signal));
  }
  const q = await runtime.quantize(weight, weightScheme(weights, groupSize), given);
  try {
    return layer(await layCodes(runtime, plan, bias, q, signal));
  } finally {
    q.release();
  }
}

/** How rows are quantized; null for not at all. */
function activationsOf(weights: WeightKind, given: SchemeInput | undefined): SchemeInput | null {
  const { isInteger } = kindOf(weights);
  if (!isInteger) {
    if (given === undefined || given === 'none') return null;
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected activations 'none' for weights as ${weights}, got ${nameOf(given)}`);
  }
  const scheme = resolveScheme(given ?? 'vllm-int8-per-token');
  checkFactor(scheme, 'activations');
  return scheme;
}

function nameOf(given: SchemeInput): string {
  return typeof given === 'string' ? got(given) : got(given.name);
}

/** The bias of every output of the panels. */
function biasOf({ outputs, panels }: LinearPlan, given: ArrayLike<number> | undefined): Float32Array {
  const bias = new Float32Array(panels * Panel.Outputs);
  if (given === undefined) return bias;
  if (typeof given !== 'object' || given === null || given.length !== outputs) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected ${outputs} numbers as bias, got ${got(given?.length ?? given)}`);
  }
  bias.set(given);
  return bias;
}

/** Weights that stay floats. */
function floatsOf(weight: TensorInput | QuantizedTensor, weights: WeightKind): TensorInput {
  if (!(weight instanceof QuantizedTensor) && (weights === 'float32' || weight.dtype === weights)) return weight;
  const { dtype } = weight;
  const text = weight instanceof QuantizedTensor ? got(weight) : dtype;
  throw fail('ERR_QUANTLANE_DTYPE', `Expected floats of type ${weights} to keep as ${weights}, got ${text}`);
}

/** @throws ERR_QUANTLANE_ARGUMENT for codes that are no weights of the plan */
function checkWeights(
  { scheme, plan: { layout } }: QuantizedTensor,
  { kind, inputs, group, groups }: LinearPlan,
): void {
  const { dtype, symmetric, scaleDtype } = scheme;
  const isGrouped = groups === 1 ? layout.group === inputs : layout.group === group;
  const isPlain = scheme.layout === 'planar' && scheme.outliers === null && !scheme.tensorScale && scheme.step === 1;
  const isCodes = dtype === 'int8' && symmetric && scaleDtype === 'float32' && isPlain;
  if (kind !== 'int4' && isCodes && isGrouped) return;
  const text = `Expected symmetric int8 codes with a float32 scale for ${group} inputs each, to keep as ${kind}`;
  throw fail('ERR_QUANTLANE_ARGUMENT', `${text}; got '${scheme.name}'`);
}

/** The work of laying floats out. */
function layFloats({ engine }: Runtime, plan: LinearPlan, bias: Float32Array, input: Input): Work<Lease> {
  return {
    bytes: plan.bytes,
    job: (lease) => {
      writeBias(engine.arena.buffer, plan, bias, lease);
      const places = { ...NOWHERE, values: input.byteOffset, codes: lease.byteOffset };
      return { kind: weightsKind(plan, input.dtype), places };
    },
    result: (outcome, lease) => {
      checkDone(outcome);
      return lease;
    },
  };
}

/** Codes laid out in a lease of their own. */
async function layCodes(
  { engine, calls }: Runtime,
  plan: LinearPlan,
  bias: Float32Array,
  q: QuantizedTensor,
  signal: AbortSignal | undefined,
): Promise<Lease> {
  const { arena, scheduler } = engine;
  engine.assertOpen();
  const token = q.consume();
  calls.enter();
  let lease: Lease | undefined;
  try {
    const holding = token.allocatedBytes;
    lease = arena.tryLease(plan.bytes) ?? (await arena.acquire(plan.bytes, { signal, holding }));
    signal?.throwIfAborted();
    writeBias(arena.buffer, plan, bias, lease);
    const start = lease.byteOffset;
    const { values, scale } = codesAt(q, token);
    const to = { codes: start, rangeLow: start + plan.scales, zeroPoint: start + plan.sums };
    const job = { kind: weightsKind(plan, 'float32'), places: { ...NOWHERE, values, scale, ...to } };
    checkDone(await scheduler.run(job, signal));
    return lease;
  } catch (error) {
    lease?.release();
    throw error;
  } finally {
    token.restore();
    calls.leave();
  }
}

function writeBias(buffer: SharedArrayBuffer, plan: LinearPlan, bias: Float32Array, lease: Lease): void {
  new Float32Array(buffer, lease.byteOffset + plan.bias, bias.length).set(bias);
}
