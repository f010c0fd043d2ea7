/**
 * Transforms: float32 of the values, to be quantized later. The type of the values is chosen once a descriptor. NaN and
 * infinities go through the arithmetic; a NaN that comes out is the canonical one.
 */
import { Dtype, Op } from '../../../scheme/codes';
import { Word } from '../../../scheme/descriptor';
import { word } from '../words';
import { rotate } from './rotate';
import { divide, multiply } from './scale';
import { transpose } from './transpose';

/** Carries out the transform that `d` describes. */
export function transform(d: usize): void {
  const dtype = word(d, Word.Dtype);
  if (dtype == Dtype.Float32) transformFrom<f32>(d);
  else if (dtype == Dtype.Float16) transformFrom<u16>(d);
  else transformFrom<i16>(d);
}

function transformFrom<T>(d: usize): void {
  const op = word(d, Word.Op);
  if (op == Op.Rotate) rotate<T>(d);
  else if (op == Op.Divide) divide<T>(d);
  else if (op == Op.Multiply) multiply<T>(d);
  else transpose<T>(d);
}
