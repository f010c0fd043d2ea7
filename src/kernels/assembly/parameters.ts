/**
 * From a range to scale, multiplier and zero point, all in float32 and in the order of operations that the scheme
 * names. The numbers of the equations are those of docs/quantization.md.
 */
import { Apply, Quantity, ScaleForm, ScaleType, Source, Storage, Word, ZeroPointRule } from '../../scheme/codes';
import { halfBits, halfOf } from './load';
import { address, real, word } from './words';

/** Products beyond this size do not take the fast path: its rounding is exact only below 2^22. */
const BOUND: f32 = 2097152;

/** The scale before it is rounded to its stored type. */
export let scale: f32 = 0;
/** The scale as the consumer reads it. */
export let storedScale: f32 = 0;
/** What a value is multiplied with, or divided by under `Apply.Divide`. */
export let multiplier: f32 = 0;
export let zeroPoint: i32 = 0;
/** The ends of the range, for values that saturate to them. */
export let largest: f32 = 0;
export let smallest: f32 = 0;

/** Sets the parameters from the bits of a range (equations 6 to 13). */
export function derive(d: usize, highBits: i32, lowBits: i32): void {
  largest = reinterpret<f32>(highBits);
  smallest = reinterpret<f32>(lowBits) + 0.0;
  if (largest != largest || smallest != smallest) {
    largest = NaN;
    smallest = NaN;
  }
  const divisor = real(d, Word.Divisor);
  const floorOn = word(d, Word.FloorOn);
  let extent = word(d, Word.Symmetric) ? (largest >= -smallest || largest != largest ? largest : -smallest) : largest - smallest;
  if (floorOn == Quantity.Extent && extent < real(d, Word.Floor)) extent = real(d, Word.Floor);
  const form = word(d, Word.ScaleForm);
  if (form == ScaleForm.Divide) scale = extent / divisor;
  else if (form == ScaleForm.Reciprocal) scale = extent * (<f32>1 / divisor);
  else scale = <f32>1 / (divisor / extent);
  if (floorOn == Quantity.Scale && scale < real(d, Word.Floor)) scale = real(d, Word.Floor);
  const apply = word(d, Word.Apply);
  if (apply == Apply.Divide) multiplier = scale;
  else if (apply == Apply.Reciprocal) multiplier = <f32>1 / scale;
  else multiplier = divisor / extent;
  const zeroTest = word(d, Word.ZeroTest);
  if ((zeroTest == Quantity.Extent && extent == 0) || (zeroTest == Quantity.Scale && scale == 0)) {
    scale = real(d, Word.ZeroScale);
    multiplier = real(d, Word.ZeroMultiplier);
  }
  const isWide = word(d, Word.ScaleType) == ScaleType.Float32;
  storedScale = isWide ? scale : reinterpret<f32>(halfBits(halfOf(scale)));
  zeroPoint = deriveZeroPoint(d);
}

/** The zero point of an affine scheme (equations 11 and 12); 0 for a symmetric one. */
function deriveZeroPoint(d: usize): i32 {
  const rule = word(d, Word.ZeroPointRule);
  if (rule == ZeroPointRule.None) return 0;
  const lo = <f32>word(d, Word.LowCode);
  const hi = <f32>word(d, Word.HighCode);
  let z: f32;
  if (rule == ZeroPointRule.RoundLast) {
    z = lo - smallest / scale;
  } else {
    const low = smallest * multiplier;
    const high = largest * multiplier;
    z = lo + low + (hi + high) > 0 ? lo - low : hi - high;
  }
  z = z < hi ? (z > lo ? z : lo) : hi;
  return <i32>nearest<f32>(z);
}

/** Whether every value of the range, scaled, is small enough for the fast path; false where anything is NaN. */
export function bounded(d: usize, highBits: i32, lowBits: i32): bool {
  const amax = reinterpret<f32>(max(highBits, lowBits & 0x7fffffff));
  return (word(d, Word.Apply) == Apply.Divide ? amax / abs(multiplier) : amax * abs(multiplier)) < BOUND;
}

/** Writes scale and zero point of parameter `index`. */
export function storeParameters(d: usize, index: usize): void {
  const at = address(d, Word.Scale) + index * address(d, Word.ScaleStride);
  if (word(d, Word.ScaleType) == ScaleType.Float32) store<f32>(at, scale);
  else store<u16>(at, <u16>halfOf(storedScale));
  const zeros = address(d, Word.ZeroPoint);
  if (zeros == 0) return;
  const storage = word(d, Word.ZeroPointStorage);
  if (storage <= Storage.Uint8) store<u8>(zeros + index, <u8>zeroPoint);
  else if (storage <= Storage.Uint16) store<u16>(zeros + (index << 1), <u16>zeroPoint);
  else store<i32>(zeros + (index << 2), zeroPoint);
}

/** Reads scale and zero point of parameter `index`, given or stored before. */
export function loadParameters(d: usize, index: usize): void {
  const at = address(d, Word.Scale) + index * address(d, Word.ScaleStride);
  scale = word(d, Word.ScaleType) == ScaleType.Float32 ? load<f32>(at) : reinterpret<f32>(halfBits(load<u16>(at)));
  storedScale = scale;
  multiplier = word(d, Word.Apply) == Apply.Divide ? scale : <f32>1 / scale;
  largest = Infinity;
  smallest = -Infinity;
  zeroPoint = 0;
  const zeros = address(d, Word.ZeroPoint);
  if (zeros == 0) return;
  const storage = word(d, Word.ZeroPointStorage);
  if (storage == Storage.Int8) zeroPoint = load<i8>(zeros + index);
  else if (storage == Storage.Uint8) zeroPoint = load<u8>(zeros + index);
  else if (storage == Storage.Int16) zeroPoint = load<i16>(zeros + (index << 1));
  else if (storage == Storage.Uint16) zeroPoint = load<u16>(zeros + (index << 1));
  else zeroPoint = load<i32>(zeros + (index << 2));
}

/** Makes the parameters of `index` ready where they do not come from the values: from a given range, or as given. */
export function resolveParameters(d: usize, index: usize): void {
  if (word(d, Word.Source) == Source.Given) return loadParameters(d, index);
  const high = reinterpret<i32>(max<f32>(0, load<f32>(address(d, Word.RangeHigh) + (index << 2))));
  const low = reinterpret<i32>(min<f32>(-0.0, load<f32>(address(d, Word.RangeLow) + (index << 2))));
  derive(d, high, low);
  storeParameters(d, index);
}
