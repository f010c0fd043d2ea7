/**
 * Where things lie in a page. Every part is a multiple of 4 bytes long.
 * @module
 */
import type { KeyValueFormat } from './options.js';
import { type Stored, storedOf } from './stored.js';

/** Bytes from the start of a quantized page; those of minima are −1 where there are none. */
export interface FrozenLayout {
  readonly keyScale: number;
  readonly keyMinimum: number;
  readonly valueScale: number;
  readonly valueMinimum: number;
  readonly keys: number;
  readonly values: number;
  /** Bytes of the page. */
  readonly bytes: number;
}

/** How the pages of a cache lie. */
export interface PageLayout {
  readonly format: KeyValueFormat;
  readonly keys: Stored;
  readonly values: Stored;
  readonly frozen: FrozenLayout;
  /** float32 values of a token: keys, or values, of all heads of a layer. */
  readonly width: number;
  /** Whether any page is ever quantized. */
  readonly freezes: boolean;
}

/** The layout of a format. */
export function pageLayout(format: KeyValueFormat): PageLayout {
  const keys = storedOf(format.keys, format);
  const values = storedOf(format.values, format);
  let at = 0;
  const take = (bytes: number): number => {
    at += bytes;
    return at - bytes;
  };
  const parts = {
    keyScale: take(keys.scales * 4),
    keyMinimum: keys.minima === 0 ? -1 : take(keys.minima * 4),
    valueScale: take(values.scales * 4),
    valueMinimum: values.minima === 0 ? -1 : take(values.minima * 4),
    keys: take(keys.codeBytes),
    values: take(values.codeBytes),
  };
  const freezes = keys.quantized !== undefined || values.quantized !== undefined;
  return { format, keys, values, frozen: { ...parts, bytes: at }, width: format.heads * format.headDim, freezes };
}

/** Bytes of a page of float32: keys of `tokens`, then their values. */
export function floatBytes({ width }: PageLayout, tokens: number): number {
  return tokens * width * 8;
}
