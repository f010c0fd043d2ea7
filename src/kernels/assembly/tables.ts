/**
 * Codes that are places in a table of 16 values from −1 to 1: NF4 and FP4 of bitsandbytes (equation 27). Between two
 * neighbours the middle one decides, and belongs to the lower.
 */

/** 1 less for each lane above `than`, counted down from `places`. */
// @ts-ignore: decorator
@inline
function above(places: v128, v: v128, than: f32): v128 {
  return i32x4.sub(places, f32x4.gt(v, f32x4.splat(than)));
}

/** The places of four values in 32-bit lanes; NaN has place 0. */
// @ts-ignore: decorator
@inline
export function nf4Codes(v: v128): v128 {
  let n = i32x4.splat(0);
  n = above(n, v, -0.8480963706970215);
  n = above(n, v, -0.6106328964233398);
  n = above(n, v, -0.4599952697753906);
  n = above(n, v, -0.33967941999435425);
  n = above(n, v, -0.23460739850997925);
  n = above(n, v, -0.13791173696517944);
  n = above(n, v, -0.045525018125772476);
  n = above(n, v, 0.03979014977812767);
  n = above(n, v, 0.120255246758461);
  n = above(n, v, 0.2035212516784668);
  n = above(n, v, 0.2920137643814087);
  n = above(n, v, 0.3893125355243683);
  n = above(n, v, 0.5016634464263916);
  n = above(n, v, 0.6427869200706482);
  return above(n, v, 0.8614784479141235);
}

/** The same for FP4: the place of the magnitude, in the order of its codes, and 8 for what is negative. */
// @ts-ignore: decorator
@inline
export function fp4Codes(v: v128): v128 {
  const magnitude = f32x4.abs(v);
  let n = i32x4.splat(0);
  n = above(n, magnitude, 0.00260417);
  n = above(n, magnitude, 0.0859375);
  n = above(n, magnitude, 0.20833333);
  n = above(n, magnitude, 0.29166667);
  n = above(n, magnitude, 0.4166667);
  n = above(n, magnitude, 0.583333);
  n = above(n, magnitude, 0.8333333);
  const codes = i8x16.swizzle(i8x16(0, 1, 6, 7, 4, 5, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0), indices(n));
  const low = v128.and(codes, i32x4.splat(15));
  return v128.or(low, v128.and(f32x4.lt(v, f32x4.splat(0)), i32x4.splat(8)));
}

/** The values of four places in 32-bit lanes, byte by byte of float32. */
// @ts-ignore: decorator
@inline
export function nf4Values(codes: v128): v128 {
  const i = indices(codes);
  return joined(
    i8x16.swizzle(i8x16(0, -79, 48, -96, 77, 63, 113, 0, -1, -29, -35, 58, -72, -85, -77, 0), i),
    i8x16.swizzle(i8x16(0, 57, 107, 50, -94, 53, 120, 0, -6, -54, 4, 3, -92, 7, 19, 0), i),
    i8x16.swizzle(i8x16(-128, 50, 6, -54, -111, 61, -70, 0, -94, 36, 124, -83, -31, 16, 57, -128), i),
    i8x16.swizzle(i8x16(-65, -65, -65, -66, -66, -66, -67, 0, 61, 62, 62, 62, 62, 63, 63, 63), i),
  );
}

/** The same for FP4. */
// @ts-ignore: decorator
@inline
export function fp4Values(codes: v128): v128 {
  const i = indices(codes);
  return joined(
    i8x16.swizzle(i8x16(0, -85, -85, 0, -85, 0, -85, 0, 0, -85, -85, 0, -85, 0, -85, 0), i),
    i8x16.swizzle(i8x16(0, -86, -86, 0, -86, 0, -86, 0, 0, -86, -86, 0, -86, 0, -86, 0), i),
    i8x16.swizzle(i8x16(0, -86, 42, -128, -86, 0, 42, -128, 0, -86, 42, -128, -86, 0, 42, -128), i),
    i8x16.swizzle(i8x16(0, 59, 63, 63, 62, 63, 62, 62, -128, -69, -65, -65, -66, -65, -66, -66), i),
  );
}

/** The low byte of every lane in all of its bytes. */
// @ts-ignore: decorator
@inline
function indices(codes: v128): v128 {
  return i8x16.swizzle(codes, i8x16(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
}

/** Byte 0 of every lane from `a`, 1 from `b`, 2 from `c`, 3 from `e`. */
// @ts-ignore: decorator
@inline
function joined(a: v128, b: v128, c: v128, e: v128): v128 {
  const low = v128.bitselect(a, b, i32x4.splat(0x000000ff));
  const high = v128.bitselect(c, e, i32x4.splat(0x00ff0000));
  return v128.bitselect(low, high, i32x4.splat(0x0000ffff));
}
