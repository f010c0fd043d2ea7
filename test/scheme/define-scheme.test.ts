import { describe, expect, test } from 'vitest';
import { defineScheme, perBlock, perChannel, perTensor, perToken, preset, type Scheme } from '#src/index.js';
import { describeGranularity } from '#src/scheme/index.js';
import { codeOf } from '../memory/helpers.js';

const FLOAT = preset('torchao-float8');
const BASE = preset('torchao-int8');
const AFFINE = preset('onnx-dynamic');

/** A change of a scheme that is refused, and what the message names. */
const REFUSED: readonly (readonly [Scheme, object, string])[] = [
  [BASE, { dtype: 'int3' }, 'dtype'],
  [BASE, { dtype: 'int4' }, 'codes'],
  [BASE, { dtype: undefined }, 'dtype'],
  [BASE, { name: 5 }, 'name'],
  [BASE, { symmetric: 1 }, 'symmetric'],
  [BASE, { parameters: 'static' }, 'parameters'],
  [BASE, { scaleForm: 'multiply' }, 'scaleForm'],
  [BASE, { apply: 'shift' }, 'apply'],
  [BASE, { rounding: 'nearest' }, 'rounding'],
  [BASE, { rounding: 'stochastic', seed: 2 ** 31 }, 'seed'],
  [BASE, { step: 3 }, 'step'],
  [BASE, { apply: 'unit' }, 'unit'],
  [BASE, { zeroPointDtype: 'float32' }, 'zeroPointDtype'],
  [BASE, { powerOfTwo: 'extent-floor' }, 'divisor'],
  [BASE, { scaleDtype: 'float8e8m0' }, 'powerOfTwo'],
  [BASE, { tensorScale: true }, 'tensorScale'],
  [BASE, { mostMultiplier: 0 }, 'mostMultiplier'],
  [BASE, { packing: 'middle' }, 'packing'],
  [FLOAT, { rounding: 'half-away' }, 'rounding'],
  [FLOAT, { codes: [-448, 240] }, 'codes'],
  [FLOAT, { symmetric: false, zeroPointRule: 'round-last' }, 'symmetric'],
  [BASE, { nonFinite: 'ignore' }, 'nonFinite'],
  [BASE, { scaleDtype: 'bfloat16' }, 'scaleDtype'],
  [BASE, { arithmetic: 'float16' }, 'arithmetic'],
  [BASE, { rangeIncludesZero: 0 }, 'rangeIncludesZero'],
  [BASE, { zeroPointRounding: 'truncate' }, 'zeroPointRounding'],
  [BASE, { zeroPointDtype: 'int8' }, 'zeroPointDtype'],
  [BASE, { zeroPointCodes: [-129, 127] }, 'zeroPointCodes'],
  [BASE, { zeroPointCodes: [1] }, 'zeroPointCodes'],
  [BASE, { zeroPointAdded: 'never' }, 'zeroPointAdded'],
  [BASE, { zeroPointAdded: 'before-float64', apply: 'divide' }, 'apply'],
  [BASE, { floor: { on: 'reciprocal', value: 1 } }, 'floor'],
  [BASE, { allZero: { on: 'scale-and-range', scale: 1, multiplier: 1 } }, 'allZero'],
  [BASE, { allZero: { on: 'scale', scale: 1, multiplier: 1, zeroPoint: 128 } }, 'allZero'],
  [BASE, { codes: [-129, 127] }, 'codes'],
  [BASE, { codes: [-128, 128] }, 'codes'],
  [BASE, { codes: [5, 5] }, 'codes'],
  [BASE, { codes: [0.5, 5] }, 'codes'],
  [BASE, { codes: [0] }, 'codes'],
  [BASE, { codes: null }, 'codes'],
  [BASE, { divisor: 0 }, 'divisor'],
  [BASE, { divisor: -1 }, 'divisor'],
  [BASE, { divisor: 65_537 }, 'divisor'],
  [BASE, { divisor: Number.NaN }, 'divisor'],
  [BASE, { divisor: '127' }, 'divisor'],
  [BASE, { divisor: 1e-50 }, 'divisor'],
  [BASE, { zeroPointRule: 'round-last' }, 'zeroPointRule'],
  [AFFINE, { zeroPointRule: 'none' }, 'zeroPointRule'],
  [AFFINE, { zeroPointRule: 'sign-test' }, 'apply'],
  [preset('onnx-static'), { apply: 'direct' }, 'apply'],
  [preset('onnx-static'), { scaleDtype: 'float16' }, 'scaleDtype'],
  [preset('onnx-static'), { scaleDtype: 'float64' }, 'scaleDtype'],
  [BASE, { floor: { on: 'scale', value: 0 } }, 'floor'],
  [BASE, { floor: { on: 'zero', value: 1 } }, 'floor'],
  [BASE, { floor: { on: 'scale', value: 1e39 } }, 'floor'],
  [BASE, { floor: { on: 'scale', value: 1e-50 } }, 'floor'],
  [BASE, { floor: undefined }, 'floor'],
  [BASE, { allZero: { on: 'extent', scale: Number.NaN, multiplier: 0 } }, 'allZero'],
  [BASE, { allZero: {} }, 'allZero'],
  [BASE, { allZero: { on: 'extent', scale: 1e39, multiplier: 0 } }, 'allZero'],
  [BASE, { nan: { code: 128, poisons: true } }, 'nan.code'],
  [BASE, { nan: { code: 0 } }, 'nan.poisons'],
  [BASE, { nan: undefined }, 'nan.code'],
  [BASE, { granularity: { kind: 'perTile' } }, 'granularity'],
  [BASE, { granularity: undefined }, 'granularity'],
  [BASE, { granularity: { kind: 'perBlock', size: 0, axis: -1 } }, 'block size'],
  [BASE, { granularity: { kind: 'perChannel', axis: 0.5 } }, 'axis'],
  [BASE, { layout: 'interleaved' }, 'layout'],
  [BASE, { layout: undefined }, 'layout'],
  [BASE, { layout: { blockBytes: 34, codesAt: 2 } }, 'layout'],
  [preset('ggml-q8_0'), { layout: { blockBytes: 33, codesAt: 2 } }, 'layout'],
  [preset('ggml-q8_0'), { layout: { blockBytes: 34, codesAt: 1 } }, 'layout'],
  [preset('ggml-q8_0'), { granularity: perBlock(32, 0) }, 'layout'],
  [preset('ggml-q8_0'), { dtype: 'int16', layout: { blockBytes: 67, codesAt: 3 } }, 'layout'],
  [preset('ggml-q8_0'), { layout: 'planar' }, 'layout'],
  [preset('ggml-q8_0'), { format: 'q4_0' }, 'layout'],
  [preset('ggml-q8_0'), { format: 'q9_0' }, 'format'],
  [preset('ggml-q8_0'), { format: 'constructor' }, 'format'],
  [preset('ggml-q8_0'), { rounding: 'half-away' }, 'rounding'],
  [preset('ggml-q4_0'), { divisor: 15 }, 'divisor'],
  [preset('usearch-i8'), { granularity: perBlock(1) }, 'layout'],
  [preset('st-binary'), { granularity: perToken }, 'layout'],
  [preset('st-binary'), { dtype: 'uint8', codes: [0, 255], nan: { code: 0, poisons: true } }, 'layout'],
  [preset('st-binary'), { format: 'bits-low' }, 'layout'],
  [BASE, { format: undefined }, 'format'],
  [BASE, { outliers: undefined }, 'outliers'],
  [BASE, { outliers: { threshold: 6 } }, 'outliers'],
  [preset('bnb-int8'), { outliers: {} }, 'outliers'],
  [preset('bnb-int8'), { rounding: 'half-away' }, 'rounding'],
  [preset('bnb-int8'), { granularity: { kind: 'perTensor' } }, 'granularity'],
  [preset('bnb-int8'), { codes: [-128, 127] }, 'codes'],
  [preset('bnb-int8'), { nan: { code: 0, poisons: false } }, 'nan'],
];

describe('a scheme that is refused', () => {
  test.each(REFUSED)('%#: %o %o', (base, change, named) => {
    const call = () => defineScheme({ ...base, ...change } as Scheme);
    expect(codeOf(call)).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(call).toThrow(named);
  });

  test.each([undefined, null, 5, 'torchao-int8', []])('%o', (value) => {
    expect(codeOf(() => defineScheme(value as unknown as Scheme))).toBe('ERR_QUANTLANE_ARGUMENT');
  });
});

describe('a scheme', () => {
  test('is frozen in all its parts, and the caller’s object is not', () => {
    const given = { ...preset('ggml-q8_0'), codes: [-128, 127] as [number, number], nan: { code: 0, poisons: true } };
    const scheme = defineScheme(given);
    given.codes[0] = 0;
    given.nan.code = 5;
    expect(scheme).toMatchObject({ codes: [-128, 127], nan: { code: 0 } });
    const parts = [scheme, scheme.codes, scheme.granularity, scheme.allZero, scheme.nan, scheme.layout];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
    expect(Object.isFrozen(BASE.floor)).toBe(true);
    expect(() => {
      (scheme as { divisor: number }).divisor = 1;
    }).toThrow(TypeError);
  });

  test('that was checked is not copied again', () => {
    const scheme = defineScheme({ ...BASE, name: 'mine' });
    expect(defineScheme(scheme)).toBe(scheme);
    expect(defineScheme({ ...scheme })).not.toBe(scheme);
  });
});

describe('granularities', () => {
  test('are frozen and have a short form', () => {
    const all = [perTensor, perToken, perChannel(1), perBlock(32), perBlock(64, 0)];
    expect(all.map(describeGranularity)).toEqual([
      'perTensor',
      'perToken',
      'perChannel(1)',
      'perBlock(32)',
      'perBlock(64, 0)',
    ]);
    expect(all.every((each) => Object.isFrozen(each))).toBe(true);
  });

  test('take integers', () => {
    const wrong = [
      () => perChannel(0.5),
      () => perChannel(Number.NaN),
      () => perChannel(2 ** 31),
      () => perChannel('0' as unknown as number),
      () => perBlock(0),
      () => perBlock(-32),
      () => perBlock(1.5),
      () => perBlock(32, Number.POSITIVE_INFINITY),
    ];
    for (const call of wrong) expect(codeOf(call)).toBe('ERR_QUANTLANE_ARGUMENT');
  });
});
