/**
 * The part of an observer that no method changes: the values are checked, batches are counted, and all of it goes to
 * JSON and back.
 * @module
 */
import { fail, got } from '../errors.js';
import { elementsOf, type InputDtype } from '../memory/index.js';
import { perTensor } from '../scheme/index.js';
import { type CalibratedGranularity, type Survey, survey } from './channels.js';
import { Fields } from './fields.js';
import type { Bins, ObservedNonFinite, ObserverState, Range, RangeMethod, RangeObserver } from './observer.js';
import type { Reading } from './reading.js';
import { checkValues, floatsOf, type ObservedValues } from './values.js';

/** An observer without a method. */
export abstract class ObserverBase<State extends ObserverBase<State>> implements RangeObserver {
  abstract readonly method: RangeMethod;
  abstract readonly options: Readonly<Record<string, unknown>> & { readonly nonFinite: ObservedNonFinite };
  abstract readonly mergesInAnyOrder: boolean;
  #batches = 0;
  #elements = 0;
  #skipped = 0;

  get batches(): number {
    return this.#batches;
  }

  get elements(): number {
    return this.#elements;
  }

  get skipped(): number {
    return this.#skipped;
  }

  observe(values: ObservedValues, dtype: InputDtype = 'float32', shape?: readonly number[]): void {
    const steps = this.observing(values, dtype, shape);
    while (steps.next().done !== true);
  }

  *observing(
    values: ObservedValues,
    dtype: InputDtype = 'float32',
    shape?: readonly number[],
  ): Generator<void, void, void> {
    const reading = this.reading(checkValues(values, dtype).length, shape);
    let step = reading.next();
    while (step.done !== true) {
      step = reading.next(floatsOf(values, dtype, step.value));
      yield;
    }
  }

  *reading(elements: number, shape?: readonly number[]): Reading {
    if (shape !== undefined && elementsOf(shape) !== elements) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected ${elements} elements, got shape [${shape.join(', ')}]`);
    }
    const seen = yield* survey(this.granularity, elements, shape);
    const { bad: count, firstBad: first } = seen;
    if (count > 0 && this.options.nonFinite === 'error') {
      const message = `Expected finite values, got ${count} of ${elements} that are not, the first at ${first}`;
      throw fail('ERR_QUANTLANE_NON_FINITE', message, { details: { count, first } });
    }
    if (elements > count) {
      const taking = this.take(seen);
      if (taking !== undefined) yield* taking;
      this.#batches += 1;
      this.#elements += elements - count;
    }
    this.#skipped += count;
  }

  merge(other: RangeObserver): void {
    if (other === this) throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected another observer to merge, got this one');
    if (!(other instanceof ObserverBase) || other.constructor !== this.constructor) {
      const method = (other as Partial<RangeObserver> | null | undefined)?.method;
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected an observer of '${this.method}' to merge, got ${got(method)}`);
    }
    const [mine, others] = [JSON.stringify(this.options), JSON.stringify(other.options)];
    if (mine !== others) throw fail('ERR_QUANTLANE_ARGUMENT', `Expected options ${mine} to merge, got ${others}`);
    if (other.#batches > 0) this.join(other as unknown as State);
    this.#batches += other.#batches;
    this.#elements += other.#elements;
    this.#skipped += other.#skipped;
  }

  range(): Range {
    if (this.#batches === 0) {
      throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected at least one batch of values before a range, got none');
    }
    return this.decide();
  }

  ahead(): Range | null {
    return null;
  }

  histogram(): Bins | null {
    return null;
  }

  toJSON(): ObserverState {
    const { method, options, batches, elements, skipped } = this;
    return { method, options, batches, elements, skipped, state: batches === 0 ? {} : this.remembered() };
  }

  /**
   * Takes over what another observer's JSON says.
   * @internal
   */
  load(fields: Fields): void {
    const batches = fields.integer('batches');
    const elements = fields.integer('elements', { least: batches, most: batches === 0 ? 0 : Number.MAX_SAFE_INTEGER });
    const skipped = fields.integer('skipped');
    const state = fields.object('state');
    if (batches === 0) state.only();
    else this.recall(state, elements);
    this.#batches = batches;
    this.#elements = elements;
    this.#skipped = skipped;
  }

  /** Whose ranges the first look at a batch takes. */
  protected get granularity(): CalibratedGranularity {
    return perTensor as CalibratedGranularity;
  }

  /** Takes in a batch with a finite value, which it may read once more. Changes nothing before all that may fail. */
  protected abstract take(seen: Survey): Reading | undefined;

  /** Takes in another observer, which saw a batch. Throws before it changes anything. */
  protected abstract join(other: State): void;

  /** The range after at least one batch. */
  protected abstract decide(): Range;

  /** What `recall` needs, after at least one batch. */
  protected abstract remembered(): Readonly<Record<string, unknown>>;

  /** The way back of `remembered`, with the number of values that were observed. */
  protected abstract recall(state: Fields, elements: number): void;
}

/**
 * The observer of one method that `json` describes.
 * @param make - an observer of its options, which are given as fields: their errors are those of the file
 * @throws `ERR_QUANTLANE_FORMAT` where anything is not as `toJSON` gives it
 */
export function restored<Observer extends ObserverBase<Observer>>(
  json: unknown,
  method: RangeMethod,
  make: (options: never) => Observer,
): Observer {
  const fields = new Fields('ERR_QUANTLANE_FORMAT', 'observer', json);
  fields.only('method', 'options', 'batches', 'elements', 'skipped', 'state').choice('method', [method]);
  const observer = make(fields.object('options') as never);
  observer.load(fields);
  return observer;
}

/** The option `nonFinite`. */
export function nonFiniteOption(fields: Fields): ObservedNonFinite {
  return fields.choice('nonFinite', ['error', 'skip'], 'error');
}

/** The range of one parameter. */
export function rangeOf(min: number, max: number): Range {
  return { min: Float32Array.of(min), max: Float32Array.of(max) };
}
