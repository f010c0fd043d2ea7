/**
 * Every numeric code that TypeScript and the kernels share. This one file is compiled by both `tsc` and `asc`, so
 * the two cannot disagree; it therefore uses only what both languages have: `const enum`.
 * @module
 */

/** Element type of the values on the float side. */
export const enum Dtype {
  Float32 = 0,
  Float16 = 1,
  Bfloat16 = 2,
}

/** Type that a code, before it is packed, or a zero point is stored in. */
export const enum Storage {
  Int8 = 0,
  Uint8 = 1,
  Int16 = 2,
  Uint16 = 3,
  Int32 = 4,
  Float32 = 5,
}

/** Type that a scale is stored in. */
export const enum ScaleType {
  Float32 = 0,
  Float16 = 1,
  Float64 = 2,
  /** A power of two, as the exponent of float32 (E8M0); 255 is NaN. */
  E8m0 = 3,
  /** A positive E4M3FN from 2^-6 to 448. */
  E4m3 = 4,
}

/** How the scale is formed from the extent (amax, or max − min) and the divisor M. */
export const enum ScaleForm {
  /** `extent / M` */
  Divide = 0,
  /** `extent * (1 / M)` */
  Reciprocal = 1,
  /** `1 / (M / extent)`: the multiplier is formed first and the stored scale is its inverse. */
  Inverse = 2,
}

/** How the scale is applied to a value x. */
export const enum Apply {
  /** `x / scale` */
  Divide = 0,
  /** `x * (1 / scale)` */
  Reciprocal = 1,
  /** `x * (M / extent)` */
  Direct = 2,
  /** `x / scale`, rounded to float16. */
  DivideHalf = 3,
  /** `clamp((x − minimum) / scale, 0, 1) · (highest − lowest code)` */
  Unit = 4,
}

/** Rounding of the scaled value to an integer. */
export const enum Rounding {
  HalfEven = 0,
  HalfAway = 1,
  /** Towards zero. */
  Truncate = 2,
  /** Towards −∞. */
  Floor = 3,
  /** Up with the probability of the fraction, by a hash of seed and index. */
  Stochastic = 4,
}

/** How the zero point follows from the range. */
export const enum ZeroPointRule {
  /** No zero point: symmetric. */
  None = 0,
  /** `round(clamp(lo − min / scale))`: subtract, clamp, then round (ONNX Runtime). */
  RoundLast = 1,
  /** Nearest end by the sign of `(lo + min·S) + (hi + max·S)`, clamped, then rounded (XNNPACK, KleidiAI). */
  SignTest = 2,
  /** `lo − round(min / scale)`, clamped: divide, round, then subtract (PyTorch's observers, torchao). */
  RoundFirst = 3,
  /** As `SignTest`, on min / scale and max / scale (PyTorch's per-token operators). */
  SignTestQuotient = 4,
  /** The end with the smaller |code| + |end / scale|, in float64 (FBGEMM, TFLite). */
  NearestSum = 5,
  /** The end with the smaller |code| − |end / scale|, in float64 (PyTorch's copy of FBGEMM's rule). */
  NearestDifference = 6,
  /** No integer: the smallest value itself, which is taken off before scaling and has the lowest code. */
  Minimum = 7,
}

/** What a code is. */
export const enum Element {
  Integer = 0,
  /** A small float, which `Word.Mantissa` and the words after it describe. */
  Minifloat = 1,
  /** A place in the table of normal quantiles of bitsandbytes. */
  Nf4 = 2,
  /** A place in the table of 4-bit floats of bitsandbytes. */
  Fp4 = 3,
}

/** How a scale becomes a power of two. */
export const enum PowerRule {
  /** It does not. */
  None = 0,
  /** The exponent of the extent, less that of the divisor. */
  ExtentFloor = 1,
  /** The same of the extent, to which half a step of the code's mantissa is added. */
  ExtentEven = 2,
  /** One more, where the extent is no power of two. */
  ExtentCeil = 3,
  /** The scale rounded up. */
  ScaleCeil = 4,
  /** The multiplier rounded down; the scale is its inverse. */
  MultiplierFloor = 5,
}

/** Order of codes that share a byte. */
export const enum Packing {
  /** The first code in the lowest bits. */
  LowFirst = 0,
  /** The first code in the highest bits. */
  HighFirst = 1,
}

/** Which quantity a floor (epsilon) or the all-zero test looks at. */
export const enum Quantity {
  None = 0,
  Extent = 1,
  Scale = 2,
  /** A floor on the scale that also stretches the range which the zero point follows from. */
  ScaleAndRange = 3,
  /** A test whether 1 / scale is infinite in float32; it goes before the floor. */
  Reciprocal = 4,
}

/** What happens to NaN and ±Inf. */
export const enum NonFinite {
  Error = 0,
  Saturate = 1,
  Propagate = 2,
}

/** Shape of the work: which values share a parameter. */
export const enum Op {
  /** One parameter for the whole tensor; a unit is a tile of `TensorTile` elements. */
  Tensor = 0,
  /** Rows of contiguous blocks, a parameter a block; a unit is a row. */
  Segments = 1,
  /** A middle axis: a parameter a channel, its values in `parts` separate runs; a unit is a channel. */
  Channels = 2,
  /** A parameter a column within a group of rows; a unit is a strip of `StripColumns` columns of one group. */
  Columns = 3,
  /** Rows of blocks of a foreign format, which decides all rules (`Word.Format`); a unit is a row. */
  Blocks = 4,
  /** Codes of a byte each to codes that share bytes, or back; a unit is a tile of `TensorTile` codes. */
  Pack = 5,

  /** Rows that are rotated in blocks (equation 40); a unit is a row. */
  Rotate = 10,
  /** Rows, each column divided by its scale (equation 44); a unit is a row. */
  Divide = 11,
  /** Rows, each column multiplied with its scale (equation 45); a unit is a row. */
  Multiply = 12,
  /** Matrices, rows and columns exchanged; a unit is a strip of columns of a group of rows, as for `Columns`. */
  Transpose = 13,
  /**
   * Rows without their outliers (equations 47 to 50); a unit is a row. `Mode.Range` marks the columns that hold one, for
   * the other modes they are listed.
   */
  Outliers = 14,
  /** Attention over stored keys and values, as scheme/attention.ts lays them out; a unit is a head of these. */
  Attend = 24,

  /** Weights of a linear layer, laid out for `LinearProduct` (`Word.Form`); a unit is a panel of `Panel.Outputs` rows. */
  LinearWeights = 20,
  /** Codes of rows, laid out for `LinearProduct` (`Word.RowForm`), and their parameters; a unit is a row. */
  LinearRows = 21,
  /** Rows times weights; a unit is a panel for `Word.UnitRows` rows, those of a panel one after the other. */
  LinearProduct = 22,
}

/** What the weights of a linear layer are kept as. */
export const enum LinearForm {
  /** int8 codes with a scale for each output. */
  Int8 = 0,
  /** int8 codes with a scale for each group of an output. */
  Int8Groups = 1,
  /** 4-bit codes, two a byte, with a scale for each group of an output. */
  Int4Groups = 2,
  Float32 = 3,
  Float16 = 4,
  Bfloat16 = 5,
}

/** How the codes u, 0 to 255, of the rows of an integer product lie: what its instructions take. */
export const enum RowForm {
  /** int16 u. */
  Wide = 0,
  /** u & 127 of four codes, then u >> 7 of the same. */
  Sevens = 1,
  /** u & 15 of four codes, then u >> 4 of the same. */
  Nibbles = 2,
}

/** Format of the blocks of `Op.Blocks`; the table of them is `scheme/block-formats`. */
export const enum BlockFormat {
  /** 32 values: float16 scale, int8 codes, as the reference of ggml rounds. */
  Q8_0 = 0,
  /** The same blocks as the x86 path of ggml rounds. */
  Q8_0X86 = 1,
  /** 32 values: float16 scale, float16 scale · sum of codes, int8 codes. */
  Q8_1 = 2,
  /** 256 values: float32 scale, int8 codes, int16 sums of each 16 codes. */
  Q8_K = 3,
  /** 32 values: float16 scale, 4-bit codes about 8. */
  Q4_0 = 4,
  /** 32 values: float16 scale and minimum, 4-bit codes. */
  Q4_1 = 5,
  /** 32 values: float16 scale, 5-bit codes about 16, whose high bits lie together. */
  Q5_0 = 6,
  /** 32 values: float16 scale and minimum, 5-bit codes. */
  Q5_1 = 7,
  /** 32 values: float16 scale, 4-bit places in a table of 16 values. */
  Iq4Nl = 8,
  /** 32 values: a power of two, 4-bit floats E2M1. */
  Mxfp4 = 9,
  /** 64 values: four unsigned E4M3 scales, 4-bit floats E2M1. */
  Nvfp4 = 10,
  /** Each value as float16. */
  Float16 = 11,
  /** Each value as bfloat16. */
  Bfloat16 = 12,
  /** A row as int8 codes of a unit vector, without its length. */
  UsearchI8 = 20,
  /** A bit a value, the first one the highest of its byte. */
  BitsHigh = 21,
  /** The same, less 128, as int8. */
  BitsHighInt8 = 22,
  /** A bit a value, the first one the lowest of its byte. */
  BitsLow = 23,
}

/** What is done with the values. */
export const enum Mode {
  Quantize = 0,
  Dequantize = 1,
  /** Only the range: per parameter into the range arrays, or for `Op.Tensor` into the descriptor. */
  Range = 2,
}

/** Where the parameters come from. */
export const enum Source {
  /** From the range of the values themselves. */
  Data = 0,
  /** From given ranges (`RangeLow`, `RangeHigh`). */
  Range = 1,
  /** Scale and zero point are given. */
  Given = 2,
  /** From the partial ranges in the descriptors of an earlier pass (`BarrierFirst`, `BarrierCount`). */
  Barrier = 3,
}

/** In what precision scale and zero point are computed. */
export const enum Arithmetic {
  Float32 = 0,
  Float64 = 1,
  /** float64, but the scale is rounded to float32 before the zero point. */
  Mixed = 2,
}

/** When the zero point is added to a scaled value. */
export const enum Added {
  /** To the integer, after rounding. */
  After = 0,
  /** Before rounding, in float32. */
  Before = 1,
  /** Before rounding; value, reciprocal of the scale and sum are float64. */
  BeforeWide = 2,
}
