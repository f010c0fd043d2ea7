/**
 * The one entry of the kernels: carries out the descriptor at an address. It allocates nothing and has no static
 * data, so that any number of lanes may instantiate the module over the same memory.
 */
import { Element, Op } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { blocks } from './blocks/rows';
import { columns } from './columns';
import { chooseFloat } from './floats';
import { pack } from './pack';
import { startParameters } from './parameters';
import { channels, segments } from './groups';
import { attend } from './kv/attend';
import { linear } from './linear/linear';
import { outliers } from './outliers';
import { tensor } from './tensor';
import { transform } from './transforms/transform';
import { word } from './words';

/** Carries out the descriptor at `d`. */
export function execute(d: usize): void {
  const op = word(d, Word.Op);
  if (op >= Op.LinearWeights && op != Op.Attend) {
    linear(d);
    return;
  }
  startParameters(d);
  if (word(d, Word.Element) == Element.Minifloat) chooseFloat(d);
  if (op == Op.Tensor) tensor(d);
  else if (op == Op.Segments) segments(d);
  else if (op == Op.Channels) channels(d);
  else if (op == Op.Blocks) blocks(d);
  else if (op == Op.Pack) pack(d);
  else if (op == Op.Outliers) outliers(d);
  else if (op == Op.Attend) attend(d);
  else if (op >= Op.Rotate) transform(d);
  else columns(d);
}
