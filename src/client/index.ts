/**
 * A client of the Open Inference Protocol, for Node and for browsers.
 * @module
 */

export type { Datatype, TensorArray } from '../protocol/index.js';
export {
  Client,
  type ClientCallOptions,
  type InferOptions,
  type ModelMetadata,
  type ServerMetadata,
  type TensorMetadata,
} from './client.js';
export { RemoteError } from './error.js';
export type { GenerateRequest } from './generate.js';
export type { ClientOptions, ClientSocket, WebSocketClass } from './options.js';
export type { BatchSource, StreamOptions } from './stream.js';
export type { ClientQuantized, ClientTensor } from './tensors.js';
