import { describe, expect, test } from 'vitest';
import { Apply, Dtype, Op, Rounding, Source } from '../../src/scheme/codes.js';
import { CODES, randomOf } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf, perform, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();
const { fround } = Math;

const APPLIES = [Apply.Divide, Apply.Reciprocal];
const ROUNDINGS = [Rounding.HalfEven, Rounding.HalfAway, Rounding.Truncate];

/** Whether `code` is `v` rounded, within the codes from `low` to `high`; by the definition of rounding. */
function isCodeOf(v: number, code: number, rounding: Rounding, low: number, high: number): boolean {
  if (v >= high) return code === high;
  if (v <= low) return code === low;
  if (rounding === Rounding.Truncate) return code === Math.trunc(v);
  const distance = Math.abs(v - code);
  if (distance !== 0.5) return distance < 0.5;
  return rounding === Rounding.HalfEven ? code % 2 === 0 : Math.abs(code) > Math.abs(v);
}

describe.each(CODES)('storage %i from %i to %i', (storage, low, high) => {
  test.each([1, 2 ** -22, 0.1, 3e-9, 1e-38, -0.25, 1e20])('given scale %f', (scale) => {
    const random = randomOf(high);
    const s = fround(scale);
    // From ties and their neighbours to quotients far beyond 2^22, where a code is an end.
    const quotients = [
      0.5,
      1.5,
      2.5,
      low + 0.5,
      high - 0.5,
      high + 0.5,
      2 ** 21,
      2 ** 21 + 0.5,
      2 ** 22 + 1,
      2 ** 24 + 2,
      2 ** 31,
      2 ** 32,
      1e12,
      1e30,
    ];
    const values = quotients.flatMap((quotient) =>
      [quotient, -quotient].flatMap((q) => [q * s, q * s * (1 + 2 ** -23), q * s * (1 - 2 ** -23)]),
    );
    while (values.length < 160) values.push((random() - 0.5) * 2 * s * (high - low));
    for (const apply of APPLIES) {
      for (const rounding of ROUNDINGS) {
        for (const zero of [0, low, high, (low + high) >> 1]) {
          const rules = {
            ...SYMMETRIC,
            storage,
            codes: [low, high] as const,
            apply,
            rounding,
            nanCode: high,
            zeroPointStorage: storage,
          };
          const content = contentOf(
            Dtype.Float32,
            values.map((x) => Math.max(-3e38, Math.min(3e38, x))),
          );
          const numbers = new Float32Array(content.buffer);
          const shapes = [
            { op: Op.Segments, rows: 1, length: values.length, group: values.length },
            { op: Op.Segments, rows: values.length / 16, length: 16, group: 16 },
            { op: Op.Segments, rows: values.length / 5, length: 5, group: 5 },
            { op: Op.Columns, length: values.length / 32, group: 1, inner: 32 },
          ];
          for (const shape of shapes) {
            const { codes } = perform(sandbox, {
              rules,
              shape,
              content,
              source: Source.Given,
              given: { scales: [s], zeros: [zero] },
            });
            const bad = numbers.findIndex((x, i) => {
              const v = apply === Apply.Divide ? fround(x / s) : fround(x * fround(1 / s));
              return !isCodeOf(v, codes[i]! - zero, rounding, low - zero, high - zero);
            });
            expect(bad).toBe(-1);
          }
        }
      }
    }
  });
});
