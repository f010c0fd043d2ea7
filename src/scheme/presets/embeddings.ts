/**
 * Presets of embeddings and vector searches: codes from a minimum, and block formats of bits and of unit vectors, whose rules
 * docs/quantization.md spells out.
 * @module
 */
import { perChannel, perTensor } from '../granularity.js';
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset, rulesOf } from './preset.js';

/** What codes from the smallest value up have in common. */
const FROM_MINIMUM: Partial<Scheme> = {
  symmetric: false,
  rangeIncludesZero: false,
  zeroPointRule: 'minimum',
  zeroPointDtype: 'float32',
};

/** A range for each dimension, in 255 steps that are cut off. */
const SENTENCE: Partial<Scheme> = {
  ...FROM_MINIMUM,
  granularity: perChannel(-1),
  divisor: 255,
  rounding: 'floor',
  allZero: { on: 'scale', scale: 1, multiplier: 1 },
};

const SENTENCE_NOTES =
  'A range for each dimension: of the batch, or given. Steps are cut off, not rounded; the stored zero point is the ' +
  'smallest value, which has the lowest code.';

/** Presets of embeddings. */
export const EMBEDDINGS = [
  {
    name: 'st-int8',
    consumer: 'sentence-transformers, quantize_embeddings, int8',
    source: 'sentence-transformers 6.1.0-dev (cad21198) sentence_transformers/util/quantization.py quantize_embeddings',
    notes: SENTENCE_NOTES,
    dtypes: ['int8'],
    takes: FIXED,
    rules: { ...SENTENCE, nan: { code: -128, poisons: true } },
  },
  {
    name: 'st-uint8',
    consumer: 'sentence-transformers, quantize_embeddings, uint8',
    source: 'sentence-transformers 6.1.0-dev (cad21198) sentence_transformers/util/quantization.py quantize_embeddings',
    notes: SENTENCE_NOTES,
    dtypes: ['uint8'],
    takes: FIXED,
    rules: { ...SENTENCE, nan: { code: 0, poisons: true } },
  },
  {
    name: 'qdrant-int8',
    consumer: 'Qdrant, scalar quantization, int8',
    source: 'qdrant 1.19.0 (74f3e85b) lib/quantization/src/encoded_vectors_u8.rs',
    notes:
      'One range: of the tensor, or given (a segment has one). Codes from 0 to 127, halves away from zero. Qdrant also ' +
      'pads rows to 16 codes and puts a float32 offset before each, which follows from scale, zero point and codes.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: {
      ...FROM_MINIMUM,
      granularity: perTensor,
      codes: [0, 127],
      divisor: 127,
      rounding: 'half-away',
      allZero: { on: 'scale', scale: 0, multiplier: 3e38 },
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'faiss-sq8',
    consumer: 'Faiss, ScalarQuantizer QT_8bit, RS_minmax',
    source: 'faiss 1.15 (02dbb4e4) faiss/impl/scalar_quantizer/codecs.h Codec8bit, quantizers.h',
    notes:
      'A range for each dimension: of the batch, or given. The scale is the whole extent (vdiff), the zero point vmin; ' +
      'codes are cut off and read back at the middle of their step.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: {
      ...FROM_MINIMUM,
      granularity: perChannel(-1),
      divisor: 1,
      apply: 'unit',
      rounding: 'truncate',
      allZero: { on: 'scale', scale: 0, multiplier: 3e38 },
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'st-binary',
    consumer: 'sentence-transformers, quantize_embeddings, binary',
    source: 'sentence-transformers 6.1-dev (cad21198) sentence_transformers/util/quantization.py quantize_embeddings',
    notes:
      'A bit a value: x > 0, the first value in the highest bit, zeros after the last one; each byte less 128, as int8. ' +
      'A bit reads back as 1 or -1. sentence-transformers packs all rows as one run, so its rows are these where they are ' +
      'of a multiple of 8; Transformers.js gives the same and takes no others.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('bits-high-int8'),
  },
  {
    name: 'st-ubinary',
    consumer: 'sentence-transformers, quantize_embeddings, ubinary',
    source: 'sentence-transformers 6.1-dev (cad21198) sentence_transformers/util/quantization.py quantize_embeddings',
    notes: 'As st-binary, the bytes as they are.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('bits-high'),
  },
  {
    name: 'usearch-b1',
    consumer: 'USearch, float to b1x8',
    source: 'usearch 2.21.0 (fd6279af) include/usearch/index_plugins.hpp cast_to_b1x8_gt',
    notes:
      'The bytes of st-ubinary. A bit reads back as 1 or -1, what a Hamming distance counts; USearch reads 1 or 0.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('bits-high'),
  },
  {
    name: 'usearch-i8',
    consumer: 'USearch, float to i8',
    source: 'usearch 2.21.0 (fd6279af) include/usearch/index_plugins.hpp cast_to_i8_gt',
    notes:
      'x · 127 / norm in float64, cut off. The squares of the norm add one after the other, in the order of the row, so ' +
      'that it has the bits of USearch. The norm is not stored: the codes read back as a unit vector, q / 127.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: rulesOf('usearch-i8'),
  },
  {
    name: 'pgvector-binary',
    consumer: 'pgvector, binary_quantize',
    source: 'pgvector (e48241b4) src/vector.c binary_quantize',
    notes: 'The bytes of st-ubinary: those of the type bit(n), the first value in the highest bit.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('bits-high'),
  },
  {
    name: 'qdrant-binary',
    consumer: 'Qdrant, binary quantization of one bit',
    source: 'qdrant 1.19.0 (74f3e85b) lib/quantization/src/encoded_vectors_binary.rs',
    notes:
      'The first value in the lowest bit. Qdrant keeps rows in words of 8 or of 128 bits, whose bytes after these are zeros.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: rulesOf('bits-low'),
  },
] as const satisfies readonly Preset[];
