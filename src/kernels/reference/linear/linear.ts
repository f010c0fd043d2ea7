/**
 * Linear layers: weights and rows are laid out, and multiplied (docs/linear.md).
 * @module
 */
import { LinearForm, Op } from '../../../scheme/codes.js';
import { Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import type { Memory } from '../memory.js';
import { floatProduct, int4Product, integerProduct } from './product.js';
import { layRows } from './rows.js';
import { layWeights } from './weights.js';

/** Carries out the step of a linear layer that `d` describes. */
export function linear(d: Descriptor, memory: Memory): void {
  const op = d.int(Word.Op);
  const form = d.int(Word.Form);
  if (op === Op.LinearWeights) layWeights(d, memory);
  else if (op === Op.LinearRows) layRows(d, memory);
  else if (form <= LinearForm.Int8Groups) integerProduct(d, memory);
  else if (form === LinearForm.Int4Groups) int4Product(d, memory);
  else floatProduct(d, memory);
}
