/**
 * Scale and zero point from files, for a scheme whose parameters are given.
 * @module
 */
import { fail } from '../errors.js';
import { type FileDtype, openNpy, type TensorEntry } from '../formats/index.js';
import type { StorageDtype } from '../scheme/index.js';
import { usage } from './failure.js';
import { valuesOf } from './values.js';

/** Scale and zero point of every parameter. */
export interface Parameters {
  readonly scale: Float32Array;
  readonly zeroPoint: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | undefined;
  /** Type of the zero points; undefined where there are none. */
  readonly dtype: StorageDtype | 'int32' | undefined;
  /** Their files, for messages. */
  readonly scalePath: string;
}

/** Types of zero points. */
const STORAGES = ['int8', 'uint8', 'int16', 'uint16', 'int32'] as const;

/** The most values of a file: beyond, it is none of scales. */
const MOST = 2 ** 28;

/**
 * Reads `--scale` and, for an affine scheme, `--zero-point`.
 * @throws UsageError where one is missing; ERR_QUANTLANE_DTYPE for other types, ERR_QUANTLANE_PARAMETERS for values that
 * are no scale or lengths that differ, ERR_QUANTLANE_FORMAT
 */
export async function readParameters(isAffine: boolean, scalePath?: string, zeroPath?: string): Promise<Parameters> {
  if (scalePath === undefined) throw usage('Expected --scale, which this preset needs, got none');
  if (isAffine && zeroPath === undefined) throw usage('Expected --zero-point, which this preset needs, got none');
  if (!isAffine && zeroPath !== undefined) throw usage('Expected no --zero-point, for codes have none, got one');
  const scale = (await readAll(scalePath, ['float32'])).values as Float32Array;
  const wrong = scale.findIndex((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) {
    throw parameters(`${scalePath}: Expected positive finite scales, got ${scale[wrong]} at ${wrong}`);
  }
  if (zeroPath === undefined) return { scale, zeroPoint: undefined, dtype: undefined, scalePath };
  const { values, dtype } = await readAll(zeroPath, STORAGES);
  const zeroPoint = values as Exclude<Parameters['zeroPoint'], undefined>;
  if (zeroPoint.length !== scale.length) {
    throw parameters(`${zeroPath}: Expected ${scale.length} zero points, as many as scales, got ${zeroPoint.length}`);
  }
  return { scale, zeroPoint, dtype: dtype as StorageDtype | 'int32', scalePath };
}

/**
 * Passes parameters that are as many as a tensor needs.
 * @throws ERR_QUANTLANE_PARAMETERS
 */
export function checkCount({ scale, scalePath }: Parameters, needed: number): void {
  if (scale.length === needed) return;
  throw parameters(`Expected ${needed} scales, got ${scale.length} in ${scalePath}`);
}

async function readAll(
  path: string,
  dtypes: readonly FileDtype[],
): Promise<{ values: ArrayLike<number>; dtype: FileDtype }> {
  const file = await openNpy(path);
  try {
    const entry: TensorEntry = file.tensors[0]!;
    if (!dtypes.includes(entry.dtype)) {
      throw fail('ERR_QUANTLANE_DTYPE', `${path}: Expected ${dtypes.join(', ')}, got ${entry.dtype}`);
    }
    if (entry.byteLength === 0 || entry.byteLength > MOST) {
      throw parameters(`${path}: Expected 1 to ${MOST} bytes of values, got ${entry.byteLength}`);
    }
    const bytes = new Uint8Array(entry.byteLength);
    await file.read(entry, 0, bytes);
    return { values: valuesOf(entry.dtype, bytes), dtype: entry.dtype };
  } finally {
    await file.close();
  }
}

function parameters(text: string): Error {
  return fail('ERR_QUANTLANE_PARAMETERS', text);
}
