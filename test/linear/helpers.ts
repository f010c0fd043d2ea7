/** Layers of random weights, and results as copies. */
import { expect } from 'vitest';
import type { Runtime, TensorLease } from '#src/index.js';
import type { LinearOptions, WeightKind } from '#src/linear/index.js';
import { toHalf } from '../../src/memory/index.js';
import { valuesOf } from '../runtime/helpers.js';
import { PLACES } from '../support/runtime.js';

/** The ways to run, also without relaxed instructions. */
export const ALL_PLACES = [
  ...PLACES.filter(({ lanes }) => lanes !== 4),
  { name: 'in place, SIMD128', lanes: 0, kernels: 'simd128' },
  { name: '2 lanes, SIMD128', lanes: 2, kernels: 'simd128' },
] as const;

/** Every kind of weights with options of it. */
export const LAYERS: readonly Pick<LinearOptions, 'weights' | 'activations' | 'groupSize'>[] = [
  { weights: 'int8' },
  ...['torchao-int8', 'onnx-dynamic', 'xnnpack-qd8', 'torch-per-token-affine', 'torch-dynamic'].map((activations) => ({
    weights: 'int8' as const,
    activations,
  })),
  { weights: 'int8-groups', groupSize: 32 },
  { weights: 'int8-groups', activations: 'torchao-int8-affine' },
  { weights: 'int4' },
  { weights: 'int4', groupSize: 64, activations: 'none' },
  { weights: 'float32' },
  { weights: 'float16' },
  { weights: 'bfloat16' },
];

/** Values in the range of weights, of the type that a kind of weights is made of. */
export function weightOf(kind: WeightKind | undefined, outputs: number, inputs: number, seed = 5) {
  const values = valuesOf(outputs * inputs, seed).map((value) => value / 10);
  const shape = [outputs, inputs];
  if (kind !== 'float16' && kind !== 'bfloat16') return { dtype: 'float32', shape, data: values } as const;
  const half = (value: number) => (kind === 'float16' ? toHalf(value) : bits(value) >>> 16);
  return { dtype: kind, shape, data: Uint16Array.from(values, half) } as const;
}

function bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

/** A plain tensor of activations. */
export function rowsOf(shape: readonly number[], seed = 3) {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape, data: valuesOf(count, seed) } as const;
}

/** Copies a result and gives it back. */
export function valuesIn(y: TensorLease<'float32'>): Float32Array {
  const values = Float32Array.from(y.data);
  y.release();
  return values;
}

/** The values that `x` would have if nothing were quantized. */
export function exactly(x: ArrayLike<number>, w: ArrayLike<number>, inputs: number, bias: ArrayLike<number>): number[] {
  const outputs = bias.length;
  return Array.from({ length: (x.length / inputs) * outputs }, (_, at) => {
    const [row, output] = [Math.floor(at / outputs), at % outputs];
    let sum = bias[output]!;
    for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * w[output * inputs + k]!;
    return sum;
  });
}

/** Asserts that the runtime holds so many leases. */
export function expectLeases(runtime: Runtime, leases: number): void {
  expect(runtime.metrics().arena.leases).toBe(leases);
}
