/**
 * Rows of blocks back to float32 (`Mode.Dequantize`).
 */
import { BlockFormat } from '../../../scheme/codes';
import { bytesOfBlock, fourBack, groupOf, minimumAt, oneBack, scaleAt, sizeOf } from './back';

/** `n` values from the blocks at `q` to `p`. */
export function decodeRow(format: BlockFormat, q: usize, n: usize, p: usize): void {
  if (format == BlockFormat.Q8_0 || format == BlockFormat.Q8_0X86) each(BlockFormat.Q8_0, q, n, p);
  else if (format == BlockFormat.Q8_1) each(BlockFormat.Q8_1, q, n, p);
  else if (format == BlockFormat.Q8_K) each(BlockFormat.Q8_K, q, n, p);
  else if (format == BlockFormat.Q4_0) each(BlockFormat.Q4_0, q, n, p);
  else if (format == BlockFormat.Q4_1) each(BlockFormat.Q4_1, q, n, p);
  else if (format == BlockFormat.Q5_0) each(BlockFormat.Q5_0, q, n, p);
  else if (format == BlockFormat.Q5_1) each(BlockFormat.Q5_1, q, n, p);
  else if (format == BlockFormat.Iq4Nl) each(BlockFormat.Iq4Nl, q, n, p);
  else if (format == BlockFormat.Mxfp4) each(BlockFormat.Mxfp4, q, n, p);
  else if (format == BlockFormat.Nvfp4) each(BlockFormat.Nvfp4, q, n, p);
  else if (format == BlockFormat.Float16) single(BlockFormat.Float16, q, n, p);
  else if (format == BlockFormat.Bfloat16) single(BlockFormat.Bfloat16, q, n, p);
  else if (format == BlockFormat.UsearchI8) single(BlockFormat.UsearchI8, q, n, p);
  else if (format == BlockFormat.BitsHigh) ragged(BlockFormat.BitsHigh, q, n, p);
  else if (format == BlockFormat.BitsHighInt8) ragged(BlockFormat.BitsHighInt8, q, n, p);
  else ragged(BlockFormat.BitsLow, q, n, p);
}

/** Whole blocks. */
// @ts-ignore: decorator
@inline
function each(format: BlockFormat, q: usize, n: usize, p: usize): void {
  const size = sizeOf(format);
  const group = groupOf(format);
  for (const end = p + (n << 2); p < end; q += bytesOfBlock(format)) {
    const minimum = f32x4.splat(minimumAt(format, q));
    for (let from: usize = 0; from < size; from += group) {
      const scale = f32x4.splat(scaleAt(format, q, from));
      for (let i = from; i < from + group; i += 4) v128.store(p + (i << 2), fourBack(format, q, i, scale, minimum));
    }
    p += size << 2;
  }
}

/** Values that stand alone, sixteen at a time as long as there are so many. */
// @ts-ignore: decorator
@inline
function single(format: BlockFormat, q: usize, n: usize, p: usize): void {
  const none = f32x4.splat(0);
  const size = bytesOfBlock(format);
  for (; n >= 16; n -= 16) {
    v128.store(p, fourBack(format, q, 0, none, none));
    v128.store(p, fourBack(format, q + size, 0, none, none), 16);
    v128.store(p, fourBack(format, q + 2 * size, 0, none, none), 32);
    v128.store(p, fourBack(format, q + 3 * size, 0, none, none), 48);
    p += 64;
    q += 4 * size;
  }
  ragged(format, q, n, p);
}

/** A row that may end within a block: its last values one by one. */
// @ts-ignore: decorator
@inline
function ragged(format: BlockFormat, q: usize, n: usize, p: usize): void {
  const whole = n & ~(sizeOf(format) - 1);
  each(format, q, whole, p);
  for (let i = whole; i < n; i++) store<f32>(p + (i << 2), oneBack(format, q, i));
}
