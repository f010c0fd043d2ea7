/**
 * Floats as integers of 16 bits with one step (equation 61), so that their products with codes are exact.
 */
import { mixed } from './codes';

/**
 * `n` float32 at `p`, a multiple of 8, to integers from −limit to limit at `to`, and behind these the same in the order of
 * codes of 4 bits. Gives their step.
 */
export function toSixteen(p: usize, n: usize, limit: f32, to: usize): f32 {
  const end = p + (n << 2);
  const magnitude = i32x4.splat(0x7fffffff);
  let most = f32x4.splat(0);
  // A value that is NaN is not the largest.
  for (let at = p; at < end; at += 16) most = f32x4.pmax(most, v128.and(v128.load(at), magnitude));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  const amax = f32x4.extract_lane(most, 0);
  const multiplier = f32x4.splat(limit / amax);
  const highest = f32x4.splat(limit);
  const lowest = f32x4.splat(-limit);
  let other = to + (n << 1);
  for (; p < end; p += 32, to += 16, other += 16) {
    const a = whole(f32x4.mul(v128.load(p), multiplier), lowest, highest);
    const b = whole(f32x4.mul(v128.load(p, 16), multiplier), lowest, highest);
    const x = i16x8.narrow_i32x4_s(a, b);
    v128.store(to, x);
    v128.store(other, mixed(x));
  }
  return amax / limit;
}

/** The nearest integers within bounds; 0 for NaN. */
// @ts-ignore: decorator
@inline
function whole(x: v128, lowest: v128, highest: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.pmin(f32x4.pmax(x, lowest), highest)));
}
