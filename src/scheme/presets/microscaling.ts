/**
 * Presets of microscaling: blocks of small floats whose scales are powers of two, and NVFP4.
 * @module
 */
import type { CodeDtype } from '../code-dtypes.js';
import { perBlock } from '../granularity.js';
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset } from './preset.js';

const BLOCKS = { axis: false, blockSize: true } as const;

const SOURCE =
  'torchao 0.19.0-dev (36027d82) prototype/mx_formats/mx_tensor.py to_mx; OCP Microscaling Formats 1.0, section 6.3';

const NOTES =
  'Blocks of 32 with a scale that is an exponent byte (E8M0). Scale rules: floor (of the standard), even, ceil, rceil. ' +
  'Ties go to even; microxcaling rounds them away from zero. A block with NaN or infinity has the scale 255.';

/** Codes of a type whose largest value is `max`, between 2^emax and 2^(emax + 1). */
function floats(emax: number): Partial<Scheme> {
  return {
    granularity: perBlock(32),
    divisor: 2 ** emax,
    powerOfTwo: 'extent-floor',
    apply: 'reciprocal',
    scaleDtype: 'float8e8m0',
  };
}

function rulesOf(max: number): NonNullable<Preset['scaleRules']> {
  return {
    floor: {},
    even: { powerOfTwo: 'extent-even' },
    ceil: { powerOfTwo: 'extent-ceil' },
    rceil: { powerOfTwo: 'scale-ceil', scaleForm: 'reciprocal', divisor: max },
  };
}

function row<const N extends string>(name: N, dtype: CodeDtype, emax: number, max: number, notes: string) {
  return {
    name,
    consumer: `Microscaling, ${name.slice(3).toUpperCase()} (OCP MX; torchao)`,
    source: SOURCE,
    notes: NOTES + notes,
    dtypes: [dtype],
    takes: BLOCKS,
    rules: floats(emax),
    scaleRules: rulesOf(max),
  } as const;
}

/** Presets of microscaling and NVFP4. */
export const MICROSCALING = [
  row('mx-fp8-e4m3', 'float8e4m3fn', 8, 448, ''),
  row('mx-fp8-e5m2', 'float8e5m2', 15, 57344, ''),
  row('mx-fp6-e3m2', 'float6e3m2', 4, 28, ' A code a byte, in the low 6 bits, as torchao has it without packing.'),
  row('mx-fp6-e2m3', 'float6e2m3', 2, 7.5, ' A code a byte, in the low 6 bits, as torchao has it without packing.'),
  row('mx-fp4', 'float4e2m1', 2, 6, ' Two codes a byte, the first in the low bits.'),
  {
    name: 'mx-int8',
    consumer: 'Microscaling, MXINT8 (OCP MX; microxcaling)',
    source: 'microxcaling (7bc41952) mx/mx_ops.py _quantize_mx, mx/elemwise_ops.py; OCP Microscaling Formats 1.0',
    notes:
      'Blocks of 32 with a scale that is an exponent byte (E8M0). A code stands for 64ths, from -127 to 127; ties go ' +
      'away from zero, as in microxcaling.',
    dtypes: ['int8'],
    takes: BLOCKS,
    rules: { ...floats(0), codes: [-127, 127], step: 1 / 64, rounding: 'half-away', nan: { code: 0, poisons: true } },
    scaleRules: rulesOf(127 / 64),
  },
  {
    name: 'nvfp4-torchao',
    consumer: 'torchao, NVFP4Tensor',
    source: 'torchao 0.19.0-dev (36027d82) prototype/mx_formats/nvfp4_tensor.py nvfp4_quantize',
    notes:
      'Blocks of 16 with a scale in E4M3FN, from 2^-6 to 448. With `tensorScale` (amax of the tensor / 2688) it has two ' +
      'levels, without it one. Two codes a byte, the first in the low bits; ties to even.',
    dtypes: ['float4e2m1'],
    takes: FIXED,
    rules: {
      granularity: perBlock(16),
      divisor: 6,
      apply: 'reciprocal',
      scaleUsed: 'stored',
      tensorScale: true,
      scaleDtype: 'float8e4m3fn',
    },
  },
] as const satisfies readonly Preset[];
