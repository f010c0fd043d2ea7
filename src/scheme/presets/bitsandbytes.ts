/**
 * Presets of small codes: bitsandbytes and QuaRot.
 * @module
 */
import { perBlock } from '../granularity.js';
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset } from './preset.js';

const BLOCKS = { axis: false, blockSize: true } as const;

/** Blocks of the whole tensor, scaled by their amax; the scale is stored, and 1e-38 at least divides. */
const TABLE: Partial<Scheme> = {
  granularity: perBlock(64, null),
  divisor: 1,
  apply: 'reciprocal',
  raggedDivides: true,
  mostMultiplier: Math.fround(1 / Math.fround(1e-38)),
  packing: 'high-first',
};

/** Presets of small codes. */
export const BITSANDBYTES = [
  {
    name: 'bnb-int8',
    consumer: 'bitsandbytes, LLM.int8(): int8_vectorwise_quant',
    source: 'bitsandbytes/backends/default/ops.py, int8_vectorwise_quant and int8_vectorwise_dequant',
    notes:
      'Columns with a value of at least the threshold of 6 are kept apart, their codes are 0. The scale is the absmax of a row without such values. bitsandbytes leaves the codes of a row of zeros to the processor; here they are 0. CUDA divides approximately.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      codes: [-127, 127],
      apply: 'direct',
      nan: { code: 0, poisons: true },
      outliers: { threshold: 6 },
    },
  },
  {
    name: 'bnb-nf4',
    consumer: 'bitsandbytes, quantize_nf4',
    source: 'bitsandbytes (95f9af30) bitsandbytes/backends/default/ops.py quantize_4bit; csrc/kernels.cu dQuantizeNF4',
    notes:
      'Blocks of 64 of the whole tensor, row after row; the scale is amax. Two codes a byte, the first in the high bits. ' +
      'Ties go to the lower place. Values of a last block that is shorter are divided by amax, others multiplied by its inverse.',
    dtypes: ['nf4'],
    takes: BLOCKS,
    rules: { ...TABLE, nan: { code: 7, poisons: true } },
  },
  {
    name: 'bnb-fp4',
    consumer: 'bitsandbytes, quantize_fp4',
    source: 'bitsandbytes (95f9af30) bitsandbytes/backends/default/ops.py quantize_4bit; csrc/kernels.cu dQuantizeFP4',
    notes: 'As bnb-nf4, with the 4-bit floats of bitsandbytes, which are not E2M1. What is negative has the bit 8.',
    dtypes: ['fp4'],
    takes: BLOCKS,
    rules: { ...TABLE, nan: { code: 0, poisons: true } },
  },
  {
    name: 'quarot-int4',
    consumer: 'QuaRot, sym_quant',
    source: 'QuaRot (5008669b) quarot/nn/quantization.py, quarot/kernels/quant.cu',
    notes:
      'A float16 scale amax / 7 for every row, by which values are divided in float16. Rotate the rows first. Two codes ' +
      'a byte, the first in the low bits. A row of zeros has scale 1, as in its fake quantizer.',
    dtypes: ['int4'],
    takes: FIXED,
    rules: {
      divisor: 7,
      apply: 'divide-float16',
      scaleUsed: 'stored',
      scaleDtype: 'float16',
      allZero: { on: 'extent', scale: 1, multiplier: 1 },
      nan: { code: 0, poisons: true },
    },
  },
] as const satisfies readonly Preset[];
