/**
 * Named ways to store keys and values.
 * @module
 */
import { fail, got } from '../errors.js';
import type { KeyValueStorage } from './options.js';

/** Name of a way to store keys and values. */
export type KeyValuePresetName = 'float32' | 'fp8' | 'int8' | 'int4' | 'rotated-int4' | 'int2';

/** A row of the table. */
export interface KeyValuePreset {
  readonly name: KeyValuePresetName;
  /** What it is, in a sentence. */
  readonly notes: string;
  /** The options of a cache that it stands for. */
  readonly storage: KeyValueStorage;
}

const INT4 = { keys: { dtype: 'int4', symmetric: true }, values: { dtype: 'int4', symmetric: true } } as const;

/** The table, from the largest to the smallest. */
export const KEY_VALUE_PRESETS: readonly KeyValuePreset[] = Object.freeze<KeyValuePreset[]>([
  {
    name: 'float32',
    notes: 'Nothing is quantized.',
    storage: {},
  },
  {
    name: 'fp8',
    notes: 'E4M3FN with a scale a token and head.',
    storage: { keys: { dtype: 'fp8' }, values: { dtype: 'fp8' } },
  },
  {
    name: 'int8',
    notes: 'Symmetric, with a scale a token and head.',
    storage: { keys: { dtype: 'int8' }, values: { dtype: 'int8' } },
  },
  {
    name: 'int4',
    notes: 'Symmetric, with a scale a token and head.',
    storage: INT4,
  },
  {
    name: 'rotated-int4',
    notes: 'The same, each head rotated first.',
    storage: { ...INT4, rotate: true },
  },
  {
    name: 'int2',
    notes:
      'As KIVI: keys affine per channel in blocks of 32 tokens, values affine per token and head, the last 32 tokens kept.',
    storage: {
      keys: { dtype: 'int2', granularity: 'perChannel' },
      values: { dtype: 'int2' },
      residual: 32,
    },
  },
]);

/**
 * The options that a name stands for, to be spread into those of a cache.
 * @throws ERR_QUANTLANE_PRESET for an unknown name
 */
export function keyValuePreset(name: KeyValuePresetName | (string & {})): KeyValueStorage {
  const found = KEY_VALUE_PRESETS.find((row) => row.name === name);
  if (found !== undefined) return found.storage;
  const names = KEY_VALUE_PRESETS.map((row) => row.name).join(', ');
  throw fail('ERR_QUANTLANE_PRESET', `Expected a way to store keys and values (${names}), got ${got(name)}`);
}
