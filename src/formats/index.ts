/**
 * Tensor files: npy and safetensors, read and written by position, never as a whole.
 * @module
 */

export type { NpyHeader } from './npy.js';
export { createNpy, npyHeader, openNpy, parseNpyHeader } from './npy.js';
export { openTensors } from './open.js';
export { createSafetensors, openSafetensors, parseSafetensorsHeader, safetensorsHeader } from './safetensors.js';
export type { Spooled } from './spool.js';
export { spool } from './spool.js';
export type { FileDtype, TensorDeclaration, TensorEntry, TensorFile, TensorWriter } from './tensor-file.js';
export { elementCount, FILE_DTYPE_BYTES, isFileDtype, MAX_DIMENSIONS, tensorBytes } from './tensor-file.js';
export type { TensorLayout } from './tensor-reader.js';
