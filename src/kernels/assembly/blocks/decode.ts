/**
 * Rows of blocks back to float32 (`Mode.Dequantize`).
 */
import { BlockFormat } from '../../../scheme/codes';
import { halfBits } from '../load';
import { bytesOfBlock, fourBack, groupOf, minimumAt, scaleAt, sizeOf } from './back';

/** `n` values, whole blocks, from the blocks at `q` to `p`. */
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
  else if (format == BlockFormat.Float16) floats(BlockFormat.Float16, q, n, p);
  else floats(BlockFormat.Bfloat16, q, n, p);
}

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

// @ts-ignore: decorator
@inline
function floats(format: BlockFormat, q: usize, n: usize, p: usize): void {
  const none = f32x4.splat(0);
  const whole = n & ~3;
  for (let i: usize = 0; i < whole; i += 4) v128.store(p + (i << 2), fourBack(format, q + (i << 1), 0, none, none));
  for (let i = whole; i < n; i++) store<f32>(p + (i << 2), oneFloat(format, q + (i << 1)));
}

/** The value of 16 bits, NaN the canonical one. */
// @ts-ignore: decorator
@inline
export function oneFloat(format: BlockFormat, q: usize): f32 {
  const bits = <i32>load<u16>(q);
  const x = reinterpret<f32>(format == BlockFormat.Float16 ? halfBits(bits) : bits << 16);
  return x == x ? x : NaN;
}
