/**
 * Quantized key/value caches of transformers: append tokens, attend from the codes, fork, cut, park and resume.
 * @module
 */

export {
  type AttendOptions,
  createKeyValueCache,
  KeyValueCache,
  resumeKeyValueCache,
  type TokenBytes,
} from './cache.js';
export type {
  CacheDtype,
  KeyOptions,
  KeyValueCacheOptions,
  KeyValueFormat,
  KeyValueStorage,
  ValueOptions,
} from './options.js';
export { CACHE_FORMAT, CACHE_VERSION } from './park.js';
export { KEY_VALUE_PRESETS, type KeyValuePreset, type KeyValuePresetName, keyValuePreset } from './presets.js';
