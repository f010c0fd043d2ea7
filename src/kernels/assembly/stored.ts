/**
 * Parameters where they lie: written, or made ready from a range or as they are given.
 */
import { ScaleType, Source, Storage } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { halfOf } from './load';
import { derive, loadParameters, minimum, scale, storedScale, wideScale, zeroPoint } from './parameters';
import { e4m3Of, scaleByte } from './powers';
import { address, word } from './words';

/** Writes scale and zero point of parameter `index`. */
export function storeParameters(d: usize, index: usize): void {
  const at = address(d, Word.Scale) + index * address(d, Word.ScaleStride);
  const type = word(d, Word.ScaleType);
  if (type == ScaleType.Float32) store<f32>(at, scale);
  else if (type == ScaleType.Float64) store<f64>(at, wideScale);
  else if (type == ScaleType.Float16) store<u16>(at, <u16>halfOf(storedScale));
  else if (type == ScaleType.E8m0) store<u8>(at, <u8>scaleByte(scale));
  else store<u8>(at, <u8>e4m3Of(scale));
  const zeros = address(d, Word.ZeroPoint);
  if (zeros == 0) return;
  const storage = word(d, Word.ZeroPointStorage);
  if (storage <= Storage.Uint8) store<u8>(zeros + index, <u8>zeroPoint);
  else if (storage <= Storage.Uint16) store<u16>(zeros + (index << 1), <u16>zeroPoint);
  else if (storage == Storage.Int32) store<i32>(zeros + (index << 2), zeroPoint);
  else store<f32>(zeros + (index << 2), minimum);
}

/** Makes the parameters of `index` ready where they do not come from the values: from a given range, or as given. */
export function resolveParameters(d: usize, index: usize): void {
  if (word(d, Word.Source) == Source.Given) return loadParameters(d, index);
  let high = load<f32>(address(d, Word.RangeHigh) + (index << 2));
  let low = load<f32>(address(d, Word.RangeLow) + (index << 2));
  if (word(d, Word.WithoutZero) == 0) {
    high = max<f32>(0, high);
    low = min<f32>(-0.0, low);
  }
  derive(d, reinterpret<i32>(high), reinterpret<i32>(low));
  storeParameters(d, index);
}
