/**
 * Parameters of codes from a minimum, four columns at a time: `derive` (equations 6 and 28) for the schemes that need only
 * a division and a test for zero, with the same operations in the same order.
 */
import { Apply, Arithmetic, PowerRule, Quantity, ScaleForm, ScaleType, Source, Storage } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { BOUND } from './parameters';
import { address, real, wideReal, word } from './words';

/** Divisors and minimums of the four columns of the last call. */
export let fourDivisors: v128 = i32x4.splat(0);
export let fourMinimums: v128 = i32x4.splat(0);

/** Whether `deriveFour` knows the scheme of `d`, which is one of a minimum. */
export function isSimple(d: usize): bool {
  const apply = word(d, Word.Apply);
  const zeroTest = word(d, Word.ZeroTest);
  return (
    word(d, Word.Source) == Source.Data &&
    (apply == Apply.Divide || apply == Apply.Unit) &&
    word(d, Word.Arithmetic) == Arithmetic.Float32 &&
    word(d, Word.Symmetric) == 0 &&
    word(d, Word.IsPlain) == 0 &&
    word(d, Word.ScaleForm) == ScaleForm.Divide &&
    word(d, Word.FloorOn) == Quantity.None &&
    word(d, Word.PowerRule) == PowerRule.None &&
    word(d, Word.ScaleType) == ScaleType.Float32 &&
    word(d, Word.ScaleStride) == 4 &&
    word(d, Word.ZeroPointStorage) == Storage.Float32 &&
    address(d, Word.TensorScale) == 0 &&
    (zeroTest == Quantity.None || zeroTest == Quantity.Extent || zeroTest == Quantity.Scale)
  );
}

/** Sets and stores the parameters of columns `index` to `index` + 3 from the keys of their ends; whether all may go fast. */
// @ts-ignore: decorator
@inline
export function deriveFour(d: usize, highKeys: v128, lowKeys: v128, index: usize): bool {
  const magnitude = i32x4.splat(i32.MAX_VALUE);
  const high = bitsOf(highKeys);
  const low = bitsOf(lowKeys);
  const largest = i32x4.max_s(high, v128.and(low, magnitude));
  if (!i32x4.all_true(i32x4.lt_s(i32x4.max_s(largest, v128.and(high, magnitude)), i32x4.splat(0x7f800000)))) return false;
  // −0 becomes +0.
  const minimum = f32x4.add(low, f32x4.splat(0));
  const extent = f32x4.sub(high, minimum);
  let scale = f32x4.div(extent, f32x4.splat(real(d, Word.Divisor)));
  let divisor = scale;
  const zeroTest = word(d, Word.ZeroTest);
  if (zeroTest != Quantity.None) {
    const isZero = f32x4.eq(zeroTest == Quantity.Extent ? extent : scale, f32x4.splat(0));
    scale = v128.bitselect(f32x4.splat(<f32>wideReal(d, Word.ZeroScale)), scale, isZero);
    divisor = v128.bitselect(f32x4.splat(real(d, Word.ZeroMultiplier)), divisor, isZero);
  }
  v128.store(address(d, Word.Scale) + (index << 2), scale);
  const zeros = address(d, Word.ZeroPoint);
  if (zeros != 0) v128.store(zeros + (index << 2), minimum);
  fourDivisors = divisor;
  fourMinimums = minimum;
  const reach = f32x4.add(largest, f32x4.abs(minimum));
  return i32x4.all_true(f32x4.lt(f32x4.div(reach, f32x4.abs(divisor)), f32x4.splat(BOUND)));
}

/** The bits of keys (see `alone`). */
// @ts-ignore: decorator
@inline
function bitsOf(keys: v128): v128 {
  return v128.xor(keys, v128.and(i32x4.shr_s(keys, 31), i32x4.splat(i32.MAX_VALUE)));
}
