/**
 * Stochastic rounding (equation 32): up with the probability of the fraction. Chance is a hash of the seed and the
 * index of the value in its tensor, so that the same bytes come from any lanes, in any order.
 */

/** The finalizer of MurmurHash3: every bit of the result depends on every bit of `h`. */
export function mixed(h: i32): i32 {
  h = (h ^ (h >>> 16)) * -2048144789;
  h = (h ^ (h >>> 13)) * -1028477387;
  return h ^ (h >>> 16);
}

/** The same for four. */
// @ts-ignore: decorator
@inline
export function fourMixed(h: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(-2048144789));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(-1028477387));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** `v` rounded down, or up where its fraction is above chance: 24 bits of the hash. */
export function roundedUpBy(v: f64, seed: i32, index: i32): f64 {
  const down = floor<f64>(v);
  const chance = <f64>(mixed(mixed(seed) + index) >>> 8) * (1.0 / 16777216.0);
  return v - down > chance ? down + 1 : down;
}
