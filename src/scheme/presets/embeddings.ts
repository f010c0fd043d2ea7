/**
 * Presets of vector searches whose rows stand alone: bits, and int8 codes of unit vectors. Each is a block format, whose
 * rules docs/quantization.md spells out.
 * @module
 */
import { FIXED, type Preset, rulesOf } from './preset.js';

/** Presets of embeddings. */
export const EMBEDDINGS = [
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
