import { getFloat16 } from '@petamoriken/float16';
import { describe, expect, test } from 'vitest';
import { Apply, Dtype, Mode, NonFinite, Op, Rounding, Source, Storage } from '../../src/scheme/codes.js';
import { DTYPES, EDGES } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOfBits, perform, type Rules, type Shape, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();

const COUNT = 65536;
const everyBits = Uint16Array.from({ length: COUNT }, (_, bits) => bits);

/** Every 16-bit input as a number, converted by other means. */
function numbersOf(dtype: Dtype): Float32Array {
  const view = new DataView(everyBits.buffer);
  if (dtype === Dtype.Float16) return Float32Array.from(everyBits, (_, i) => getFloat16(view, i * 2, true));
  return new Float32Array(Uint32Array.from(everyBits, (bits) => bits << 16).buffer);
}

describe.each([
  ['float16', Dtype.Float16],
  ['bfloat16', Dtype.Bfloat16],
])('every %s', (_name, dtype) => {
  const content = contentOfBits(dtype, everyBits);
  const numbers = numbersOf(dtype);
  const rows = (length: number, group = length): Shape => ({ op: Op.Segments, rows: COUNT / length, length, group });

  test('is read one by one', () => {
    const rules = { ...SYMMETRIC, dtype, nonFinite: NonFinite.Propagate };
    const { lows, highs } = perform(sandbox, { rules, shape: rows(1), content, mode: Mode.Range });
    const isRight = (number: number, i: number) =>
      Number.isNaN(number)
        ? Number.isNaN(highs[i]) && Object.is(lows[i], -0)
        : Object.is(highs[i], Math.max(number, 0)) && Object.is(lows[i], Math.min(number, -0));
    expect(numbers.findIndex((number, i) => !isRight(number, i))).toBe(-1);
  });

  test('is read in vectors', () => {
    const rules = { ...SYMMETRIC, dtype, nonFinite: NonFinite.Propagate };
    const { statistics } = perform(sandbox, { rules, shape: rows(4), content, statistics: true });
    const isRight = (number: number, i: number) => {
      const signal = statistics[(i >> 2) * 10 + 4 + (i & 3)];
      return signal === (Number.isFinite(number) ? number * number : 0);
    };
    expect(numbers.findIndex((number, i) => !isRight(number, i))).toBe(-1);
  });

  test('has its code', () => {
    const rules: Rules = { ...SYMMETRIC, dtype, storage: Storage.Int16, codes: [-32768, 32767], nanCode: 99 };
    for (const nonFinite of [NonFinite.Saturate, NonFinite.Propagate]) {
      for (const apply of [Apply.Divide, Apply.Reciprocal]) {
        for (const rounding of [Rounding.HalfEven, Rounding.HalfAway]) {
          // Blocks of 64 consecutive bits: whole ones are finite and go in vectors, or lie beyond the codes.
          for (const shape of [rows(64), { op: Op.Columns, length: COUNT / 64, group: 16, inner: 64 }]) {
            const all = { ...rules, nonFinite, apply, rounding };
            const { codes } = perform(sandbox, {
              rules: all,
              shape,
              content,
              source: Source.Given,
              given: { scales: [2 ** -3] },
            });
            const isRight = (number: number, i: number) => {
              if (Number.isNaN(number)) return codes[i] === (nonFinite === NonFinite.Saturate ? 0 : 99);
              const v = Math.max(-32768, Math.min(32767, number * 8));
              const isTie = Math.abs(v % 1) === 0.5;
              if (!isTie) return codes[i] === Math.round(v) + 0;
              const away = Math.sign(v) * Math.ceil(Math.abs(v));
              return codes[i] === (rounding === Rounding.HalfAway || away % 2 === 0 ? away : away - Math.sign(v)) + 0;
            };
            expect(numbers.findIndex((number, i) => !isRight(number, i))).toBe(-1);
          }
        }
      }
    }
  });
});

test.each(DTYPES)('an edge value at every place of a row, dtype %i', (dtype) => {
  for (const bits of EDGES[dtype]) {
    for (let at = 0; at < 21; at++) {
      for (const nonFinite of [NonFinite.Error, NonFinite.Saturate, NonFinite.Propagate]) {
        const rules = { ...SYMMETRIC, dtype, nonFinite, poisons: at % 2 === 0, nanCode: 5 };
        const row = Array.from({ length: 21 }, (_, i) => (i === at ? bits : EDGES[dtype][8]! + i));
        const content = contentOfBits(dtype, row);
        perform(sandbox, {
          rules,
          shape: { op: Op.Segments, rows: 1, length: 21, group: 21 },
          content,
          statistics: true,
        });
        perform(sandbox, {
          rules,
          shape: { op: Op.Columns, length: 1, group: 1, inner: 21 },
          content,
          statistics: true,
        });
      }
    }
  }
});
