/**
 * Work with one parameter for the whole tensor (`Op.Tensor`), in tiles. Its range needs all values before the first
 * code: in one call (`Source.Data`), or in a pass of its own whose parts are merged afterwards (`Source.Barrier`).
 */
import { Mode, NonFinite, Source } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { decode } from './decode';
import { bytesOf } from './load';
import { clearRecord, recordOf } from './measure';
import { bounded, derive, loadParameters } from './parameters';
import { dirty, extend, high, low, mergeAs, setRange, startRange } from './range';
import { conclude, finish, finishGiven } from './runs';
import { resolveParameters, storeParameters } from './stored';
import { address, setWord, word } from './words';

/** Tiles `First` to `Last`. */
export function tensor(d: usize): void {
  const length: usize = address(d, Word.Length);
  const from = address(d, Word.First) * Size.TensorTile;
  const to = min(length, address(d, Word.Last) * Size.TensorTile);
  const mode = word(d, Word.Mode);
  if (mode == Mode.Dequantize) {
    loadParameters(d, 0);
    decode(d, address(d, Word.Codes) + from * codeBytes(d), to - from, address(d, Word.Values) + (from << 2));
    return;
  }
  const size = bytesOf(word(d, Word.Dtype));
  const values = address(d, Word.Values);
  const source = word(d, Word.Source);
  if (mode == Mode.Range || source == Source.Data) {
    setRange(word(d, Word.High), word(d, Word.Low), false);
    extend(d, values + from * size, size, to - from, <i32>from, 1);
    setWord(d, Word.High, high);
    setWord(d, Word.Low, low);
    if (mode == Mode.Range || !conclude(d, 0)) return;
  } else if (source == Source.Barrier) {
    merge(d);
    if (dirty && word(d, Word.NonFinite) == NonFinite.Error) return;
    derive(d, high, low);
    // Every part derives the same parameters; the first one stores them.
    if (from == 0) storeParameters(d, 0);
  } else {
    resolveParameters(d, 0);
  }
  const isFromValues = source == Source.Data || source == Source.Barrier;
  const isFast = isFromValues && !dirty && bounded(d, high, low);
  const isDirty = dirty;
  const codes = address(d, Word.Codes);
  // From the last tile to the first: what the range pass read last is still in the cache.
  for (let tile = (to - from + Size.TensorTile - 1) / Size.TensorTile; tile-- > 0; ) {
    const at = from + tile * Size.TensorTile;
    const unit = at / Size.TensorTile;
    const n = min<usize>(Size.TensorTile, to - at);
    if (word(d, Word.Statistics) != 0) clearRecord(recordOf(d, unit));
    const p = values + at * size;
    const q = codes + at * codeBytes(d);
    if (isFromValues) finish(d, p, n, q, unit, isDirty, isFast);
    else finishGiven(d, p, n, q, unit, <i32>at);
  }
}

/** Sets the range to that of all parts of the earlier pass. */
function merge(d: usize): void {
  const base = address(d, Word.RingBase);
  const ring = word(d, Word.RingCount);
  const first = word(d, Word.BarrierFirst);
  const count = word(d, Word.BarrierCount);
  startRange(d);
  let isDirty = false;
  for (let k = 0; k < count; k++) {
    const part = base + <usize>((first + k) % ring) * Size.Descriptor;
    mergeAs(d, word(part, Word.High), word(part, Word.Low));
    if (word(part, Word.BadCount) != 0) isDirty = true;
  }
  setRange(high, low, isDirty);
}
