/**
 * The server of the Open Inference Protocol.
 * @module
 */

export { type Calibrated, calibratedValues } from '../watch/index.js';
export type { GeneratorSettings, TextOptions, TextPiece, TextSource } from './generation.js';
export type { ModelSettings } from './models.js';
export type { LogTarget, ServerOptions } from './options.js';
export { QuantlaneServer } from './server.js';
