/**
 * Quantization as the equations of docs/quantization.md say it, value by value, for finite float32 values. It knows
 * nothing of units, tiles and lanes.
 */
import type { Scheme } from '#src/index.js';

const { fround } = Math;

/** What the equations give. */
export interface SimpleResult {
  readonly codes: number[];
  readonly scale: number[];
  readonly zeroPoint: number[];
  readonly parameterShape: readonly number[];
}

/** Shape of the parameters, and the parameter of every value. */
export function groupsOf(scheme: Scheme, shape: readonly number[]): { shape: readonly number[]; of: number[] } {
  const { granularity } = scheme;
  const elements = product(shape);
  if (granularity.kind === 'perTensor') return { shape: [], of: new Array<number>(elements).fill(0) };
  const axis = (granularity.axis! + shape.length) % shape.length;
  const size = granularity.kind === 'perBlock' ? granularity.size : shape[axis]!;
  const isChannel = granularity.kind === 'perChannel';
  const groups = shape.map((extent, at) => (at === axis ? Math.ceil(extent / size) : extent));
  const of = Array.from({ length: elements }, (_, element) => {
    const place = coordinates(element, shape);
    if (isChannel) return place[axis]!;
    place[axis] = Math.floor(place[axis]! / size);
    return place.reduce((index, coordinate, at) => index * groups[at]! + coordinate, 0);
  });
  return { shape: isChannel ? [shape[axis]!] : groups, of };
}

/** Codes and parameters of planar dynamic schemes. */
export function quantizeSimply(scheme: Scheme, shape: readonly number[], values: Float32Array): SimpleResult {
  const groups = groupsOf(scheme, shape);
  const members: number[][] = Array.from({ length: product(groups.shape) }, () => []);
  values.forEach((value, element) => {
    members[groups.of[element]!]!.push(value);
  });
  const parameters = members.map((group) => parametersOf(scheme, group));
  const codes = Array.from(values, (value, element) => {
    const { multiplier, zeroPoint } = parameters[groups.of[element]!]!;
    return codeOf(scheme, value, multiplier, zeroPoint);
  });
  return {
    codes,
    scale: parameters.map(({ scale }) => scale),
    zeroPoint: scheme.symmetric ? [] : parameters.map(({ zeroPoint }) => zeroPoint),
    parameterShape: groups.shape,
  };
}

/** Equations 6 to 13. */
function parametersOf(scheme: Scheme, group: readonly number[]) {
  const { divisor, floor, allZero } = scheme;
  const high = group.reduce((a, b) => Math.max(a, b), 0);
  const low = group.reduce((a, b) => Math.min(a, b), 0);
  let extent = scheme.symmetric ? Math.max(high, -low) : fround(high - low);
  if (floor?.on === 'extent') extent = Math.max(extent, fround(floor.value));
  let scale = fround(extent / divisor);
  if (scheme.scaleForm === 'reciprocal') scale = fround(extent * fround(1 / divisor));
  if (scheme.scaleForm === 'inverse') scale = fround(1 / fround(divisor / extent));
  if (floor?.on === 'scale') scale = Math.max(scale, fround(floor.value));
  let multiplier = scale;
  if (scheme.apply === 'reciprocal') multiplier = fround(1 / scale);
  if (scheme.apply === 'direct') multiplier = fround(divisor / extent);
  if (allZero !== null && (allZero.on === 'extent' ? extent : scale) === 0) {
    scale = fround(allZero.scale);
    multiplier = fround(allZero.multiplier);
  }
  return { scale, multiplier, zeroPoint: zeroPointOf(scheme, low, high, scale, multiplier) };
}

/** Equations 11 and 12. */
function zeroPointOf(scheme: Scheme, low: number, high: number, scale: number, multiplier: number): number {
  const [lo, hi] = scheme.codes;
  if (scheme.zeroPointRule === 'none') return 0;
  let z = fround(lo - fround(low / scale));
  if (scheme.zeroPointRule === 'sign-test') {
    const a = fround(low * multiplier);
    const b = fround(high * multiplier);
    z = fround(fround(lo + a) + fround(hi + b)) > 0 ? fround(lo - a) : fround(hi - b);
  }
  return halfEven(Math.min(Math.max(z, lo), hi));
}

/** Equations 2 to 5. */
function codeOf(scheme: Scheme, value: number, multiplier: number, zeroPoint: number): number {
  const [lo, hi] = scheme.codes;
  const v = scheme.apply === 'divide' ? fround(value / multiplier) : fround(value * multiplier);
  if (Number.isNaN(v)) return scheme.nan.code;
  const w = Math.min(Math.max(v, lo - zeroPoint), hi - zeroPoint);
  return (scheme.rounding === 'half-even' ? halfEven(w) : halfAway(w)) + zeroPoint;
}

/** The nearest integer, ties to the even one. */
export function halfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function halfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

function coordinates(element: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = element;
  for (const extent of [...shape].reverse()) {
    place.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return place;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
