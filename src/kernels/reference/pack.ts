/**
 * `Op.Pack`: codes of a byte each to codes that share bytes, and back.
 * @module
 */
import { Mode, Packing, Storage } from '../../scheme/codes.js';
import { Size, Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';
import type { Memory } from './memory.js';

/** Tiles `First` to `Last` of `Length` codes; what is left of the last byte is zero. */
export function packTiles(d: Descriptor, { view }: Memory): void {
  const bits = d.int(Word.Bits);
  const perByte = 8 / bits;
  const from = d.int(Word.First) * Size.TensorTile;
  const to = Math.min(d.address(Word.Length), d.int(Word.Last) * Size.TensorTile);
  const isHighFirst = d.int(Word.Packing) === Packing.HighFirst;
  const isSigned = d.int(Word.Storage) === Storage.Int8;
  const packs = d.int(Word.Mode) === Mode.Quantize;
  const unpacked = d.address(Word.Values);
  const packed = d.address(Word.Codes);
  for (let first = from; first < to; first += perByte) {
    const at = packed + first / perByte;
    let byte = packs ? 0 : view.getUint8(at);
    for (let i = first; i < Math.min(first + perByte, to); i++) {
      const shift = (isHighFirst ? perByte - 1 - (i - first) : i - first) * bits;
      if (packs) byte |= (view.getUint8(unpacked + i) & (2 ** bits - 1)) << shift;
      else view.setInt8(unpacked + i, codeIn(byte, shift, bits, isSigned));
    }
    if (packs) view.setUint8(at, byte);
  }
}

/** The code of `bits` bits from bit `shift` on. */
function codeIn(byte: number, shift: number, bits: number, isSigned: boolean): number {
  const code = (byte >> shift) & (2 ** bits - 1);
  return isSigned && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
}
