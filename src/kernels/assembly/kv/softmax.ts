/**
 * Weights of scores: their exponentials by the largest score, and the sum of these (equations 65 to 67).
 */

/** Scores of `n` tokens at `p` to exponentials, where there is room for a multiple of 4; gives their sum. */
export function exponentials(p: usize, n: usize): f32 {
  const whole: usize = (n + 3) & ~3;
  for (let i = n; i < whole; i++) store<f32>(p + (i << 2), -Infinity);
  const end = p + (whole << 2);
  // A score that is NaN is not the largest.
  let most = f32x4.splat(-Infinity);
  for (let at = p; at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (let at = p; at < end; at += 16) {
    const e = exponential(f32x4.sub(v128.load(at), most));
    v128.store(at, e);
    a = f64x2.add(a, f64x2.promote_low_f32x4(e));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.shuffle<i32>(e, e, 2, 3, 2, 3)));
  }
  a = f64x2.add(a, b);
  return <f32>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
}

/** e to the powers x, from −∞ to 0 (equation 66); NaN stays NaN. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const k = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(k, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.add(f32x4.mul(f32x4.splat(1.9875691500e-4), r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87)));
}
