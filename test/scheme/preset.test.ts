import { describe, expect, test } from 'vitest';
import { PRESETS, type PresetName, type PresetOptions, preset } from '#src/index.js';
import { CODE_FACTS, resolveScheme } from '#src/scheme/index.js';
import { codeOf } from '../memory/helpers.js';

const NAMES = PRESETS.map(({ name }) => name as PresetName);

describe('the table', () => {
  test('every row has a scheme of its name, a consumer, a source and notes', () => {
    for (const row of PRESETS) {
      expect(preset(row.name)).toMatchObject({ name: row.name, dtype: row.dtypes[0], nonFinite: 'error' });
      for (const text of [row.consumer, row.source, row.notes]) expect(text.length).toBeGreaterThan(0);
    }
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });

  test.each(NAMES)('%s has the code range of each of its types', (name) => {
    for (const dtype of PRESETS.find((row) => row.name === name)!.dtypes) {
      const { codes } = preset(name, { dtype });
      const restricted: Record<string, readonly [number, number]> = {
        'tflite-int8-symmetric': [-127, 127],
        'bnb-int8': [-127, 127],
        'mx-int8': [-127, 127],
        'qdrant-int8': [0, 127],
      };
      expect(codes).toEqual(restricted[name] ?? CODE_FACTS[dtype].range);
    }
  });
});

describe('options', () => {
  const refused: readonly (readonly [string, PresetOptions, string])[] = [
    ['int8', {}, 'ERR_QUANTLANE_PRESET'],
    ['constructor', {}, 'ERR_QUANTLANE_PRESET'],
    ['', {}, 'ERR_QUANTLANE_PRESET'],
    ['torchao-int8', { dtype: 'uint8' }, 'ERR_QUANTLANE_DTYPE'],
    ['onnx-static', { dtype: 'int32' as 'int8' }, 'ERR_QUANTLANE_DTYPE'],
    ['onnx-dynamic', { axis: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['ggml-q8_0', { blockSize: 64 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['onnx-static', { axis: 0.5 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['onnx-static', { blockSize: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['torchao-int8', { nonFinite: 'skip' as 'error' }, 'ERR_QUANTLANE_ARGUMENT'],
    ['torchao-int8', { reduceRange: true }, 'ERR_QUANTLANE_ARGUMENT'],
    ['torch-int8-per-channel', { blockSize: 32 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['ggml-q8_0', { axis: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { axis: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['vllm-int8-group', { scaleRule: 'ue8m0' }, 'ERR_QUANTLANE_ARGUMENT'],
    ['mx-fp4', { scaleRule: 'exact' }, 'ERR_QUANTLANE_ARGUMENT'],
    ['torchao-int8', { threshold: 6 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { threshold: -1 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { threshold: Number.NaN }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { threshold: 1e39 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { threshold: 1e-46 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['bnb-int8', { threshold: '6' as unknown as number }, 'ERR_QUANTLANE_ARGUMENT'],
  ];

  test.each(refused)('%s %o', (name, options, code) => {
    expect(codeOf(() => preset(name, options))).toBe(code);
  });

  test('axis and block size choose the granularity', () => {
    expect(preset('onnx-static', { axis: 1 }).granularity).toEqual({ kind: 'perChannel', axis: 1 });
    expect(preset('onnx-static', { blockSize: 16 }).granularity).toEqual({ kind: 'perBlock', size: 16, axis: -1 });
    expect(preset('onnx-static', { blockSize: 16, axis: 0 }).granularity).toMatchObject({ size: 16, axis: 0 });
    expect(preset('torchao-int8', { axis: 0 }).granularity).toEqual({ kind: 'perToken', axis: 0 });
    expect(preset('vllm-int8-group', { axis: 0 }).granularity).toEqual({ kind: 'perBlock', size: 128, axis: 0 });
  });

  test('a threshold of outliers', () => {
    expect(preset('bnb-int8').outliers).toEqual({ threshold: 6 });
    expect(preset('bnb-int8', { threshold: 0 }).outliers).toEqual({ threshold: 0 });
    expect(Object.isFrozen(preset('bnb-int8', { threshold: 4 }).outliers)).toBe(true);
  });

  test('half of the codes, for scale and zero point', () => {
    const whole = preset('torch-dynamic', { reduceRange: false });
    expect(whole).toEqual(preset('torch-dynamic'));
    const reduced = preset('torch-dynamic', { reduceRange: true });
    expect(reduced).toEqual({ ...whole, divisor: 127, zeroPointCodes: [0, 127] });
  });

  test('a policy', () => {
    expect(preset('torchao-int8', { nonFinite: 'propagate' }).nonFinite).toBe('propagate');
  });
});

describe('what a caller names', () => {
  test('is one scheme for every call', () => {
    for (const name of NAMES) expect(resolveScheme(name)).toBe(resolveScheme(name));
  });

  test('or gives, checked', () => {
    const scheme = preset('torchao-int8');
    expect(resolveScheme(scheme)).toBe(scheme);
    expect(codeOf(() => resolveScheme({ ...scheme, divisor: 0 }))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(codeOf(() => resolveScheme('nothing'))).toBe('ERR_QUANTLANE_PRESET');
  });
});
