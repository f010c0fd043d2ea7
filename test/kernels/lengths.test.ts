import { describe, expect, test } from 'vitest';
import { Apply, Dtype, NonFinite, Op, Rounding, ScaleType, Source, Storage } from '../../src/scheme/codes.js';
import { CODES, DTYPES, fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { AFFINE, contentOf, perform, type Rules, type Shape, SYMMETRIC, sizesOf } from './work.js';

const sandbox = new Sandbox();

/** Misalignments of a dtype: every multiple of its size within 64 bytes. */
const misalignments = (dtype: Dtype) => Array.from({ length: dtype === Dtype.Float32 ? 16 : 31 }, (_, i) => i);

function quantize(
  rules: Rules,
  shape: Shape,
  options: { misalign?: number; statistics?: boolean; source?: Source } = {},
) {
  const content = fill('normal', rules.dtype, sizesOf(shape).elements, shape.length);
  return perform(sandbox, { rules, shape, content, given: { scales: [0.01], lows: [-2], highs: [3] }, ...options });
}

describe.each(DTYPES)('every length and misalignment of dtype %i', (dtype) => {
  test.each([Op.Tensor, Op.Segments, Op.Channels])('op %i', (op) => {
    for (let length = op === Op.Segments ? 1 : 0; length <= 70; length++) {
      for (const misalign of misalignments(dtype)) {
        const rules = { ...(misalign % 2 ? SYMMETRIC : AFFINE), dtype };
        // Of channels, `Group` is the first run.
        const shape = { op, rows: 2, length, group: op === Op.Channels ? 0 : length, count: 2, parts: 2 };
        quantize(rules, shape, {
          misalign,
          statistics: misalign % 3 === 0,
          source: misalign % 5 ? Source.Data : Source.Range,
        });
      }
    }
  });

  test('columns', () => {
    for (let inner = 1; inner <= 70; inner++) {
      for (const misalign of misalignments(dtype)) {
        const rules = { ...(misalign % 2 ? SYMMETRIC : AFFINE), dtype };
        const shape = { op: Op.Columns, rows: 2, length: 1 + (misalign % 5), group: 3, inner };
        quantize(rules, shape, {
          misalign,
          statistics: misalign % 3 === 0,
          source: misalign % 5 ? Source.Data : Source.Given,
        });
      }
    }
  });

  test('every range of codes, rounding and application', () => {
    for (const [storage, low, high] of CODES) {
      for (const rounding of [Rounding.HalfEven, Rounding.HalfAway, Rounding.Truncate]) {
        for (const apply of [Apply.Divide, Apply.Reciprocal, Apply.Direct]) {
          const base = low < 0 ? SYMMETRIC : AFFINE;
          const rules = { ...base, dtype, storage, codes: [low, high] as const, divisor: high, rounding, apply };
          for (const length of [5, 16, 41]) {
            const { codes } = quantize(rules, { op: Op.Segments, rows: 3, length, group: 20 });
            quantize(rules, { op: Op.Columns, length, group: 20, inner: 35 }, { misalign: 1 });
            expect(Math.min(...codes)).toBeGreaterThanOrEqual(low);
            expect(Math.max(...codes)).toBeLessThanOrEqual(high);
          }
        }
      }
    }
  });
});

describe('blocks of a foreign layout', () => {
  const layouts: [block: [number, number], group: number, scaleType: ScaleType, storage: Storage][] = [
    [[34, 2], 32, ScaleType.Float16, Storage.Int8],
    [[37, 3], 32, ScaleType.Float16, Storage.Int8],
    [[24, 4], 20, ScaleType.Float32, Storage.Uint8],
    [[68, 4], 32, ScaleType.Float32, Storage.Int16],
    [[34, 2], 16, ScaleType.Float16, Storage.Int16],
    [[11, 5], 3, ScaleType.Float32, Storage.Int8],
  ];
  test.each(layouts)('%j of %i', (block, group, scaleType, storage) => {
    for (const dtype of DTYPES) {
      for (const nonFinite of [NonFinite.Error, NonFinite.Saturate, NonFinite.Propagate]) {
        const base = storage === Storage.Uint8 ? { ...SYMMETRIC, codes: [0, 255] as const } : SYMMETRIC;
        const rules = { ...base, dtype, scaleType, storage, nonFinite, apply: Apply.Reciprocal };
        const shape = { op: Op.Segments, rows: 3, length: 4 * group, group, block };
        for (const kind of ['normal', 'rare', 'zeros'] as const) {
          const content = fill(kind, dtype, 12 * group, group);
          perform(sandbox, { rules, shape, content, statistics: true, cuts: 2 });
        }
      }
    }
  });

  test('bytes between the codes stay as they are', () => {
    const shape = { op: Op.Segments, rows: 1, length: 4, group: 2, block: [7, 4] as const };
    const content = contentOf(Dtype.Float32, [127, -127, 254, 2]);
    const { codeBytes } = perform(sandbox, { rules: SYMMETRIC, shape, content });
    expect([...codeBytes]).toEqual([0, 0, 0x80, 0x3f, 127, 129, 0xa5, 0, 0, 0, 0x40, 127, 1, 0xa5]);
  });
});

describe('how the units are cut into descriptors decides nothing', () => {
  const shapes: Shape[] = [
    { op: Op.Segments, rows: 9, length: 50, group: 16 },
    { op: Op.Channels, count: 7, parts: 3, length: 21 },
    { op: Op.Columns, rows: 2, length: 9, group: 4, inner: 37 },
  ];
  test.each(shapes)('op $op', (shape) => {
    const content = fill('normal', Dtype.Float32, sizesOf(shape).elements, 1);
    const outputs = (cuts: number) => {
      const { codes, scales, zeros, statistics } = perform(sandbox, {
        rules: AFFINE,
        shape,
        content,
        statistics: true,
        cuts,
      });
      return { codes, scales, zeros, statistics };
    };
    const whole = outputs(1);
    for (let cuts = 2; cuts <= 9; cuts++) expect(outputs(cuts)).toEqual(whole);
  });
});
