/**
 * Codes and parameters that come from elsewhere, such as a file, checked and copied into the arena.
 * @module
 */
import { fail, got } from '../errors.js';
import { bytesIn, elementsOf } from '../memory/index.js';
import { dataDtype, resolveScheme, type Scheme, zeroPointDtype } from '../scheme/index.js';
import { isTypedArray } from '../typed-arrays.js';
import { planWith, writeColumns } from './outliers.js';
import type { CodeArray, ScaleArray, ZeroPointArray } from './parts.js';
import type { Plan, Planner } from './plan.js';
import { copySlowly } from './tensor.js';

/** The parts of a quantized tensor, as `QuantizedTensor` has them. */
export interface QuantizedParts {
  /** What the codes were made with. */
  readonly scheme: Scheme | string;
  /** Shape of the values. */
  readonly shape: readonly number[];
  /** The codes, as `QuantizedTensor.data` has them. */
  readonly data: CodeArray;
  /** The scales, as `QuantizedTensor.scale` has them; absent where they lie within the blocks. */
  readonly scale?: ScaleArray | null | undefined;
  /** The zero points, of the type of the codes, int32 or float32; absent for a symmetric scheme. */
  readonly zeroPoint?: ZeroPointArray | null | undefined;
  /** The outlier columns and their values; absent for a scheme that keeps none apart. */
  readonly outliers?: Int32Array | null | undefined;
  readonly outlierValues?: Float32Array | null | undefined;
  /** The scale of the whole tensor, where the scheme has one; default 1. */
  readonly tensorScale?: Float32Array | null | undefined;
}

const TYPES = {
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  float32: 'Float32Array',
  float64: 'Float64Array',
  float16: 'Uint16Array',
  float8e8m0: 'Uint8Array',
  float8e4m3fn: 'Uint8Array',
} as const;

/**
 * The plan that such parts are a result of.
 * @throws ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE for wrong codes, ERR_QUANTLANE_PARAMETERS for wrong parameters, and
 * errors of the planner
 */
export function loadPlan(planner: Planner, parts: QuantizedParts): Plan {
  const { scheme: given, shape, data, scale, zeroPoint, tensorScale, outliers, outlierValues } = parts;
  elementsOf(shape);
  const scheme = resolveScheme(given);
  // Parameters that are given are only asked whether they are there.
  const plan = planner.plan(
    scheme,
    'float32',
    shape,
    scheme.parameters === 'given'
      ? { parameters: { scale: 1 } }
      : scheme.parameters === 'range'
        ? { range: { min: 0, max: 0 } }
        : {},
  );
  const { codeBytes, codeShape, parameters, units } = plan.layout;
  const isPlanar = scheme.layout === 'planar';
  const dtype = dataDtype(scheme);
  if (!isTypedArray(data, TYPES[dtype]))
    throw fail('ERR_QUANTLANE_DTYPE', `Expected codes of type ${dtype}, got ${got(data)}`);
  if (data.byteLength !== codeBytes) {
    const text = `Expected ${codeBytes} bytes for codes of shape [${codeShape.join(', ')}], got ${data.byteLength}`;
    throw fail('ERR_QUANTLANE_SHAPE', text);
  }
  checkParameters('scale', scale, isPlanar ? scheme.scaleDtype : null, parameters);
  if (tensorScale !== undefined && tensorScale !== null) {
    checkParameters('tensorScale', tensorScale, scheme.tensorScale ? 'float32' : null, 1);
  }
  checkParameters('zeroPoint', zeroPoint, isPlanar && !scheme.symmetric ? zeroPointDtype(scheme) : null, parameters);
  const isApart = scheme.outliers !== null;
  const count = outliers?.length ?? 0;
  checkParameters('outliers', outliers, isApart ? 'int32' : null, count);
  checkParameters('outlierValues', outlierValues, isApart ? 'float32' : null, units * count);
  return isApart ? planWith(plan, count) : plan;
}

/**
 * Copies parts to their places in a result at `start`; returns how many bytes.
 * @throws ERR_QUANTLANE_PARAMETERS for outlier columns that are none
 */
export async function loadParts(
  plan: Plan,
  { data, scale, zeroPoint, tensorScale, outliers, outlierValues }: QuantizedParts,
  buffer: SharedArrayBuffer,
  start: number,
  signal?: AbortSignal,
): Promise<number> {
  const { parts, layout } = plan;
  let copied = 0;
  if (outliers) {
    writeColumns(new Int32Array(buffer, start + parts.outliers, layout.count), outliers, layout.length);
    copied += outliers.byteLength;
  }
  for (const [view, at] of [
    [data, 0],
    [scale, parts.scale],
    [zeroPoint, parts.zeroPoint],
    [outlierValues, parts.outlierValues],
  ] as const) {
    if (view === undefined || view === null) continue;
    await copySlowly(bytesIn(view), new Uint8Array(buffer, start + at, view.byteLength), signal);
    copied += view.byteLength;
  }
  if (parts.tensorScale >= 0) new Float32Array(buffer, start + parts.tensorScale, 1)[0] = tensorScale?.[0] ?? 1;
  return copied;
}

/** Checks one kind of parameters; `dtype` is null where there must be none. */
function checkParameters(name: string, view: unknown, dtype: keyof typeof TYPES | null, count: number): void {
  if (dtype === null) {
    if (view === undefined || view === null) return;
    throw fail('ERR_QUANTLANE_PARAMETERS', `Expected no ${name}, got ${got(view)}`);
  }
  if (!isTypedArray(view, TYPES[dtype]))
    throw fail('ERR_QUANTLANE_DTYPE', `Expected ${name} of type ${dtype}, got ${got(view)}`);
  if (view.length === count) return;
  throw fail('ERR_QUANTLANE_PARAMETERS', `Expected ${count} values as ${name}, got ${view.length}`);
}
