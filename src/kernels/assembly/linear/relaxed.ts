/**
 * The entry of the module with relaxed instructions: integer products alone, for rows in a form of its own. Each dot
 * product has an operand from 0 to 127 and pairs that fit int16, where every implementation gives the exact integer.
 */
import { RowForm } from '../../../scheme/codes';
import { Word } from '../../../scheme/descriptor';
import { word } from '../words';
import { nibbles } from './nibbles';
import { sevens } from './sevens';

/** Carries out the integer product that `d` describes. */
export function execute(d: usize): void {
  if (word(d, Word.RowForm) == RowForm.Sevens) sevens(d);
  else nibbles(d);
}

/**
 * What a dot product of four makes of 127 · 255: 129,540 where one instruction adds them up, 65,534 where pairs saturate
 * on the way, which takes several instructions, and −508 where the 255 is a −1.
 */
export function probe(): i32 {
  const answer = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
  return i32x4.extract_lane(answer, 0);
}
