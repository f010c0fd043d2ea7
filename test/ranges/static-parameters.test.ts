/** Scale and zero point of a range, against values worked out by the rule of onnxruntime.quantization. */
import { describe, expect, test } from 'vitest';
import { type Range, staticParameters, staticTarget } from '#src/ranges/index.js';
import { codeOf } from './helpers.js';

const { fround } = Math;
const range = (min: number, max: number): Range => ({ min: Float32Array.of(min), max: Float32Array.of(max) });
const only = ({ min, max }: Range, codes: [number, number]) => {
  const { scale, zeroPoint } = staticParameters({ min, max }, staticTarget(codes));
  return [scale[0], zeroPoint[0]];
};

describe('by default', () => {
  test.each([
    // uint8: affine, zero in the range; −1 … 1 has 127.5 half to even.
    [[0, 255], -1, 1, fround(2 / 255), 128],
    [[0, 255], -1, 3, fround(4 / 255), 64],
    [[0, 255], 2, 6, fround(6 / 255), 0],
    [[0, 255], -6, -2, fround(6 / 255), 255],
    [[0, 255], 0, 0, 1, 0],
    // int8: symmetric, over −127 … 127.
    [[-128, 127], -1, 3, fround(6 / 254), 0],
    [[-128, 127], -5, 1, fround(10 / 254), 0],
    [[0, 65535], -1, 1, fround(2 / 65535), 32768],
    [[-32768, 32767], -1, 0.5, fround(2 / 65534), 0],
    // A scale below the smallest normal float32 is none.
    [[0, 255], 0, 2 ** -120, 1, 0],
    [[0, 255], -(2 ** -117), 0, fround(2 ** -117 / 255), 255],
  ] as const)('%j from %d to %d', (codes, min, max, scale, zeroPoint) => {
    expect(only(range(min, max), [...codes])).toEqual([scale, zeroPoint]);
  });
});

test('the extent is a float32 before it is divided in float64', () => {
  const [min, max] = [fround(-0.1), 1e7];
  const extent = fround(max - min);
  expect(extent).not.toBe(max - min);
  const { scale, zeroPoint } = staticParameters(range(min, max), { codes: [0, 65535], symmetric: false });
  expect(scale[0]).toBe(fround(extent / 65535));
  expect(zeroPoint[0]).toBe(0);
});

test('any codes and symmetry may be asked for', () => {
  const asked = staticParameters(range(-1, 3), { codes: [-128, 127], symmetric: false });
  expect([asked.scale[0], asked.zeroPoint[0]]).toEqual([fround(4 / 255), -64]);
  const reduced = staticParameters(range(-1, 3), { codes: [-64, 64], symmetric: true });
  expect([reduced.scale[0], reduced.zeroPoint[0]]).toEqual([fround(6 / 128), 0]);
  const unsigned = staticParameters(range(-1, 3), { codes: [0, 255], symmetric: true });
  expect(unsigned.zeroPoint[0]).toBe(128);
});

test('every channel has its own', () => {
  const channels = { min: Float32Array.of(-1, 0, 0), max: Float32Array.of(1, 5, 0) };
  const { scale, zeroPoint } = staticParameters(channels, staticTarget([0, 255]));
  expect([...scale]).toEqual([fround(2 / 255), fround(5 / 255), 1]);
  expect([...zeroPoint]).toEqual([128, 0, 0]);
});

test('refuses an extent beyond float32', () => {
  expect(codeOf(() => staticParameters(range(-3e38, 3e38), staticTarget([0, 255])))).toBe('ERR_QUANTLANE_PARAMETERS');
  expect(codeOf(() => staticParameters(range(0, 2e38), staticTarget([-128, 127])))).toBe('ERR_QUANTLANE_PARAMETERS');
});
