/**
 * Schemes: what decides the bytes, as data.
 * @module
 */

export { BLOCK_FORMATS, type BlockFacts, type BlockFormatName } from './block-formats.js';
export {
  arrayDtype,
  CODE_DTYPES,
  CODE_FACTS,
  CODE_RANGE,
  type CodeDtype,
  codeSize,
  isIntegerCode,
  isPacked,
  packedBytes,
  type StorageDtype,
} from './code-dtypes.js';
export { defineScheme } from './define.js';
export {
  describeGranularity,
  type Granularity,
  perBlock,
  perChannel,
  perRow,
  perTensor,
  perToken,
} from './granularity.js';
export { codeBytesOf, type Layout, layoutOf } from './layout.js';
export { codeValue, minifloatCode } from './minifloat.js';
export { SCALE_RULES } from './presets/preset.js';
export {
  findPreset,
  PRESETS,
  type Preset,
  type PresetName,
  type PresetOptions,
  preset,
  resolveScheme,
  type ScaleRule,
} from './presets.js';
export {
  dataDtype,
  type NonFinitePolicy,
  type ScaleDtype,
  type Scheme,
  scaleBytes,
  type ZeroPointDtype,
  zeroPointBytes,
  zeroPointDtype,
} from './scheme.js';
export { schemeWords } from './words.js';
