/**
 * Presets of ggml and llama.cpp. Each is a block format, whose rules docs/quantization.md spells out.
 * @module
 */
import { FIXED, type Preset, rulesOf } from './preset.js';

/** Presets of ggml and llama.cpp. */
export const GGML = [
  {
    name: 'ggml-q8_0',
    consumer: 'ggml, llama.cpp: Q8_0 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q8_0_ref',
    notes:
      'The reference. ggml on ARM rounds half to even, on x86 as ggml-q8_0-x86 does, and on WebAssembly it cuts off. ' +
      'Rows are multiples of 32.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('q8_0'),
  },
  {
    name: 'ggml-q8_0-x86',
    consumer: 'ggml, llama.cpp on x86: Q8_0 blocks of activations and caches',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-cpu/arch/x86/quants.c quantize_row_q8_0',
    notes: 'Multiplies by 127 / amax and rounds half to even. Rows are multiples of 32.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('q8_0-x86'),
  },
  {
    name: 'ggml-q8_1',
    consumer: 'ggml, llama.cpp: Q8_1 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q8_1_ref',
    notes: 'As Q8_0, with the sum of the codes times the scale. x86, ARM and WebAssembly round as they do for Q8_0.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('q8_1'),
  },
  {
    name: 'ggml-q8_K',
    consumer: 'ggml, llama.cpp: Q8_K blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q8_K_ref',
    notes:
      'Blocks of 256. Where +amax and -amax are both there, ggml on WebAssembly takes the positive one and not the ' +
      'first: the signs of scale and codes flip. Sums of a block of zeros are 0; ggml leaves them unwritten.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('q8_K'),
  },
  {
    name: 'ggml-q4_0',
    consumer: 'ggml, llama.cpp: Q4_0 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q4_0_ref',
    notes: 'The same on every target. Two codes a byte: j and j + 16. Rows are multiples of 32.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('q4_0'),
  },
  {
    name: 'ggml-q4_1',
    consumer: 'ggml, llama.cpp: Q4_1 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q4_1_ref',
    notes: 'Scale and minimum; zero need not have a code. Rows are multiples of 32.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('q4_1'),
  },
  {
    name: 'ggml-q5_0',
    consumer: 'ggml, llama.cpp: Q5_0 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q5_0_ref',
    notes: 'As Q4_0 with 5 bits, the high ones together. Rows are multiples of 32.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('q5_0'),
  },
  {
    name: 'ggml-q5_1',
    consumer: 'ggml, llama.cpp: Q5_1 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_q5_1_ref',
    notes: 'As Q4_1 with 5 bits, the high ones together. Rows are multiples of 32.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('q5_1'),
  },
  {
    name: 'ggml-iq4_nl',
    consumer: 'ggml, llama.cpp: IQ4_NL blocks of activations and caches',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_iq4_nl_ref',
    notes:
      'One candidate scale; the offline tool for weights tries more. Below an amax of 1e-15 the scale is 0, and codes ' +
      'are those of zero, where ggml leaves whatever its buffer held. A scale that is NaN (squares beyond float32) has ' +
      'the sign bit 0.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('iq4_nl'),
  },
  {
    name: 'ggml-mxfp4',
    consumer: 'ggml, llama.cpp: MXFP4 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_mxfp4_ref',
    notes:
      'The exponent is that of amax; ggml takes the floor of log2f, which a few values just below a power of two round ' +
      'up to it. An exponent below the smallest wraps around, as in ggml on x86. Ties go to the smaller magnitude.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('mxfp4'),
  },
  {
    name: 'ggml-nvfp4',
    consumer: 'ggml, llama.cpp: NVFP4 blocks',
    source: 'ggml 0.21.0 (d99724f2) src/ggml-quants.c quantize_row_nvfp4_ref',
    notes: 'Blocks of 64 with a scale for every 16, no scale of the tensor. Ties go to the smaller magnitude.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('nvfp4'),
  },
  {
    name: 'ggml-f16',
    consumer: 'ggml, llama.cpp: rows of F16',
    source: 'ggml 0.21.0 (d99724f2) src/ggml.c ggml_fp32_to_fp16_row',
    notes: 'No scale. Half to even, subnormals kept, beyond 65504 infinity; NaN is the canonical one.',
    dtypes: ['uint16'],
    takes: FIXED,
    rules: rulesOf('f16'),
  },
  {
    name: 'ggml-bf16',
    consumer: 'ggml, llama.cpp: rows of BF16',
    source: 'ggml 0.21.0 (d99724f2) src/ggml.c ggml_fp32_to_bf16_row_ref',
    notes: 'No scale. Half to even, subnormals kept; NaN is the canonical one.',
    dtypes: ['uint16'],
    takes: FIXED,
    rules: rulesOf('bf16'),
  },
] as const satisfies readonly Preset[];
