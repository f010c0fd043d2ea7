/**
 * What the calls about codes do with a tensor: which jobs they need, and what they make of them.
 * @module
 */
import type { Arena } from '../memory/index.js';
import type { Calls, Survey, Work } from './calls.js';
import type { Input } from './input.js';
import { packJob, quantizeJob, type RangeResult, rangeJob, readRange } from './jobs.js';
import { checkOutcome } from './outcome.js';
import { findOutliers, planWith } from './outliers.js';
import type { Plan, Planner, QuantizeOptions, SchemeInput } from './plan.js';
import { QuantizedTensor } from './quantized.js';

/** Makes the work of each call. */
export class Works {
  readonly #calls: Calls;
  readonly #planner: Planner;
  readonly #arena: Arena;

  constructor(calls: Calls, planner: Planner, arena: Arena) {
    this.#calls = calls;
    this.#planner = planner;
    this.#arena = arena;
  }

  /** Codes and parameters of `input`; where outliers are kept apart, after a pass that finds them. */
  quantize(
    input: Input,
    scheme: SchemeInput,
    options: QuantizeOptions,
  ): Work<QuantizedTensor> | Survey<QuantizedTensor> {
    const plan = this.#planner.plan(scheme, input.dtype, input.shape, options);
    const { outliers } = plan.scheme;
    if (outliers === null) return this.#codes(plan, input, options);
    const apart = (columns: ArrayLike<number>) => this.#codes(planWith(plan, columns.length), input, options, columns);
    if (options.outliers !== undefined) return apart(options.outliers);
    if (outliers.threshold === 0) return apart([]);
    const { found, ...pass } = findOutliers(plan, input, this.#arena.buffer);
    return { ...pass, next: (outcome, lease) => apart(found(outcome, lease)) };
  }

  #codes(plan: Plan, input: Input, options: QuantizeOptions, columns?: ArrayLike<number>): Work<QuantizedTensor> {
    const { buffer } = this.#arena;
    return {
      bytes: plan.parts.bytes,
      job: (lease) => quantizeJob(plan, options, buffer, input, lease, columns),
      more:
        plan.packing === null
          ? undefined
          : (outcome, lease) => {
              checkOutcome(outcome, plan.scheme);
              return packJob(plan, lease);
            },
      result: (outcome, lease) => {
        checkOutcome(outcome, plan.scheme);
        this.#calls.counts.elements += plan.layout.elements;
        return new QuantizedTensor(lease, plan, buffer);
      },
    };
  }

  /** The ranges of `input`, copied to ordinary memory. */
  range(input: Input, scheme: SchemeInput): Work<RangeResult> {
    const plan = this.#planner.planRange(scheme, input.dtype, input.shape);
    return {
      bytes: plan.layout.parameters * 8,
      job: (lease) => rangeJob(plan, input, lease),
      result: (outcome, lease) => {
        checkOutcome(outcome, plan.scheme);
        const range = readRange(plan, outcome, this.#arena.buffer, lease);
        lease.release();
        return range;
      },
    };
  }

  /** The outlier columns of `input`. */
  outliers(input: Input, scheme: SchemeInput): Work<Int32Array> {
    const plan = this.#planner.plan(scheme, input.dtype, input.shape, {});
    const { found, ...pass } = findOutliers(plan, input, this.#arena.buffer);
    return {
      ...pass,
      result: (outcome, lease) => {
        const columns = found(outcome, lease);
        lease.release();
        return columns;
      },
    };
  }
}
