/**
 * Schemes: what decides the bytes, as data.
 * @module
 */

export { BLOCK_FORMATS, type BlockFacts, type BlockFormatName } from './block-formats.js';
export { defineScheme } from './define.js';
export { describeGranularity, type Granularity, perBlock, perChannel, perTensor, perToken } from './granularity.js';
export { codeBytesOf, type Layout, layoutOf } from './layout.js';
export {
  findPreset,
  PRESETS,
  type Preset,
  type PresetName,
  type PresetOptions,
  preset,
  resolveScheme,
} from './presets.js';
export {
  CODE_RANGE,
  type CodeDtype,
  codeSize,
  dataDtype,
  type NonFinitePolicy,
  type Scheme,
  scaleBytes,
  zeroPointBytes,
  zeroPointDtype,
} from './scheme.js';
export { schemeWords } from './words.js';
