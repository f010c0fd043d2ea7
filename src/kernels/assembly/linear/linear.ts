/**
 * Linear layers: weights and rows are laid out once for the kernels that multiply them (docs/linear.md).
 */
import { LinearForm, Op } from '../../../scheme/codes';
import { Word } from '../../../scheme/descriptor';
import { word } from '../words';
import { floats } from './floats';
import { int4 } from './int4';
import { layRows } from './rows';
import { layWeights } from './weights';
import { wide } from './wide';

/** Carries out the step of a linear layer that `d` describes. */
export function linear(d: usize): void {
  const op = word(d, Word.Op);
  const form = word(d, Word.Form);
  if (op == Op.LinearWeights) layWeights(d);
  else if (op == Op.LinearRows) layRows(d);
  else if (form <= LinearForm.Int8Groups) wide(d);
  else if (form == LinearForm.Int4Groups) int4(d);
  else if (form == LinearForm.Float32) floats<f32>(d);
  else if (form == LinearForm.Float16) floats<u16>(d);
  else floats<i16>(d);
}
