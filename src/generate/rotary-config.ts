/**
 * How positions turn into angles: the base, and the scaling of models that were stretched to longer texts.
 * @module
 */
import { describe, refuse } from '../formats/refusals.js';

/** Frequencies divided by `factor`, all of them (`linear`) or the low ones (`llama3`). */
export type RotaryScaling =
  | { readonly type: 'default' }
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      /** Wavelengths above `original / lowFactor` are scaled, those below `original / highFactor` are not. */
      readonly lowFactor: number;
      readonly highFactor: number;
      /** Tokens of the longest text before the model was stretched. */
      readonly original: number;
    };

/** How positions turn into angles. */
export interface RotaryConfig {
  /** Pair i of a head of d values has the frequency base^(−2i/d). */
  readonly base: number;
  readonly scaling: RotaryScaling;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * `rope_theta` and `rope_scaling` of a `config.json`, or both in `rope_parameters`.
 * @throws ERR_QUANTLANE_FORMAT for a kind of scaling other than `default`, `linear` and `llama3`
 */
export function rotaryConfig(config: Json, where: string): RotaryConfig {
  const given = config['rope_parameters'] ?? config['rope_scaling'] ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw refuse(where, `Expected rope_scaling to be an object, got ${describe(given)}`);
  }
  const rope = given as Json;
  const base = positive(config['rope_theta'] ?? rope['rope_theta'] ?? 10_000, 'rope_theta', where);
  return { base, scaling: scalingOf(rope, where) };
}

function scalingOf(rope: Json, where: string): RotaryScaling {
  const type = rope['rope_type'] ?? rope['type'] ?? 'default';
  const number = (name: string): number => positive(rope[name], name, where);
  switch (type) {
    case 'default':
      return { type: 'default' };
    case 'linear':
      return { type: 'linear', factor: number('factor') };
    case 'llama3': {
      const lowFactor = number('low_freq_factor');
      const highFactor = number('high_freq_factor');
      const original = number('original_max_position_embeddings');
      if (highFactor > lowFactor) return { type: 'llama3', factor: number('factor'), lowFactor, highFactor, original };
      throw refuse(where, `Expected high_freq_factor above ${lowFactor}, got ${highFactor}`);
    }
    default:
      throw refuse(where, `Expected rope_type "default", "linear" or "llama3", got ${describe(type)}`);
  }
}

function positive(value: unknown, name: string, where: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw refuse(where, `Expected ${name} to be a positive number, got ${describe(value)}`);
}
