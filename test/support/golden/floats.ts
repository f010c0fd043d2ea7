/** Golden rows of small floats: exponents of scales by rule, and what a value becomes without a scale. */
import { type Details, type GoldenRow, type GoldenTable, givenRow, padded } from './row.js';

/** amax, and the exponent byte under the rules floor, even, ceil and rceil. */
type Exponents = readonly [amax: number, floor: number, even: number, ceil: number, rceil: number];

const RULES = ['floor', 'even', 'ceil', 'rceil'] as const;

const E4M3: readonly Exponents[] = [
  [0, 0, 0, 0, 0],
  [1e-6, 99, 99, 100, 99],
  [1, 119, 119, 119, 119],
  [1.75, 119, 119, 120, 119],
  [1.76, 119, 119, 120, 120],
  [448, 127, 127, 128, 127],
  [449, 127, 127, 128, 128],
  [500, 127, 128, 128, 128],
  [512, 128, 128, 128, 128],
];

const E2M1: readonly Exponents[] = [
  [1.5, 125, 125, 126, 125],
  [1.51, 125, 125, 126, 126],
  [1.75, 125, 126, 126, 126],
  [6, 127, 127, 128, 127],
  [6.01, 127, 127, 128, 128],
  [7, 127, 128, 128, 128],
];

/** Rows of a block whose largest value is amax, for every rule. */
function exponents(preset: string, table: readonly Exponents[]): GoldenRow[] {
  return table.flatMap(([amax, ...bytes]) =>
    bytes.map((byte, at) => ({
      preset,
      input: padded([amax], 32),
      options: { scaleRule: RULES[at] },
      scale: [byte],
    })),
  );
}

/** Rows of presets that round amax / 448 up to a power of two, and have a smallest amax or scale. */
function powers(preset: string, scales: readonly (readonly [amax: number, scale: number])[]): GoldenRow[] {
  const details: Details = { options: { scaleRule: 'ue8m0' } };
  return scales.map(([amax, scale]) => ({ preset, input: padded([amax], 32), scale: [scale], ...details }));
}

const EXPONENTS: readonly GoldenRow[] = [
  ...exponents('mx-fp8-e4m3', E4M3),
  ...exponents('mx-fp4', E2M1),
  ...powers('deepgemm-fp8-1x128', [
    [0, 105],
    [1e-6, 105],
    ...E4M3.slice(2).map(([amax, , , , rceil]) => [amax, rceil] as const),
  ]),
  ...powers('sglang-fp8-group', [[0, 85], ...E4M3.slice(1).map(([amax, , , , rceil]) => [amax, rceil] as const)]),
  ...powers('vllm-fp8-group', [
    [0, 2 ** -33],
    ...E4M3.slice(1).map(([amax, , , , rceil]) => [amax, 2 ** (rceil - 127)] as const),
  ]),
  // The code of amax under floor; the block starts with the exponent, and the rest of its values is zero.
  ...[
    [1.5, '7d07'],
    [1.75, '7d07'],
    [6, '7f07'],
    [7, '7f07'],
  ].map(([amax, start]) => ({
    preset: 'ggml-mxfp4',
    input: padded([amax as number], 32),
    codes: `${start}${'00'.repeat(15)}`,
  })),
];

const E4M3_CASTS: readonly (readonly [number, string])[] = [
  [2 ** -10, '00'],
  [1.001 * 2 ** -10, '01'],
  [2 ** -9, '01'],
  [1.5 * 2 ** -9, '02'],
  [2.5 * 2 ** -9, '02'],
  [2 ** -6, '08'],
  [1, '38'],
  [1.0625, '38'],
  [1.1875, '3a'],
  [272, '78'],
  [432, '7e'],
  [448, '7e'],
  [464, '7e'],
  // Beyond the largest value: it saturates.
  [1000, '7e'],
  [-0, '80'],
];

const E5M2_CASTS: readonly (readonly [number, string])[] = [
  [2 ** -17, '00'],
  [1.001 * 2 ** -17, '01'],
  [1.5 * 2 ** -16, '02'],
  [1, '3c'],
  [1.125, '3c'],
  [1.375, '3e'],
  [57344, '7b'],
  [61439, '7b'],
  // Where a cast that does not saturate gives infinity, 7c.
  [61440, '7b'],
];

/** E2M1 at its ties, two codes a byte: 0.25 → 0, 0.75 → 1, 1.25 → 1, 1.75 → 2, 2.5 → 2, 3.5 → 4, 5 → 4. */
const E2M1_TIES = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6];

function casts(dtype: string, table: readonly (readonly [number, string])[]): GoldenRow {
  const input = table.map(([value]) => value);
  const codes = table.map(([, code]) => code).join('');
  return givenRow('onnx-static', input, codes, 1, undefined, { options: { dtype } });
}

const CASTS: readonly GoldenRow[] = [
  casts('float8e4m3fn', E4M3_CASTS),
  casts('float8e5m2', E5M2_CASTS),
  givenRow('onnx-static', E2M1_TIES, '20426476', 1, undefined, { options: { dtype: 'float4e2m1' } }),
  { preset: 'mx-fp4', input: padded(E2M1_TIES, 32), codes: `20426476${'00'.repeat(12)}`, scale: [127] },
  // ggml has ties go to the smaller magnitude; the first half of its bytes is in the low bits.
  {
    preset: 'ggml-mxfp4',
    input: padded(E2M1_TIES, 32),
    codes: `7f0001020304050607${'00'.repeat(8)}`,
  },
];

/** Exponents of scales, and casts. */
export const FLOATS: GoldenTable = { exponents: EXPONENTS, casts: CASTS };
