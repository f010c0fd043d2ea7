/** One row of values with a preset or a scheme, for tests that tell presets apart. */
import { type TestContext, test } from 'vitest';
import { PRESETS, type QuantizeOptions, type Scheme } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { copied } from './helpers.js';

/** What became of a row. */
export interface Row {
  readonly codes: readonly number[];
  /** The bytes of the codes, as hexadecimal. */
  readonly bytes: string;
  /** The first scale; NaN where it lies within the blocks. */
  readonly scale: number;
  readonly scales: readonly number[];
  readonly zeroPoint: number | undefined;
  /** The values that come back. */
  readonly values: readonly number[];
}

/** One row, [1, columns] unless another shape is given. */
export async function row(
  scheme: string | Scheme,
  values: ArrayLike<number>,
  options: QuantizeOptions = {},
  shape: readonly number[] = [1, values.length],
): Promise<Row> {
  return withRuntime({ lanes: 0 }, async (runtime) => {
    const data = Float32Array.from(values);
    const quantized = runtime.quantizeSync({ dtype: 'float32', shape, data }, scheme, options);
    const back = await runtime.dequantize(quantized);
    const scales = [...(quantized.scale ?? [])];
    const result = {
      codes: [...quantized.data],
      bytes: Buffer.from(copied(quantized.data)).toString('hex'),
      scale: scales[0] ?? Number.NaN,
      scales,
      zeroPoint: quantized.zeroPoint?.[0],
      values: [...back.data],
    };
    back.release();
    quantized.release();
    return result;
  });
}

/** A test of presets against each other; skipped, and listed, while one of them is not there. */
export function between(names: readonly string[], title: string, body: (context: TestContext) => Promise<void>): void {
  const missing = names.filter((name) => !PRESETS.some((each) => each.name === name));
  const text = missing.length === 0 ? title : `${title} (no ${missing.join(', ')})`;
  test.skipIf(missing.length > 0)(text, body);
}

/** The part of places where two lists differ. */
export function shareOf(a: readonly number[], b: readonly number[]): number {
  return a.filter((value, at) => !Object.is(value, b[at])).length / a.length;
}
