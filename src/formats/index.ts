/**
 * Tensor files: npy, npz, safetensors and GGUF, read and written by position, never as a whole.
 * @module
 */

export type { GgmlTensor, GgmlType, GgmlTypeName } from './ggml-types.js';
export { GGML_TYPES } from './ggml-types.js';
export type { GgufFile } from './gguf.js';
export { createGguf, openGguf } from './gguf.js';
export type { GgufDeclaration, GgufHeader } from './gguf-header.js';
export { ggufHeader, parseGgufHeader } from './gguf-header.js';
export type { GgufArray, GgufNumberType, GgufValue, GgufValues, GgufValueType } from './gguf-values.js';
export { createNpy, openNpy } from './npy.js';
export type { NpyHeader } from './npy-header.js';
export { npyHeader, parseNpyHeader } from './npy-header.js';
export type { NpzOptions } from './npz.js';
export { createNpz, openNpz } from './npz.js';
export { openTensors } from './open.js';
export { createSafetensors, openSafetensors } from './safetensors.js';
export { parseSafetensorsHeader, safetensorsHeader } from './safetensors-header.js';
export type { Spooled } from './spool.js';
export { spool } from './spool.js';
export type {
  FileDtype,
  PackedBlocks,
  TensorDeclaration,
  TensorEntry,
  TensorFile,
  TensorWriter,
} from './tensor-file.js';
export { elementCount, FILE_DTYPE_BYTES, isFileDtype, MAX_DIMENSIONS, tensorBytes } from './tensor-file.js';
export type { TensorLayout } from './tensor-reader.js';
