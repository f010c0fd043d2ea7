/**
 * Parameters of symmetric schemes, four at a time: `derive` (equations 6 and 29) for those that need only a division, a
 * floor, a limit or a power of two, with the same operations in the same order.
 */
import { Added, Apply, Arithmetic, PowerRule, Quantity, ScaleForm, ScaleType, Source, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { BOUND, multiplies } from './parameters';
import { address, real, wideReal, word } from './words';

/** What the values of four parameters are multiplied with, or divided by. */
export let fourSymmetric: v128 = i32x4.splat(0);

/** Whether `deriveSymmetric` knows the scheme of `d`. */
export function isSymmetric(d: usize): bool {
  const rule = word(d, Word.PowerRule);
  const isPower = rule >= PowerRule.ExtentFloor && rule <= PowerRule.ExtentCeil;
  return (
    (isPower
      ? word(d, Word.ScaleType) == ScaleType.E8m0 && word(d, Word.ScaleStride) == 1
      : rule == PowerRule.None &&
        word(d, Word.ScaleType) == ScaleType.Float32 &&
        word(d, Word.ScaleStride) == 4 &&
        real(d, Word.Step) == 1) &&
    word(d, Word.Source) == Source.Data &&
    word(d, Word.Symmetric) != 0 &&
    word(d, Word.ZeroPointRule) == ZeroPointRule.None &&
    address(d, Word.ZeroPoint) == 0 &&
    address(d, Word.TensorScale) == 0 &&
    word(d, Word.Arithmetic) == Arithmetic.Float32 &&
    word(d, Word.WithoutZero) == 0 &&
    word(d, Word.Added) == Added.After &&
    word(d, Word.Apply) <= Apply.Direct &&
    word(d, Word.ScaleForm) == ScaleForm.Divide &&
    (word(d, Word.FloorOn) == Quantity.None || word(d, Word.FloorOn) == Quantity.Extent) &&
    word(d, Word.ZeroTest) <= Quantity.Scale
  );
}

/** Sets and stores the parameters `index` to `index` + 3 from the bits of their ranges; whether all may go fast. */
// @ts-ignore: decorator
@inline
export function deriveSymmetric(d: usize, h: v128, l: v128, index: usize): bool {
  const amax = i32x4.max_s(h, v128.and(l, i32x4.splat(i32.MAX_VALUE)));
  if (v128.any_true(i32x4.ge_s(amax, i32x4.splat(0x7f800000)))) return false;
  let extent = amax;
  if (word(d, Word.FloorOn) == Quantity.Extent) extent = f32x4.pmax(extent, f32x4.splat(real(d, Word.Floor)));
  let scale: v128;
  let m: v128;
  if (word(d, Word.PowerRule) != PowerRule.None) {
    scale = powers(d, extent);
    const step = f32x4.mul(scale, f32x4.splat(real(d, Word.Step)));
    m = multiplies(d) ? f32x4.div(f32x4.splat(1), step) : step;
  } else {
    const divisor = f32x4.splat(real(d, Word.Divisor));
    scale = f32x4.div(extent, divisor);
    m = scale;
    if (word(d, Word.Apply) == Apply.Direct) m = f32x4.div(divisor, extent);
    else if (word(d, Word.Apply) == Apply.Reciprocal) m = f32x4.div(f32x4.splat(1), scale);
    if (multiplies(d)) m = f32x4.pmin(m, f32x4.splat(real(d, Word.MostMultiplier)));
  }
  const zeroTest = word(d, Word.ZeroTest);
  if (zeroTest != Quantity.None) {
    const isZero = f32x4.eq(zeroTest == Quantity.Extent ? extent : scale, f32x4.splat(0));
    scale = v128.bitselect(f32x4.splat(<f32>wideReal(d, Word.ZeroScale)), scale, isZero);
    m = v128.bitselect(f32x4.splat(real(d, Word.ZeroMultiplier)), m, isZero);
  }
  const at = address(d, Word.Scale) + index * address(d, Word.ScaleStride);
  if (word(d, Word.ScaleType) == ScaleType.E8m0) v128.store32_lane(at, bytesOf(i32x4.shr_u(scale, 23)), 0);
  else v128.store(at, scale);
  fourSymmetric = m;
  const magnitude = f32x4.abs(m);
  const reach = multiplies(d) ? f32x4.mul(amax, magnitude) : f32x4.div(amax, magnitude);
  return i32x4.all_true(f32x4.lt(reach, f32x4.splat(BOUND)));
}

/** The powers of two that four finite extents call for (see `exponentOf` and `powerOf`). */
// @ts-ignore: decorator
@inline
function powers(d: usize, extent: v128): v128 {
  const rule = word(d, Word.PowerRule);
  if (rule == PowerRule.ExtentEven) extent = i32x4.add(extent, i32x4.splat(1 << (22 - word(d, Word.Mantissa))));
  let byte = i32x4.shr_u(extent, 23);
  if (rule == PowerRule.ExtentCeil) {
    // What is not zero is −1 here.
    byte = i32x4.sub(byte, i32x4.ne(v128.and(extent, i32x4.splat(0x7fffff)), i32x4.splat(0)));
  }
  byte = i32x4.sub(byte, i32x4.splat(word(d, Word.PowerBase)));
  byte = i32x4.min_s(i32x4.max_s(byte, i32x4.splat(0)), i32x4.splat(254));
  return v128.bitselect(i32x4.splat(0x00400000), i32x4.shl(byte, 23), i32x4.eq(byte, i32x4.splat(0)));
}

/** The low byte of every lane, in the first four bytes. */
// @ts-ignore: decorator
@inline
function bytesOf(v: v128): v128 {
  return i8x16.swizzle(v, i8x16(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
}
