/**
 * The calibration file as a JSON Schema (draft 2020-12), for editors and other readers. `readCalibration` checks more
 * than a schema can say: that numbers are float32, that ranges and edges are in order, that counts add up.
 * @module
 */
import { CODE_DTYPES, SCALE_RULES } from '../scheme/index.js';

/** The field `format` of a calibration file. */
export const CALIBRATION_FORMAT = 'quantlane-calibration';

/** The version that is written and read. */
export const CALIBRATION_VERSION = 1;

/** The most tensors of a file. */
export const MAX_CALIBRATION_TENSORS = 2 ** 16;

/** The most characters of a name. */
export const MAX_NAME = 1024;

const NUMBERS = { type: 'array', items: { type: 'number' }, minItems: 1 } as const;
const COUNT = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

/** The schema of a calibration file. */
export const CALIBRATION_SCHEMA = deepFreeze({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'quantlane calibration',
  description: 'Ranges of tensors, how they were found and for which preset.',
  type: 'object',
  additionalProperties: false,
  required: ['format', 'version', 'method', 'options', 'preset', 'tensors'],
  properties: {
    format: { const: CALIBRATION_FORMAT },
    version: { const: CALIBRATION_VERSION },
    method: { enum: ['minmax', 'moving-average', 'percentile', 'mse', 'entropy', 'histogram', 'delayed'] },
    options: { description: 'Options of the method; absent ones have their defaults.', type: 'object' },
    preset: {
      description: 'The preset that the ranges are meant for, or null.',
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'options'],
          properties: {
            name: { type: 'string', minLength: 1, maxLength: MAX_NAME },
            options: {
              type: 'object',
              additionalProperties: false,
              properties: {
                dtype: { enum: CODE_DTYPES },
                axis: { type: 'integer', minimum: -8, maximum: 7 },
                blockSize: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
                scaleRule: { enum: SCALE_RULES },
                reduceRange: { type: 'boolean' },
                nonFinite: { enum: ['error', 'saturate', 'propagate'] },
              },
            },
          },
        },
      ],
    },
    tensors: {
      description: 'By the name of the tensor.',
      type: 'object',
      minProperties: 1,
      maxProperties: MAX_CALIBRATION_TENSORS,
      propertyNames: { minLength: 1, maxLength: MAX_NAME, not: { const: '__proto__' } },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['min', 'max', 'batches', 'elements', 'skipped', 'histogram'],
        properties: {
          min: { ...NUMBERS, description: 'Smallest value of each parameter, a float32.' },
          max: { ...NUMBERS, description: 'Largest value of each parameter, a float32; as many as min.' },
          batches: { ...COUNT, minimum: 1, description: 'Batches with at least one finite value.' },
          elements: { ...COUNT, minimum: 1, description: 'Finite values.' },
          skipped: { ...COUNT, description: 'Values that were left out because they are not finite.' },
          histogram: {
            description: 'counts[i] values from edges[i] up to edges[i + 1], or null.',
            anyOf: [
              { type: 'null' },
              {
                type: 'object',
                additionalProperties: false,
                required: ['edges', 'counts'],
                properties: {
                  edges: { ...NUMBERS, minItems: 2, maxItems: 2 ** 20 + 1 },
                  counts: { type: 'array', items: { type: 'number', minimum: 0 }, minItems: 1, maxItems: 2 ** 20 },
                },
              },
            ],
          },
        },
      },
    },
  },
} as const);

/** The same value, frozen in every depth. */
function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
