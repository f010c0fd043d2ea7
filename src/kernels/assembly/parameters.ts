/**
 * From a range to scale, multiplier and zero point, in the precision and the order of operations that the scheme
 * names. The numbers of the equations are those of docs/quantization.md.
 */
import { Added, Apply, Arithmetic, PowerRule, Quantity, ScaleForm, ScaleType, Storage, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { halfBits, halfOf } from './load';
import { biased, e4m3Of, e4m3Value, exponentOf, powerOf } from './powers';
import { address, real, wideReal, word } from './words';
import { zeroPointOf } from './zero-point';

/** Products beyond this size do not take the fast path: its rounding is exact only below 2^22. */
export const BOUND: f32 = 2097152;
/** Zero points beyond these do not take the fast path either: added in integers, and added before rounding. */
const ZERO_BOUND: i32 = 1 << 29;
const ZERO_BOUND_BEFORE: i32 = 1 << 20;
const POSITIVE_INFINITY: i32 = 0x7f800000;
const NEGATIVE_INFINITY: i32 = 0x7f800000 | i32.MIN_VALUE;

/** The scale in float32, before it is rounded to its stored type. */
export let scale: f32 = 0;
/** The scale in float64: that of float32 arithmetic, widened, or the one that `scale` was rounded from. */
export let wideScale: f64 = 0;
/** The scale as the consumer reads it. */
export let storedScale: f32 = 0;
/** What a value is multiplied with, or divided by under `Apply.Divide`. */
export let multiplier: f32 = 0;
/** What a value is multiplied with under `Added.BeforeWide`. */
export let wideMultiplier: f64 = 0;
export let zeroPoint: i32 = 0;
/** The value of the lowest code, which is taken off before scaling; 0 but for schemes with a minimum. */
export let minimum: f32 = 0;
/** Whether values are divided by the scale where the scheme multiplies: those of a last block that is shorter. */
export let dividesRagged: bool = false;
/** The scale of the whole tensor, or 1. */
let tensorScale: f32 = 1;
/** The ends of the range, for values that saturate to them. */
export let largest: f32 = 0;
export let smallest: f32 = 0;
/** The ends of the range that the zero point follows from. */
let top: f32 = 0;
let bottom: f32 = 0;

/** Sets the parameters from the bits of a range (equations 6 to 13 and 19 to 24). */
export function derive(d: usize, highBits: i32, lowBits: i32): void {
  setEnds(highBits, lowBits);
  const isZero = word(d, Word.Arithmetic) == Arithmetic.Float32 ? deriveSingle(d) : deriveWide(d);
  if (isZero) {
    wideScale = wideReal(d, Word.ZeroScale);
    scale = <f32>wideScale;
    multiplier = real(d, Word.ZeroMultiplier);
    wideMultiplier = <f64>multiplier;
  }
  // Engines and processors differ in the sign of a computed NaN: here it is the canonical one.
  if (scale != scale) scale = NaN;
  if (wideScale != wideScale) wideScale = NaN;
  if (word(d, Word.IsPlain) != 0) {
    storedScale = scale;
  } else {
    storedScale = asStored(d, scale) * real(d, Word.Step) * tensorScale;
    if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
      minimum = smallest;
      zeroPoint = word(d, Word.LowCode);
      return;
    }
  }
  const zero = word(d, Word.ZeroZero);
  zeroPoint = isZero && zero != i32.MIN_VALUE ? zero : zeroPointOf(d, bottom, top, wideScale, multiplier);
}

/** A scale rounded to its stored type, before that of the tensor. */
function asStored(d: usize, scale: f32): f32 {
  const type = word(d, Word.ScaleType);
  if (type == ScaleType.Float16) return reinterpret<f32>(halfBits(halfOf(scale)));
  return type == ScaleType.E4m3 ? e4m3Value(e4m3Of(scale)) : scale;
}

/** Sets the ends; of a range without any value (which begins inside out) to zero. */
function setEnds(highBits: i32, lowBits: i32): void {
  const isEmpty = highBits == NEGATIVE_INFINITY && lowBits == POSITIVE_INFINITY;
  largest = isEmpty ? 0 : reinterpret<f32>(highBits);
  smallest = isEmpty ? 0 : reinterpret<f32>(lowBits) + 0.0;
  if (largest != largest || smallest != smallest) {
    largest = NaN;
    smallest = NaN;
  }
  top = largest;
  bottom = smallest;
}

/** Scale and multiplier in float32; whether the zero test holds. */
function deriveSingle(d: usize): bool {
  const divisor = real(d, Word.Divisor);
  const floor = real(d, Word.Floor);
  const floorOn = word(d, Word.FloorOn);
  let extent = word(d, Word.Symmetric) ? (largest >= -smallest || largest != largest ? largest : -smallest) : largest - smallest;
  if (floorOn == Quantity.Extent && extent < floor) extent = floor;
  const most = real(d, Word.MostMultiplier);
  const form = word(d, Word.ScaleForm);
  if (form == ScaleForm.Divide) scale = extent / divisor;
  else if (form == ScaleForm.Reciprocal) scale = extent * (<f32>1 / divisor);
  else scale = <f32>1 / atMost(divisor / extent, most);
  const isTiny = hasNoReciprocal(d, scale);
  if (!isTiny && (floorOn == Quantity.Scale || floorOn == Quantity.ScaleAndRange) && scale < floor) {
    if (floorOn == Quantity.ScaleAndRange) stretch(floor, divisor, scale);
    scale = floor;
  }
  const apply = word(d, Word.Apply);
  const rule = word(d, Word.PowerRule);
  if (word(d, Word.IsPlain) != 0) {
    if (apply == Apply.Direct) multiplier = divisor / extent;
    else multiplier = apply == Apply.Reciprocal ? <f32>1 / scale : scale;
    wideScale = <f64>scale;
    wideMultiplier = 1 / wideScale;
  } else if (rule != PowerRule.None) {
    derivePower(d, rule, extent, divisor, most);
  } else {
    if (tensorScale != 1) scale = scale / tensorScale;
    const used = word(d, Word.UsesStored) ? asStored(d, scale) : scale;
    if (apply == Apply.Direct) multiplier = atMost(divisor / extent, most);
    else if (apply == Apply.Reciprocal) multiplier = atMost((<f32>1 / tensorScale) / used, most);
    else multiplier = used;
    wideScale = <f64>scale;
    wideMultiplier = 1 / wideScale;
  }
  const zeroTest = word(d, Word.ZeroTest);
  return isTiny || (zeroTest == Quantity.Extent && extent == 0) || (zeroTest == Quantity.Scale && scale == 0);
}

/** The smaller one; NaN stays. */
// @ts-ignore: decorator
@inline
function atMost(multiplier: f32, most: f32): f32 {
  return multiplier > most ? most : multiplier;
}

/** Scale and multiplier where the scale is a power of two (equation 29). */
function derivePower(d: usize, rule: i32, extent: f32, divisor: f32, most: f32): void {
  if (rule == PowerRule.MultiplierFloor) {
    const bits = reinterpret<i32>(atMost(divisor / extent, most));
    multiplier = reinterpret<f32>(bits & 0x7f800000);
    scale = <f32>1 / multiplier;
    wideScale = <f64>scale;
    wideMultiplier = <f64>multiplier;
    return;
  }
  const bits = reinterpret<i32>(rule == PowerRule.ScaleCeil ? scale : extent);
  if (bits >= 0x7f800000) {
    scale = NaN;
    wideScale = NaN;
    multiplier = NaN;
    wideMultiplier = NaN;
    return;
  }
  const exponent = exponentOf(rule, bits, word(d, Word.Mantissa));
  const byte = biased(rule == PowerRule.ScaleCeil ? exponent : exponent - word(d, Word.PowerBase));
  scale = powerOf(byte);
  wideScale = <f64>scale;
  wideMultiplier = 1 / (wideScale * <f64>real(d, Word.Step));
  multiplier = word(d, Word.Apply) == Apply.Divide ? scale * real(d, Word.Step) : <f32>wideMultiplier;
}

/** Scale and multiplier from a range, divisor and floor that are widened to float64; whether the zero test holds. */
function deriveWide(d: usize): bool {
  const divisor = <f64>real(d, Word.Divisor);
  const floor = real(d, Word.Floor);
  const floorOn = word(d, Word.FloorOn);
  const high = <f64>largest;
  const low = <f64>smallest;
  let extent = word(d, Word.Symmetric) ? (high >= -low || high != high ? high : -low) : high - low;
  if (floorOn == Quantity.Extent && extent < <f64>floor) extent = <f64>floor;
  const form = word(d, Word.ScaleForm);
  if (form == ScaleForm.Divide) wideScale = extent / divisor;
  else if (form == ScaleForm.Reciprocal) wideScale = extent * (1 / divisor);
  else wideScale = 1 / (divisor / extent);
  if (word(d, Word.Arithmetic) == Arithmetic.Mixed) wideScale = <f64><f32>wideScale;
  const isTiny = hasNoReciprocal(d, <f32>wideScale);
  if (!isTiny && (floorOn == Quantity.Scale || floorOn == Quantity.ScaleAndRange) && wideScale < <f64>floor) {
    if (floorOn == Quantity.ScaleAndRange) stretch(floor, <f32>divisor, <f32>wideScale);
    wideScale = <f64>floor;
  }
  scale = <f32>wideScale;
  wideMultiplier = 1 / wideScale;
  const apply = word(d, Word.Apply);
  if (apply == Apply.Direct) multiplier = <f32>(divisor / extent);
  else if (apply == Apply.Reciprocal) multiplier = <f32>1 / scale;
  else multiplier = scale;
  const zeroTest = word(d, Word.ZeroTest);
  return isTiny || (zeroTest == Quantity.Extent && extent == 0) || (zeroTest == Quantity.Scale && scale == 0);
}

/** Whether the zero test is one of the reciprocal and holds. */
function hasNoReciprocal(d: usize, scale: f32): bool {
  return word(d, Word.ZeroTest) == Quantity.Reciprocal && abs<f32>(<f32>1 / scale) == Infinity;
}

/** Stretches the range that the zero point follows from as a floor raises its scale (equation 21). */
function stretch(floor: f32, divisor: f32, before: f32): void {
  if (bottom == 0) {
    top = floor * divisor;
  } else if (top == 0) {
    bottom = -(floor * divisor);
  } else {
    const factor = floor / before;
    bottom *= factor;
    top *= factor;
  }
}

/** Whether every value of the range, scaled, is small enough for the fast path; false where anything is NaN. */
export function bounded(d: usize, highBits: i32, lowBits: i32): bool {
  const added = word(d, Word.Added);
  const limit = added == Added.After ? ZERO_BOUND : ZERO_BOUND_BEFORE;
  if (zeroPoint > limit || zeroPoint < -limit) return false;
  const amax = reinterpret<f32>(max(highBits, lowBits & 0x7fffffff));
  if (added == Added.BeforeWide) return <f64>amax * abs(wideMultiplier) < <f64>BOUND;
  // From a minimum a value may be as far as twice the largest magnitude.
  const reach: f32 = word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum ? amax + abs(minimum) : amax;
  // Far below the infinity of float16.
  if (word(d, Word.Apply) == Apply.DivideHalf) return reach / abs(multiplier) < 32768;
  return (multiplies(d) ? reach * abs(multiplier) : reach / abs(multiplier)) < BOUND;
}

/** Whether values are multiplied, not divided. */
// @ts-ignore: decorator
@inline
export function multiplies(d: usize): bool {
  const apply = word(d, Word.Apply);
  return apply == Apply.Reciprocal || apply == Apply.Direct;
}

/** Reads scale and zero point of parameter `index`, given or stored before. */
export function loadParameters(d: usize, index: usize): void {
  const at = address(d, Word.Scale) + index * address(d, Word.ScaleStride);
  const type = word(d, Word.ScaleType);
  if (type == ScaleType.Float64) wideScale = load<f64>(at);
  else if (type == ScaleType.Float32) wideScale = <f64>load<f32>(at);
  else if (type == ScaleType.Float16) wideScale = <f64>reinterpret<f32>(halfBits(load<u16>(at)));
  else if (type == ScaleType.E8m0) wideScale = <f64>powerOf(load<u8>(at));
  else wideScale = <f64>e4m3Value(load<u8>(at));
  scale = <f32>wideScale;
  wideMultiplier = 1 / wideScale;
  loadTensorScale(d);
  storedScale = scale * real(d, Word.Step) * tensorScale;
  multiplier = multiplies(d) ? <f32>1 / scale : scale;
  minimum = 0;
  largest = Infinity;
  smallest = -Infinity;
  zeroPoint = word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum ? word(d, Word.LowCode) : 0;
  const zeros = address(d, Word.ZeroPoint);
  if (zeros == 0) return;
  const storage = word(d, Word.ZeroPointStorage);
  if (storage == Storage.Int8) zeroPoint = load<i8>(zeros + index);
  else if (storage == Storage.Uint8) zeroPoint = load<u8>(zeros + index);
  else if (storage == Storage.Int16) zeroPoint = load<i16>(zeros + (index << 1));
  else if (storage == Storage.Uint16) zeroPoint = load<u16>(zeros + (index << 1));
  else if (storage == Storage.Int32) zeroPoint = load<i32>(zeros + (index << 2));
  else minimum = load<f32>(zeros + (index << 2));
}

/** Four scales as they are stored in float32, as the consumer reads them. */
// @ts-ignore: decorator
@inline
export function asRead(d: usize, scales: v128): v128 {
  return f32x4.mul(f32x4.mul(scales, f32x4.splat(real(d, Word.Step))), f32x4.splat(tensorScale));
}

/** Says whether the values that come are those of a last block that is shorter. */
// @ts-ignore: decorator
@inline
export function setRagged(d: usize, isRagged: bool): void {
  dividesRagged = isRagged && word(d, Word.RaggedDivides) != 0;
}

/** Makes ready for a descriptor: no minimum, and the scale of the whole tensor, if there is one. */
export function startParameters(d: usize): void {
  minimum = 0;
  loadTensorScale(d);
}

/** Reads the scale of the whole tensor, if there is one. */
function loadTensorScale(d: usize): void {
  const at = address(d, Word.TensorScale);
  tensorScale = at == 0 ? 1 : load<f32>(at);
}
