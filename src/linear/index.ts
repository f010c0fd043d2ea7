/**
 * Linear layers of int8, 4-bit and float weights.
 * @module
 */

export { createLinear, type LinearOptions } from './create.js';
export { type WeightKind, weightScheme } from './kinds.js';
export { type ForwardOptions, Linear, type LinearInput } from './layer.js';
