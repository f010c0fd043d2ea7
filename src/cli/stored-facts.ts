/**
 * What a file that quantlane wrote says of a quantized tensor: its scales, its codes and how many are at an end.
 * @module
 */

import type { Stored } from '../formats/container.js';
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { productOf } from '../numbers.js';
import { blockParts, codeEnds, numbersOf } from './block-parts.js';
import { readChunks } from './chunks.js';
import { Moments } from './moments.js';
import { valuesOf } from './values.js';

/** Ranges and shares of a quantized tensor. */
export interface StoredFacts {
  readonly scale: Moments;
  readonly zeroPoint: Moments | undefined;
  readonly codes: Moments;
  /** Share of the codes that are the smallest or the largest one; 0 where there are no others. */
  readonly saturated: number;
}

/** Reads all parts of a tensor once. */
export async function storedFacts(file: TensorFile, stored: Stored): Promise<StoredFacts> {
  const { scheme, codes: entry, scale, zeroPoint } = stored;
  const codes = new Moments();
  const scales = new Moments();
  let ends = 0;
  const [lo, hi] = codeEnds(scheme);
  const take = (values: ArrayLike<number>): void => {
    codes.add(values);
    if (hi - lo === 1) return;
    for (let index = 0; index < values.length; index++) if (values[index] === lo || values[index] === hi) ends++;
  };
  if (scheme.layout === 'planar') {
    // The last byte of codes that share bytes may hold some that are none.
    let left = productOf(stored.note.shape);
    for await (const bytes of readChunks(file, entry, 8)) {
      const all = numbersOf(scheme, bytes);
      const numbers = all.length <= left ? all : Array.from(all).slice(0, left);
      left -= numbers.length;
      take(numbers);
    }
  } else {
    const columns = stored.note.shape.at(-1)!;
    let position = 0;
    for await (const bytes of readChunks(file, entry, scheme.layout.blockBytes)) {
      const parts = blockParts(scheme, bytes, { position, columns });
      scales.add(parts.scales);
      take(parts.codes);
      position += bytes.length;
    }
  }
  if (scale !== undefined) await readValues(file, scale, (values) => scales.add(values));
  let zeros: Moments | undefined;
  if (zeroPoint !== undefined) {
    zeros = new Moments();
    await readValues(file, zeroPoint, (values) => zeros!.add(values));
  }
  return { scale: scales, zeroPoint: zeros, codes, saturated: codes.count === 0 ? 0 : ends / codes.count };
}

/** Hands the values of a tensor over, in parts. */
export async function readValues(
  file: TensorFile,
  entry: TensorEntry,
  take: (values: ArrayLike<number>) => void,
): Promise<void> {
  for await (const bytes of readChunks(file, entry, 8)) take(valuesOf(entry.dtype, bytes));
}
