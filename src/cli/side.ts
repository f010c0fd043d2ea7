/**
 * One side of a comparison: the tensors of a file by name, whose values come in parts, those that `quantize` wrote
 * dequantized.
 * @module
 */
import { fail } from '../errors.js';
import { entriesOf, storedIn } from '../formats/container.js';
import type { TensorEntry, TensorFile } from '../formats/index.js';
import type { Runtime } from '../runtime/index.js';
import { readChunks } from './chunks.js';
import type { Context } from './context.js';
import { restoredValues } from './restore.js';
import type { Source } from './sources.js';
import { valuesOf } from './values.js';

/** A tensor of a side. */
export interface SideTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** What the values are in the file: their type, or the preset of codes. */
  readonly kind: string;
  /** The values in their order; each part is good until the next. */
  values(): AsyncIterable<ArrayLike<number>>;
}

/**
 * The tensors of a file, in the order of the file.
 * @throws ERR_QUANTLANE_FORMAT where what `quantize` wrote is not whole
 */
export function sideOf({ file, label }: Source, runtime: Runtime, context: Context): Map<string, SideTensor> {
  const stored = storedIn(file, label);
  const parts = new Set(stored.flatMap(entriesOf));
  const tensors = stored.map((one): SideTensor => {
    const { name, note } = one;
    return {
      name,
      shape: note.shape,
      kind: note.preset,
      values: () => restoredValues({ file, stored: one, runtime, context }),
    };
  });
  for (const entry of file.tensors) if (!parts.has(entry)) tensors.push(plainTensor(file, entry));
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function plainTensor(file: TensorFile, entry: TensorEntry): SideTensor {
  const { name, shape, dtype, blocks } = entry;
  return {
    name,
    shape: blocks?.shape ?? shape,
    kind: blocks?.type ?? dtype,
    async *values() {
      if (blocks !== undefined) throw fail('ERR_QUANTLANE_DTYPE', `Expected numbers, got ${blocks.type} blocks`);
      for await (const bytes of readChunks(file, entry, 8)) yield valuesOf(dtype, bytes);
    },
  };
}

/**
 * Two runs of values side by side, cut where either is.
 * @throws errors of either
 */
export async function* pairsOf(
  a: AsyncIterable<ArrayLike<number>>,
  b: AsyncIterable<ArrayLike<number>>,
): AsyncGenerator<readonly [ArrayLike<number>, ArrayLike<number>]> {
  const sides = [a, b].map((values) => ({ iterator: values[Symbol.asyncIterator](), rest: [] as ArrayLike<number> }));
  const [left, right] = sides as [(typeof sides)[0], (typeof sides)[0]];
  try {
    for (;;) {
      for (const side of sides) {
        if (side.rest.length > 0) continue;
        const { value, done } = await side.iterator.next();
        if (done === true) return;
        side.rest = value;
      }
      const length = Math.min(left.rest.length, right.rest.length);
      yield [part(left.rest, 0, length), part(right.rest, 0, length)];
      for (const side of sides) side.rest = part(side.rest, length, side.rest.length);
    }
  } finally {
    for (const { iterator } of sides) await iterator.return?.();
  }
}

function part(values: ArrayLike<number>, start: number, end: number): ArrayLike<number> {
  return (values as Float32Array).subarray(start, end);
}
