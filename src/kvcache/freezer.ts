/**
 * From float32 pages to quantized ones, and the values that quantized ones stand for.
 * @module
 */
import type { PageLayout } from './layout.js';
import type { Machine } from './machine.js';
import type { Page, Piece } from './page.js';
import type { Stored } from './stored.js';

/** Addresses of codes and their parameters; a minimum of 0 is none. */
interface Place {
  readonly codes: number;
  readonly scale: number;
  readonly minimum: number;
}

/** Where the keys of a quantized page lie. */
export function keysIn({ frozen }: PageLayout, { byteOffset }: Page): Place {
  return placeOf(byteOffset, frozen.keys, frozen.keyScale, frozen.keyMinimum);
}

/** Where the values of a quantized page lie. */
export function valuesIn({ frozen }: PageLayout, { byteOffset }: Page): Place {
  return placeOf(byteOffset, frozen.values, frozen.valueScale, frozen.valueMinimum);
}

function placeOf(start: number, codes: number, scale: number, minimum: number): Place {
  return { codes: start + codes, scale: start + scale, minimum: minimum < 0 ? 0 : start + minimum };
}

/** Quantizes the full float32 page `from` to the page `to`. */
export function freeze(machine: Machine, layout: PageLayout, from: Page, to: Page): void {
  const half = layout.format.block * layout.width * 4;
  encode(machine, layout.keys, from.byteOffset, keysIn(layout, to), half);
  encode(machine, layout.values, from.byteOffset + half, valuesIn(layout, to), half);
}

/** Codes of the `bytes` of float32 at `from`. */
function encode(machine: Machine, { quantized }: Stored, from: number, to: Place, bytes: number): void {
  if (quantized === undefined) {
    machine.bytes.copyWithin(to.codes, from, from + bytes);
    return;
  }
  const { encode: kind, pack } = quantized;
  const places = { values: from, scale: to.scale, zeroPoint: to.minimum };
  if (pack === null) {
    machine.run(kind, { ...places, codes: to.codes });
    return;
  }
  machine.with(bytes / 4, (unpacked) => {
    machine.run(kind, { ...places, codes: unpacked });
    machine.run(pack, { values: unpacked, codes: to.codes });
  });
}

/** What a piece holds, as float32 of `[heads, capacity, headDim]` at the address `to`: keys, then values. */
export function thaw(machine: Machine, layout: PageLayout, { kind, page, capacity }: Piece, to: number): void {
  const bytes = capacity * layout.width * 4;
  if (kind === 'frozen') {
    decode(machine, layout.keys, keysIn(layout, page), to, bytes);
    decode(machine, layout.values, valuesIn(layout, page), to + bytes, bytes);
  } else {
    machine.bytes.copyWithin(to, page.byteOffset, page.byteOffset + 2 * bytes);
  }
}

/** `bytes` of float32 at `to` of codes. */
function decode(machine: Machine, { quantized }: Stored, from: Place, to: number, bytes: number): void {
  if (quantized === undefined) {
    machine.bytes.copyWithin(to, from.codes, from.codes + bytes);
    return;
  }
  const { decode: kind, unpack } = quantized;
  const places = { values: to, scale: from.scale, zeroPoint: from.minimum };
  if (unpack === null) {
    machine.run(kind, { ...places, codes: from.codes });
    return;
  }
  machine.with(bytes / 4, (unpacked) => {
    machine.run(unpack, { values: unpacked, codes: from.codes });
    machine.run(kind, { ...places, codes: unpacked });
  });
}
