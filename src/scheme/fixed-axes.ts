/**
 * Axes that must stand at one value, where what a scheme is for leaves them no choice.
 * @module
 */

/** Those of codes whose scale is the largest magnitude of the values in 127 steps. */
export const ABSMAX_AXES = Object.freeze({
  parameters: 'dynamic',
  symmetric: true,
  step: 1,
  divisor: 127,
  scaleForm: 'divide',
  powerOfTwo: 'none',
  scaleUsed: 'exact',
  tensorScale: false,
  mostMultiplier: null,
  rounding: 'half-even',
  floor: null,
  allZero: null,
  scaleDtype: 'float32',
} as const);

/** The first axis of a scheme that stands elsewhere: what it should say, and what it does. */
export function misfitOf<T extends object>(
  scheme: T,
  axes: Partial<T>,
): { readonly expected: string; readonly actual: unknown } | undefined {
  for (const [axis, value] of Object.entries(axes)) {
    const actual = scheme[axis as keyof T];
    if (actual !== value) return { expected: `${axis}: ${value}`, actual };
  }
  return undefined;
}
