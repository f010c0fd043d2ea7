/**
 * What a file that quantlane wrote says of a quantized tensor: its scales, its codes and how many are at an end.
 * @module
 */
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { halves } from '../kernels/reference/half.js';
import { codeSize } from '../scheme/index.js';
import { readChunks } from './chunks.js';
import type { Stored } from './container.js';
import { Moments } from './moments.js';
import { valuesOf } from './values.js';

/** Ranges and shares of a quantized tensor. */
export interface StoredFacts {
  readonly scale: Moments;
  readonly zeroPoint: Moments | undefined;
  readonly codes: Moments;
  /** Share of the codes that are the smallest or the largest one. */
  readonly saturated: number;
}

/** Reads all parts of a tensor once. */
export async function storedFacts(file: TensorFile, stored: Stored): Promise<StoredFacts> {
  const { scheme, codes: entry, scale, zeroPoint } = stored;
  const codes = new Moments();
  const scales = new Moments();
  let ends = 0;
  const [lo, hi] = scheme.codes;
  const take = (values: ArrayLike<number>): void => {
    codes.add(values);
    for (let index = 0; index < values.length; index++) if (values[index] === lo || values[index] === hi) ends++;
  };
  if (scheme.layout === 'planar') await readValues(file, entry, take);
  else {
    const { blockBytes, codesAt } = scheme.layout;
    const size = scheme.granularity.kind === 'perBlock' ? scheme.granularity.size * codeSize(scheme.dtype) : 0;
    for await (const bytes of readChunks(file, entry, blockBytes)) {
      const blocks = bytes.length / blockBytes;
      const code = new Uint8Array(blocks * size);
      const bits = new Uint16Array(blocks);
      for (let block = 0; block < blocks; block++) {
        const at = block * blockBytes;
        bits[block] = bytes[at]! | (bytes[at + 1]! << 8);
        code.set(bytes.subarray(at + codesAt, at + codesAt + size), block * size);
      }
      const table = halves();
      scales.add(Float32Array.from(bits, (half) => table[half]!));
      take(valuesOf(scheme.dtype, code));
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
