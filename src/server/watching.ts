/**
 * Quantizes what requests bring, under a watch where there is one: a stream is a model of one's own, or a preset with the
 * name that the request gives its input.
 * @module
 */
import type { TensorLease } from '../memory/index.js';
import type { GivenParameters, GivenRange, QuantizedTensor, QuantizeOptions, Runtime } from '../runtime/index.js';
import type { Reference, StreamName, Watch } from '../watch/index.js';
import type { Model, ModelSettings, Models } from './models.js';

/** The longest name of an input that is told from others, in characters. */
const MAX_INPUT = 100;

/** Quantizes for requests. */
export class Watching {
  readonly #runtime: Runtime;
  readonly #watch: Watch | undefined;
  readonly #own: ReadonlyMap<string, StreamName>;

  /**
   * @param watch undefined for none
   * @param settings the models of one's own among `models`
   */
  constructor(runtime: Runtime, watch: Watch | undefined, models: Models, settings: readonly ModelSettings[]) {
    this.#runtime = runtime;
    this.#watch = watch;
    const nameOf = (model: ModelSettings) => [model.name, { id: model.name, reference: referenceOf(model, models) }];
    this.#own = new Map(settings.map((model) => nameOf(model) as [string, StreamName]));
  }

  /** The same as `quantize` of the runtime, with the scheme of a model. */
  quantize(
    { name, scheme }: Model,
    input: string,
    lease: TensorLease,
    options: QuantizeOptions,
  ): Promise<QuantizedTensor> {
    if (this.#watch === undefined) return this.#runtime.quantize(lease, scheme, options);
    return this.#watch.quantize(this.#streamOf(name, input), lease, scheme, (more) =>
      this.#runtime.quantize(lease, scheme, { ...options, ...more }),
    );
  }

  /** The same at once, as `quantizeSync` of the runtime. */
  quantizeNow({ name, scheme }: Model, input: string, lease: TensorLease, options: QuantizeOptions): QuantizedTensor {
    if (this.#watch === undefined) return this.#runtime.quantizeSync(lease, scheme, options);
    return this.#watch.quantizeNow(this.#streamOf(name, input), lease, scheme, (more) =>
      this.#runtime.quantizeSync(lease, scheme, { ...options, ...more }),
    );
  }

  #streamOf(name: string, input: string): StreamName {
    return this.#own.get(name) ?? { id: `${name}/${input.slice(0, MAX_INPUT)}`, reference: null };
  }
}

/** What a model was calibrated for: its range, or that of its codes; null where each request has its own. */
function referenceOf({ name, range, parameters, calibrated }: ModelSettings, models: Models): Reference | null {
  const ends = range ?? (parameters && rangeOf(parameters, models.find(name)!.scheme.codes));
  if (ends === undefined) return null;
  const [min, max] = [Math.min(0, ...listOf(ends.min)), Math.max(0, ...listOf(ends.max))];
  return { min, max, ...(calibrated ?? { seenMin: min, seenMax: max, cut: 0 }) };
}

/** The values that the smallest and the largest code stand for. */
function rangeOf({ scale, zeroPoint = 0 }: GivenParameters, [lo, hi]: readonly [number, number]): GivenRange {
  const scales = listOf(scale);
  const zeros = listOf(zeroPoint);
  const values = (code: number) => scales.map((each, at) => (code - zeros[zeros.length === 1 ? 0 : at]!) * each);
  return { min: values(lo), max: values(hi) };
}

function listOf(numbers: number | ArrayLike<number>): number[] {
  return typeof numbers === 'number' ? [numbers] : Array.from(numbers);
}
