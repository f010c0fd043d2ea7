/** Golden rows of the presets of embeddings, from the published sources of each system: one row, [1, columns]. */
import type { PresetName } from '#src/index.js';
import { fromBits } from './golden/row.js';

/** An input and its known bytes. */
export interface EmbeddingCase {
  /** `block/usearch-i8`. */
  readonly name: string;
  readonly preset: PresetName;
  readonly input: readonly number[];
  /** The bytes of the codes, as hex. */
  readonly codes: string;
  /** What they read back as. */
  readonly values: readonly number[];
}

/** The largest magnitude is 127, and the norm 297.55255. */
const TIES = [
  ...[127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5],
  ...[fromBits(0x3effffff), 126.5, -126.5, 63.5, 100.4, -100.6],
];
const TIES_UNIT = [54, -54, 0, 0, 1, 1, 0, 0, -1, -1, 0, 53, -53, 27, 42, -42];
const BLOCK = [
  ...[-3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375],
  ...[-1.625, 0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125],
  ...[0.625, 2.375],
];
const BLOCK_UNIT = 'daebfd0d1f28f3031500e9fa0b1cdff0011224e600081adceeff1021e4f50617';
/** Ten values, of which one is zero and one the smallest there is. */
const RAGGED = [1, -1, 2, 2 ** -149, 0, -2, 3, -0, 5, 6];

/** Every golden row. */
export const EMBEDDINGS: readonly EmbeddingCase[] = [
  unit('ties', TIES, Buffer.from(Int8Array.from(TIES_UNIT)).toString('hex')),
  unit('block', BLOCK, BLOCK_UNIT),
  unit('zeros', [0, -0, 0], '000000'),
  ...(['st-ubinary', 'usearch-b1', 'pgvector-binary'] as const).flatMap((name) => [
    bits('block', name, BLOCK, '1dcce633'),
    bits('ragged', name, RAGGED, 'b2c0'),
    bits('zeros', name, [0, -0, 0], '00'),
  ]),
  bits('block', 'st-binary', BLOCK, '9d4c66b3'),
  bits('ragged', 'st-binary', RAGGED, '3240'),
  bits('zeros', 'st-binary', [0, -0, 0], '80'),
  bits('block', 'qdrant-binary', BLOCK, 'b83367cc'),
  bits('ragged', 'qdrant-binary', RAGGED, '4d03'),
  bits('zeros', 'qdrant-binary', [0, -0, 0], '00'),
];

function unit(name: string, input: readonly number[], codes: string): EmbeddingCase {
  const values = Array.from(Int8Array.from(Buffer.from(codes, 'hex')), (code) => Math.fround(code / 127));
  return { name: `${name}/usearch-i8`, preset: 'usearch-i8', input, codes, values };
}

function bits(name: string, preset: PresetName, input: readonly number[], codes: string): EmbeddingCase {
  return { name: `${name}/${preset}`, preset, input, codes, values: input.map((x) => (x > 0 ? 1 : -1)) };
}
