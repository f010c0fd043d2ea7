/** What `inspect` finds in blocks: scales and codes, which together are the values. */
import { expect, it } from 'vitest';
import { preset } from '#src/index.js';
import { blockParts, codeEnds } from '../../src/cli/block-parts.js';
import { allVectors, bytesOfView, GGML_TYPES } from '../support/vectors.js';

const FP4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6];
const IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** From the first byte on; the length of rows only counts where a row may end within a block. */
const WHOLE = { position: 0, columns: 256 };

/** What a code stands for before it is scaled. */
const MEANING: Readonly<Record<string, (code: number) => number>> = {
  q4_0: (code) => code - 8,
  q5_0: (code) => code - 16,
  iq4_nl: (code) => IQ4[code]!,
  mxfp4: (code) => FP4[code]!,
  nvfp4: (code) => FP4[code]!,
};

it.each(GGML_TYPES)('ggml-%s', (type) => {
  const scheme = preset(`ggml-${type}`);
  const { expected } = allVectors().find(({ name }) => name === `ggml/normal/${type}`)!;
  const { scales, codes } = blockParts(scheme, Uint8Array.from(bytesOfView(expected.codes)), WHOLE);
  const found = Array.from(codes);
  const values = expected.dequantized!;
  expect(found).toHaveLength(values.length);
  const [lowest, highest] = codeEnds(scheme);
  expect(found.every((code) => Number.isInteger(code) && code >= lowest && code <= highest)).toBe(true);
  if (type === 'f16' || type === 'bf16') return expect(scales).toHaveLength(0);
  const each = values.length / scales.length;
  expect(Number.isInteger(each)).toBe(true);
  if (type.endsWith('4_1') || type.endsWith('5_1')) return;
  const scaled = found.map((code, i) => Math.fround((MEANING[type]?.(code) ?? code) * scales[Math.floor(i / each)]!));
  const sorted = (list: Iterable<number>) => [...list].map((value) => value + 0).sort((a, b) => a - b);
  expect(sorted(scaled)).toEqual(sorted(values));
});

it.each([
  ['st-ubinary', [0b1011_0010, 0b1100_0000]],
  ['st-binary', [0b0011_0010, 0b0100_0000]],
  ['qdrant-binary', [0b0100_1101, 0b0000_0011]],
])('%s: bits, but not those after the end of a row', (name, row) => {
  const bits = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1];
  const bytes = Uint8Array.from([...row, ...row]);
  const { scales, codes } = blockParts(preset(name), bytes, { position: 0, columns: 10 });
  expect(scales).toHaveLength(0);
  expect([...Array.from(codes)]).toEqual([...bits, ...bits]);
  const tail = blockParts(preset(name), bytes.slice(1), { position: 1, columns: 10 });
  expect(Array.from(tail.codes)).toEqual([1, 1, ...bits]);
});

it('usearch-i8: signed codes', () => {
  const { scales, codes } = blockParts(preset('usearch-i8'), Uint8Array.of(129, 0, 127), WHOLE);
  expect(scales).toHaveLength(0);
  expect(Array.from(codes)).toEqual([-127, 0, 127]);
});
