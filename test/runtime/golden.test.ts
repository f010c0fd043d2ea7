import { describe, expect, test } from 'vitest';
import { type NonFinitePolicy, preset, type Runtime, type ScaleArray } from '#src/index.js';
import { GOLDEN, type GoldenCase, goldenCodes, goldenInput } from '../support/golden.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { copied, FORCED, leaseOf } from './helpers.js';

const POLICIES: readonly NonFinitePolicy[] = ['error', 'saturate', 'propagate'];

/** Every row with every policy that gives its bytes. */
const CASES = GOLDEN.flatMap((golden) =>
  (golden.nonFinite === undefined ? POLICIES : [golden.nonFinite]).map((nonFinite) => ({ golden, nonFinite })),
);

/** Bits of float32 scales; every NaN is the same. */
function scaleBits(scale: ScaleArray | null): number[] {
  if (!(scale instanceof Float32Array)) return [];
  const bits = new Uint32Array(copied(scale).buffer);
  return [...scale].map((value, at) => (Number.isNaN(value) ? Number.NaN : bits[at]!));
}

function isNaNBits(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}

async function run(runtime: Runtime, golden: GoldenCase, nonFinite: NonFinitePolicy): Promise<string> {
  const scheme = preset(golden.preset, { ...golden.options, nonFinite });
  const input = goldenInput(golden);
  const options = golden.parameters === undefined ? {} : { parameters: golden.parameters };
  const lease = leaseOf(runtime, [1, input.length], input);
  const quantized = await runtime.quantize(lease, scheme, options);
  const { data, scale, zeroPoint } = quantized;
  const { expected } = golden;
  const problems = [difference(copied(data), goldenCodes(golden))];
  // The scale of a block is among its codes.
  if (scale !== null) {
    const wanted = expected.scaleBits.map((bits) => (isNaNBits(bits) ? Number.NaN : bits >>> 0));
    if (scaleBits(scale).join() !== wanted.join()) problems.push(`scale ${scaleBits(scale)}, expected ${wanted}`);
  }
  if (expected.zeroPoint !== undefined && zeroPoint?.join() !== expected.zeroPoint.join()) {
    problems.push(`zero point ${zeroPoint}, expected ${expected.zeroPoint}`);
  }
  quantized.release();
  return problems.filter((text) => text !== '').join('; ');
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the golden rows', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const wrong: Record<string, string> = {};
      for (const { golden, nonFinite } of CASES) {
        const text = await run(runtime, golden, nonFinite);
        if (text !== '') wrong[`${golden.name}, ${nonFinite}`] = text;
      }
      expect(wrong).toEqual({});
    });
  });
});

test('every preset has golden rows', () => {
  const presets = ['onnx-dynamic', 'onnx-static', 'torchao-int8', 'vllm-int8-per-token', 'xnnpack-qd8', 'ggml-q8_0'];
  expect(new Set(GOLDEN.map((golden) => golden.preset))).toEqual(new Set(presets));
});
