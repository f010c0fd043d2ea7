/**
 * Text from models of the Llama architecture, with quantized activations, weights, keys and values.
 * @module
 */

export type { Arithmetic, LaneOptions } from './arithmetic.js';
export { onLanes, PLAIN } from './arithmetic.js';
export type { AttentionCache, AttentionInput, AttentionSizes, Caches } from './cache.js';
export type { LlamaConfig } from './config.js';
export { llamaConfig } from './config.js';
export { TextGenerator } from './generator.js';
export type { ErrorListener } from './lane-projection.js';
export type { Segment } from './model.js';
export { LlamaModel } from './model.js';
export type { Prediction } from './perplexity.js';
export { agreement, predict } from './perplexity.js';
export type { Projection, Projector, Weights } from './projection.js';
export type { RotaryConfig, RotaryScaling } from './rotary-config.js';
export type { SamplingOptions } from './sampler.js';
export type { GeneratedToken, GenerateOptions, ParkedSession } from './session.js';
export { Session } from './session.js';
export { TextCodec, TextStream } from './text.js';
