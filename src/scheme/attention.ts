/**
 * The layout of what `Op.Attend` reads, shared with the kernels like the codes in `codes`: compiled by both `tsc` and
 * `asc`, so only `const enum`. Of the descriptor it reads `First` and `Last` (key and value heads), `Values` (the queries,
 * float32), `Codes` (the result, float32), `Length` (values of a head), `Group` (query heads of each key head) and `Scale`
 * (the address of the table below).
 * @module
 */

/** Words of the table, before its segments. */
export const enum TableWord {
  /** How many segments follow. */
  Segments = 0,
  /** Tokens of all segments, at least 1. */
  Tokens = 1,
  /** float32 bits: what a product of query and key is multiplied with. */
  Factor = 2,
  /** Address of the scores: for each query head of a group `Stride` float32. */
  Scores = 3,
  /** Tokens, rounded up to a multiple of 4. */
  Stride = 4,
  /** Address of two queries with the scales of channels in them, as floats and as integers: `Length` · 4 words. */
  Folded = 5,
  /**
   * Address of the weights of a segment's values for two query heads, as floats and as integers: 4 words a token of the
   * longest segment, whose tokens are rounded up to a multiple of 8.
   */
  Weights = 6,
  /** Address of three float32 for each query head of a group. */
  Sums = 7,
  /** Address of the queries of a group as integers, `Length` words each. */
  Sixteens = 8,
  Words = 9,
}

/**
 * Words of a segment: a run of tokens that lie together, for each head `Capacity` rows of which `Tokens` are read; at most 256
 * where their values are integers.
 */
export const enum SegmentWord {
  Tokens = 0,
  Capacity = 1,
  /** What the codes of the keys are (`CacheCode`). */
  KeyCode = 2,
  Keys = 3,
  /** Address of the scales of the keys, float32: one a row, or one a channel of each head; not read for `Float32`. */
  KeyScale = 4,
  /** Address of the minima of the keys, likewise; 0 where the codes have none. */
  KeyMinimum = 5,
  /** 1: scales and minima of the keys are those of channels; 0: of rows. Not read for `Float32`, as those are not. */
  KeyByChannel = 6,
  /** The same of the values, which have a scale and a minimum a row. */
  ValueCode = 7,
  Values = 8,
  ValueScale = 9,
  ValueMinimum = 10,
  Words = 12,
}

/** What a stored code is; codes of fewer than 8 bits share bytes, the first in the lowest bits. */
export const enum CacheCode {
  Float32 = 0,
  Int8 = 1,
  Uint8 = 2,
  Int4 = 3,
  Uint4 = 4,
  Int2 = 5,
  Uint2 = 6,
  /** E4M3FN; the codes of NaN are not used and read as 480. */
  Float8 = 7,
}
