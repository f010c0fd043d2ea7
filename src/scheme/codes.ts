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

/** Integer type that a code or a zero point is stored in. */
export const enum Storage {
  Int8 = 0,
  Uint8 = 1,
  Int16 = 2,
  Uint16 = 3,
  Int32 = 4,
}

/** Type that a scale is stored in. */
export const enum ScaleType {
  Float32 = 0,
  Float16 = 1,
  Float64 = 2,
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
}

/** Rounding of the scaled value to an integer. */
export const enum Rounding {
  HalfEven = 0,
  HalfAway = 1,
  /** Towards zero. */
  Truncate = 2,
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

/** Sizes that both sides count with. */
export const enum Size {
  /** Bytes of a descriptor. */
  Descriptor = 256,
  /** 32-bit words of a descriptor. */
  DescriptorWords = 64,
  /** First word of a descriptor that the scheme, not the batch, decides. */
  SchemeWords = 32,
  /** Elements of a unit of `Op.Tensor`. */
  TensorTile = 16384,
  /** Elements that are checked and quantized together while they are in L1. */
  CacheTile = 4096,
  /** Columns of a unit of `Op.Columns`. */
  StripColumns = 16,
  /** Doubles of one unit's error statistics: 4 error sums, 4 signal sums, largest error, saturated codes. */
  StatisticsDoubles = 10,
}

/** State of a descriptor in the ring; a running one also holds its lane: `Running + lane`. */
export const enum State {
  /** Owned by the producer; nothing to do. */
  Free = 0,
  /** Filled; any lane may claim it. */
  Ready = 1,
  /** Written by the lane that ran it; owned by the producer again. */
  Done = 2,
  /** Withdrawn by the producer before a lane claimed it. */
  Cancelled = 3,
  /** `Running + lane`: claimed by that lane. */
  Running = 16,
}

/** Words of a descriptor. Up to `SchemeWords` they describe the batch, from there on the scheme. */
export const enum Word {
  State = 0,
  /** How many lanes died while they ran it. Written by the supervisor only. */
  Attempts = 1,
  /** Outcome: 0, or the numeric id of an error. */
  Status = 2,
  /** Non-finite values found. */
  BadCount = 3,
  /** Element index of the first of them. */
  BadFirst = 4,
  /** Partial range: bits of the largest value, at least +0 (`Op.Tensor`). */
  High = 5,
  /** Partial range: bits of the smallest value, at most −0 (`Op.Tensor`). */
  Low = 6,
  Op = 7,
  Mode = 8,
  Source = 9,
  /** First unit of this descriptor. */
  First = 10,
  /** One past its last unit. */
  Last = 11,
  /** Address of the values. */
  Values = 12,
  /** Address of the codes. */
  Codes = 13,
  /** Address of the scales. */
  Scale = 14,
  /** Address of the zero points; 0 where there are none. */
  ZeroPoint = 15,
  /** Addresses of given or resulting ranges, float32. */
  RangeLow = 16,
  RangeHigh = 17,
  /** Address of the error statistics; 0 for none. */
  Statistics = 18,
  /** Elements of the tensor (`Tensor`), a row (`Segments`, `Blocks`) or a run (`Channels`); rows of an outer index (`Columns`). */
  Length = 19,
  /** Elements of a block (`Segments`, `Blocks`); rows of a group (`Columns`). */
  Group = 20,
  /** Channels (`Channels`). */
  Count = 21,
  /** Runs of a channel (`Channels`). */
  Parts = 22,
  /** Columns (`Columns`). */
  Inner = 23,
  /** Address of the first descriptor of the earlier pass, and their number (`Source.Barrier`). */
  BarrierFirst = 24,
  BarrierCount = 25,
  /** Address where the descriptors of the ring begin and their number, to wrap a barrier around. */
  RingBase = 26,
  RingCount = 27,
  /** Place in the ring of the first descriptor of the pass that this one belongs to, and how many the pass has. */
  PassFirst = 28,
  PassCount = 29,
  /** 1: other lanes wait for the end of this pass; 0: the producer does. */
  Leads = 30,

  /** When the zero point is added (`Added`). */
  Added = 32,
  /** The codes that a zero point is chosen among. */
  LowZero = 33,
  HighZero = 34,
  /** Rounding of the zero point. */
  ZeroRounding = 35,
  /** Precision of scale and zero point (`Arithmetic`). */
  Arithmetic = 36,
  /** 1: a range is that of the values alone; 0: it is extended to zero. */
  WithoutZero = 37,
  /** float64 bits in two words: the scale where the zero test holds. */
  ZeroScale = 38,
  Dtype = 40,
  Storage = 41,
  Apply = 42,
  Rounding = 43,
  ScaleForm = 44,
  /** float32 bits: M. */
  Divisor = 45,
  Symmetric = 46,
  FloorOn = 47,
  /** float32 bits: epsilon. */
  Floor = 48,
  ZeroTest = 49,
  /** The zero point where the zero test holds; the smallest int32 for that of the rule. */
  ZeroZero = 50,
  /** float32 bits: the multiplier where the zero test holds. */
  ZeroMultiplier = 51,
  ZeroPointRule = 52,
  /** Smallest and largest code. */
  LowCode = 53,
  HighCode = 54,
  NonFinite = 55,
  /** Code of a quotient that is NaN. */
  NanCode = 56,
  /** 1: a NaN makes its whole range NaN under `Propagate`; 0: it is left out of the range. */
  NanPoisons = 57,
  /** Bytes from block to block and from a block's start to its codes; stride 0 for planar codes. */
  CodeStride = 58,
  CodeOffset = 59,
  ScaleType = 60,
  /** Bytes from scale to scale. */
  ScaleStride = 61,
  ZeroPointStorage = 62,
  /** `BlockFormat` (`Op.Blocks`), whose blocks are `CodeStride` bytes for `Group` values. */
  Format = 63,
}
