/**
 * The layout of a descriptor, shared with the kernels like the codes in `codes`: compiled by both `tsc` and `asc`, so only
 * `const enum`.
 * @module
 */

/** Sizes that both sides count with. */
export const enum Size {
  /** Bytes of a descriptor. */
  Descriptor = 512,
  /** 32-bit words of a descriptor. */
  DescriptorWords = 128,
  /** First word of a descriptor that the scheme, not the batch, decides. */
  SchemeWords = 32,
  /** Elements of a unit of `Op.Tensor`. */
  TensorTile = 16384,
  /** Elements that are checked and quantized together while they are in L1. */
  CacheTile = 4096,
  /** Columns of a unit of `Op.Columns`. */
  StripColumns = 16,
  /** Rows of a strip whose error statistics are added column by column, before those of the rows below. */
  StripRows = 1024,
  /** Doubles of one unit's error statistics: 4 error sums, 4 signal sums, largest error, saturated codes. */
  StatisticsDoubles = 10,
  /** Most batches of a run. */
  RunBatches = 12,
}

/** A panel of weights, of which a unit of `Op.LinearWeights` and `Op.LinearProduct` has one. */
export const enum Panel {
  Outputs = 16,
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
  /** Address of the codes; of a transform, of the float32 that it gives. */
  Codes = 13,
  /** Address of the scales; of `Divide` and `Multiply`, one float32 a column. */
  Scale = 14,
  /** Address of the zero points; 0 where there are none. Of `Outliers`, of the outlier columns, int32. */
  ZeroPoint = 15,
  /**
   * Addresses of given or resulting ranges, float32. Of `Outliers`, of the marks, a byte a column (`Mode.Range`), and of
   * the values of the outlier columns, float32 (the other modes).
   */
  RangeLow = 16,
  RangeHigh = 17,
  /** Address of the error statistics; 0 for none. */
  Statistics = 18,
  /**
   * Elements of the tensor (`Tensor`), a row (`Segments`, `Blocks` and transforms of rows) or a run (`Channels`); rows of
   * an outer index (`Columns`, `Transpose`).
   */
  Length = 19,
  /**
   * Elements of a block (`Segments`, `Blocks`, `Rotate`); rows of a group (`Columns`, `Transpose`); first run of each
   * channel that is worked on (`Channels`).
   */
  Group = 20,
  /**
   * Channels (`Channels`); elements of a unit, whole blocks, where a row has several, or 0 (`Segments`); m, the order of
   * the factor that is no power of two, or 1 (`Rotate`); outlier columns (`Outliers`).
   */
  Count = 21,
  /** Runs of a channel that are worked on (`Channels`); the prime that the matrix of order m is made of, or 0 (`Rotate`). */
  Parts = 22,
  /** Columns (`Columns`, `Transpose`); bytes of a row (`Blocks`). */
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
  /** Address of the scale of the whole tensor, by which those of its blocks are divided; 0 where there is none. */
  TensorScale = 31,

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
  /** `BlockFormat` (`Op.Blocks`), whose blocks are `CodeStride` bytes. */
  Format = 63,

  /** What a code is (`Element`). */
  Element = 64,
  /** Of a small float: bits of the mantissa, the bias of the exponent, and the bit of the sign. */
  Mantissa = 65,
  Bias = 66,
  SignBit = 67,
  /** float32 bits: the largest value of a code. */
  Most = 68,
  /** The first magnitude that is no number, and whether it is infinity (else NaN). */
  Special = 69,
  HasInfinity = 70,
  /** 1: zero has no sign. */
  UnsignedZero = 71,
  /** float32 bits: half the distance of the largest code from the one before. A larger error there counts as saturation. */
  TopHalf = 72,
  /** How a scale becomes a power of two (`PowerRule`), and the exponent of the divisor then. */
  PowerRule = 73,
  PowerBase = 74,
  /** 1: values are scaled with the scale as it is stored; 0: as it was before. */
  UsesStored = 75,
  /** float32 bits: the largest multiplier. */
  MostMultiplier = 76,
  /** Of stochastic rounding. */
  Seed = 77,
  /** 1: values of a last block that is shorter are divided, not multiplied. */
  RaggedDivides = 78,
  /** Bits of a packed code, and their order (`Packing`). */
  Bits = 79,
  Packing = 80,
  /** float32 bits: what a code of 1 stands for; 1 but for fixed-point codes. */
  Step = 81,
  /**
   * 1: scales are as they are computed (float32 or float64, no powers of two, no largest multiplier, steps of 1, no scale
   * of the tensor, no minimum), so that the words which say otherwise need no look; 0 may always stand here.
   */
  IsPlain = 82,
  // Linear layers. `LinearWeights` reads `Values` and `Scale` and writes the panels to `Codes`, their scales to `RangeLow`
  // and their sums to `ZeroPoint`. `LinearRows` reads codes from `Values` with `Scale` and `ZeroPoint`, and writes rows of
  // `Inner` bytes to `Codes` and a float32 scale and an int32 zero point of each to `RangeLow`. `LinearProduct` reads rows
  // from `Values` and `RangeLow`, panels from `RangeHigh`, `Scale`, `ZeroPoint` and the bias from `TensorScale`, and
  // writes float32 to `Codes`. `Length` is the number of inputs, `Inner` that of outputs, `Count` that of rows, `Group`
  // the inputs that share a scale and `Parts` the groups of an output.

  /** What the weights are kept as (`LinearForm`). */
  Form = 90,
  /** How the rows lie (`RowForm`). */
  RowForm = 91,
  /** Rows of a unit of `LinearProduct`. */
  UnitRows = 92,

  /** A bit of each batch of a run that a lane has begun, and 16 bits further one of each that was withdrawn before. */
  RunMarks = 98,
  /** 1: a unit's error statistics go on where they stand; 0: they begin (`Segments`, `Channels`, `Columns`). */
  Continues = 99,
  /** float32 bits: the magnitude from which on a value is an outlier; those of infinity where none is (`Outliers`). */
  Limit = 100,
  /** The number of the job in the order of turns; lanes claim the lowest first. */
  Turn = 101,
  /** Batches that are carried out one after the other with this descriptor; 0 for one, which is where the words say. */
  RunCount = 102,
  /** A bit of each batch of a run that there is something to say about. Written by the lane. */
  RunDirty = 103,
  /** Of each batch of a run: the address of its values, and how far its other addresses lie behind those of the first. */
  RunBatches = 104,
}
