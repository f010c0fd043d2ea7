/**
 * Codes of a byte each to codes that share bytes, and back (`Op.Pack`). A tile is a multiple of every byte, so tiles may
 * be packed in any order; what is left of the last byte is zero.
 */
import { Mode, Packing, Storage } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { address, word } from './words';

/** Tiles `First` to `Last` of `Length` codes. */
export function pack(d: usize): void {
  const bits: usize = address(d, Word.Bits);
  const from = address(d, Word.First) * Size.TensorTile;
  const to = min(address(d, Word.Length), address(d, Word.Last) * Size.TensorTile);
  const unpacked = address(d, Word.Values) + from;
  const packed = address(d, Word.Codes) + (from * bits) / 8;
  const isHighFirst = word(d, Word.Packing) == Packing.HighFirst;
  const n = to - from;
  if (word(d, Word.Mode) == Mode.Dequantize) {
    spread(packed, n, unpacked, bits, isHighFirst, word(d, Word.Storage) == Storage.Int8);
  } else if (bits == 4) {
    gather4(unpacked, n, packed, isHighFirst);
  } else {
    gather(unpacked, n, packed, bits, isHighFirst);
  }
}

/** Two codes a byte, sixteen bytes at a time. */
function gather4(p: usize, n: usize, q: usize, isHighFirst: bool): void {
  const even = i16x8.splat(0x000f);
  let i: usize = 0;
  for (; i + 32 <= n; i += 32) {
    v128.store(q + (i >> 1), i8x16.narrow_i16x8_u(pairs(p + i, even, isHighFirst), pairs(p + i + 16, even, isHighFirst)));
  }
  gather(p + i, n - i, q + (i >> 1), 4, isHighFirst);
}

/** Eight bytes of two codes each, in 16-bit lanes. */
// @ts-ignore: decorator
@inline
function pairs(p: usize, even: v128, isHighFirst: bool): v128 {
  const codes = v128.load(p);
  const first = v128.and(codes, even);
  const second = v128.and(i16x8.shr_u(codes, 8), even);
  if (isHighFirst) return v128.or(i16x8.shl(first, 4), second);
  return v128.or(first, i16x8.shl(second, 4));
}

/** `n` codes of `bits` bits, from bytes. */
function gather(p: usize, n: usize, q: usize, bits: usize, isHighFirst: bool): void {
  const places: usize = 8 / bits;
  const mask: u32 = (1 << <u32>bits) - 1;
  for (let i: usize = 0; i < n; i += places) {
    let byte: u32 = 0;
    const count: usize = min<usize>(places, n - i);
    for (let k: usize = 0; k < count; k++) {
      const place: usize = isHighFirst ? places - 1 - k : k;
      byte |= ((<u32>load<u8>(p + i + k)) & mask) << <u32>(place * bits);
    }
    store<u8>(q + i / places, <u8>byte);
  }
}

/** `n` codes of `bits` bits, to bytes; signed ones keep their sign. */
function spread(q: usize, n: usize, p: usize, bits: usize, isHighFirst: bool, isSigned: bool): void {
  let i: usize = 0;
  if (bits == 4) {
    const low = i16x8.splat(0x000f);
    for (; i + 16 <= n; i += 16) {
      const bytes = v128.load64_zero(q + (i >> 1));
      const wide = i16x8.extend_low_i8x16_u(bytes);
      const nibble0 = v128.and(wide, low);
      const nibble1 = i16x8.shr_u(wide, 4);
      const first = isHighFirst ? nibble1 : nibble0;
      const second = isHighFirst ? nibble0 : nibble1;
      let codes = v128.or(first, i16x8.shl(second, 8));
      // (code ^ 8) − 8 repeats the sign.
      if (isSigned) codes = i8x16.sub(v128.xor(codes, i8x16.splat(8)), i8x16.splat(8));
      v128.store(p + i, codes);
    }
  }
  const places: usize = 8 / bits;
  const mask: i32 = (1 << <i32>bits) - 1;
  const sign: i32 = isSigned ? 1 << <i32>(bits - 1) : 0;
  for (; i < n; i++) {
    const k: usize = i % places;
    const place: usize = isHighFirst ? places - 1 - k : k;
    const code = (<i32>load<u8>(q + i / places) >> <i32>(place * bits)) & mask;
    store<u8>(p + i, <u8>((code ^ sign) - sign));
  }
}
