/**
 * What the server offers under the name of a model: every preset, and named schemes with a range or parameters of their
 * own.
 * @module
 */
import { fail, got } from '../errors.js';
import type { GivenParameters, GivenRange, SchemeInput } from '../runtime/index.js';
import { PRESETS, type PresetOptions, preset, resolveScheme, type Scheme } from '../scheme/index.js';
import type { Calibrated } from '../watch/index.js';

/** A model of one's own. */
export interface ModelSettings {
  /** Its name in addresses: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  readonly scheme: SchemeInput;
  /** The range of all requests, such as a calibrated one. */
  readonly range?: GivenRange;
  /** Scale and zero point of all requests, for a scheme whose parameters are given. */
  readonly parameters?: GivenParameters;
  /** Values that range or parameters were calibrated with, for the dashboard; default: those within the range. */
  readonly calibrated?: Calibrated;
}

/** What a request is quantized with. */
export interface Model {
  readonly name: string;
  readonly scheme: Scheme;
  readonly given: { readonly range?: GivenRange; readonly parameters?: GivenParameters };
}

/** Parameters of a request that are options of a preset. */
const OPTIONS: Readonly<Record<string, keyof PresetOptions>> = {
  dtype: 'dtype',
  axis: 'axis',
  block_size: 'blockSize',
  reduce_range: 'reduceRange',
  threshold: 'threshold',
  scale_rule: 'scaleRule',
  non_finite: 'nonFinite',
};

/** What a model may be called. */
export const MODEL_NAME = /^[\w.-]{1,100}$/;

/** The models of a server. */
export class Models {
  readonly #own = new Map<string, Model>();
  readonly #presets = new Map<string, Model>();

  /** @throws ERR_QUANTLANE_ARGUMENT for a name that is none, is taken, or for a wrong scheme */
  constructor(settings: readonly ModelSettings[]) {
    for (const { name } of PRESETS) this.#presets.set(name, { name, scheme: preset(name), given: {} });
    for (const { name, scheme, range, parameters } of settings) {
      if (typeof name !== 'string' || !MODEL_NAME.test(name)) {
        throw fail(
          'ERR_QUANTLANE_ARGUMENT',
          `Expected a model's name of letters, digits, -, _ and ., got ${got(name)}`,
        );
      }
      if (this.#presets.has(name) || this.#own.has(name)) {
        throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a name of its own for each model, got '${name}' again`);
      }
      const given = { ...(range !== undefined && { range }), ...(parameters !== undefined && { parameters }) };
      this.#own.set(name, { name, scheme: resolveScheme(scheme), given });
    }
  }

  /** Names of all, one's own first. */
  get names(): string[] {
    return [...this.#own.keys(), ...this.#presets.keys()];
  }

  /** A model by name; undefined where there is none. */
  find(name: string): Model | undefined {
    return this.#own.get(name) ?? this.#presets.get(name);
  }

  /**
   * The model with what a request has among its parameters, for a preset: its options, and one `scale` and `zero_point`, or
   * one range from `min` to `max`.
   * @throws ERR_QUANTLANE_ARGUMENT for an option of a model of one's own, or a parameter that is none; errors of `preset`
   */
  withParameters(model: Model, parameters: Readonly<Record<string, unknown>>): Model {
    const options: Record<string, unknown> = {};
    const { binary_data_output: _, scale, zero_point: zeroPoint, min, max, ...rest } = parameters;
    for (const [name, value] of Object.entries(rest)) {
      const option = OPTIONS[name];
      if (option === undefined) {
        const known = [...Object.keys(OPTIONS), 'scale', 'zero_point', 'min', 'max'].join(', ');
        throw fail('ERR_QUANTLANE_ARGUMENT', `Expected parameters among ${known}, got '${name}'`);
      }
      options[option] = value;
    }
    const given: Record<string, unknown> = {};
    if (scale !== undefined || zeroPoint !== undefined) {
      given['parameters'] = { scale, ...(zeroPoint !== undefined && { zeroPoint }) };
    }
    if (min !== undefined || max !== undefined) given['range'] = { min, max };
    if (Object.keys(options).length + Object.keys(given).length === 0) return model;
    if (!this.#presets.has(model.name)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected no options for '${model.name}', which has its own, got some`);
    }
    return { ...model, scheme: preset(model.name, options as PresetOptions), given };
  }
}
