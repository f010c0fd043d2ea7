/**
 * Block formats of other systems: how many values a block holds and in how many bytes. A format decides every rule by
 * itself, so the axes of a scheme that has one stand at fixed values and are not read.
 * @module
 */
import { BlockFormat } from './codes.js';
import { ABSMAX_AXES } from './fixed-axes.js';
import { type Granularity, perBlock, perToken } from './granularity.js';

/** Name of a block format. */
export type BlockFormatName =
  | 'q8_0'
  | 'q8_0-x86'
  | 'q8_1'
  | 'q8_K'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'iq4_nl'
  | 'mxfp4'
  | 'nvfp4'
  | 'f16'
  | 'bf16'
  | 'usearch-i8'
  | 'bits-high'
  | 'bits-high-int8'
  | 'bits-low';

/** What a block is. */
export interface BlockFacts {
  readonly code: BlockFormat;
  /** Values of a block. */
  readonly size: number;
  /** Whose values decide the bytes of a block: its own, or those of its row. */
  readonly granularity: Granularity;
  /** Whether the last block of a row may hold fewer values; the others want rows of whole blocks. */
  readonly ragged: boolean;
  /** Whether only the direction of a row is kept, not its length: it reads back as a unit vector, or as 1 and −1. */
  readonly unscaled: boolean;
  /** Bytes of a block, and those before its codes. */
  readonly bytes: number;
  readonly codesAt: number;
  /** Type that holds a code, and the smallest and the largest code. */
  readonly dtype: 'int8' | 'uint8' | 'uint16';
  readonly codes: readonly [number, number];
}

const UNIT = { granularity: perToken, unscaled: true };
const BITS = { ragged: true, unscaled: true };

/** Every block format. */
export const BLOCK_FORMATS: Readonly<Record<BlockFormatName, BlockFacts>> = Object.freeze({
  q8_0: facts(BlockFormat.Q8_0, 32, 34, 2, 'int8', [-128, 127]),
  'q8_0-x86': facts(BlockFormat.Q8_0X86, 32, 34, 2, 'int8', [-128, 127]),
  q8_1: facts(BlockFormat.Q8_1, 32, 36, 4, 'int8', [-128, 127]),
  q8_K: facts(BlockFormat.Q8_K, 256, 292, 4, 'int8', [-128, 127]),
  q4_0: facts(BlockFormat.Q4_0, 32, 18, 2, 'uint8', [0, 15]),
  q4_1: facts(BlockFormat.Q4_1, 32, 20, 4, 'uint8', [0, 15]),
  q5_0: facts(BlockFormat.Q5_0, 32, 22, 6, 'uint8', [0, 31]),
  q5_1: facts(BlockFormat.Q5_1, 32, 24, 8, 'uint8', [0, 31]),
  iq4_nl: facts(BlockFormat.Iq4Nl, 32, 18, 2, 'uint8', [0, 15]),
  mxfp4: facts(BlockFormat.Mxfp4, 32, 17, 1, 'uint8', [0, 15]),
  nvfp4: facts(BlockFormat.Nvfp4, 64, 36, 4, 'uint8', [0, 15]),
  f16: facts(BlockFormat.Float16, 1, 2, 0, 'uint16', [0, 65535]),
  bf16: facts(BlockFormat.Bfloat16, 1, 2, 0, 'uint16', [0, 65535]),
  'usearch-i8': facts(BlockFormat.UsearchI8, 1, 1, 0, 'int8', [-127, 127], UNIT),
  'bits-high': facts(BlockFormat.BitsHigh, 8, 1, 0, 'uint8', [0, 1], BITS),
  'bits-high-int8': facts(BlockFormat.BitsHighInt8, 8, 1, 0, 'int8', [0, 1], BITS),
  'bits-low': facts(BlockFormat.BitsLow, 8, 1, 0, 'uint8', [0, 1], BITS),
});

/** The values at which the other axes of a scheme with a block format stand. */
export const FORMAT_AXES = Object.freeze({
  ...ABSMAX_AXES,
  apply: 'divide',
  raggedDivides: false,
  zeroPointRule: 'none',
} as const);

function facts(
  code: BlockFormat,
  size: number,
  bytes: number,
  codesAt: number,
  dtype: BlockFacts['dtype'],
  codes: readonly [number, number],
  { granularity = perBlock(size), ragged = false, unscaled = false }: Partial<BlockFacts> = {},
): BlockFacts {
  Object.freeze(codes);
  return Object.freeze({ code, size, granularity, ragged, unscaled, bytes, codesAt, dtype, codes });
}
