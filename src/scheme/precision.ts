/**
 * Numeric codes of the precision of a scheme, shared with the kernels like those of `codes`: compiled by both `tsc` and
 * `asc`, so only `const enum`.
 * @module
 */

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
