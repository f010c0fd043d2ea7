/** Linear layers: every kernel gives the same bytes, and the integers are those of BigInt. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRelaxed } from '#src/kernels/index.js';
import { Dtype, LinearForm, Op, RowForm, ScaleType, Storage } from '../../src/scheme/codes.js';
import { Panel, Size, Word } from '../../src/scheme/descriptor.js';
import { DTYPES, FILLS, type Fill, fill, randomOf } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf } from './work.js';

const sandbox = new Sandbox();

/** The forms that products of this engine take. */
const ROW_FORMS = (await compileRelaxed()) === null ? [RowForm.Wide] : [RowForm.Wide, RowForm.Sevens, RowForm.Nibbles];

interface Layer {
  readonly form: LinearForm;
  readonly outputs: number;
  readonly inputs: number;
  readonly group?: number;
  /** int8 codes, or values of `dtype`. */
  readonly weights: Uint8Array;
  readonly dtype?: Dtype;
  /** One for each group of each output; default 1. */
  readonly scales?: readonly number[];
  readonly bias?: readonly number[];
  readonly misalign?: number;
}

interface Rows {
  readonly count: number;
  /** Codes, or float32 values. */
  readonly content: Uint8Array;
  readonly storage?: Storage.Int8 | Storage.Uint8;
  readonly rowForm?: RowForm;
  /** One for each row, or one for all; default 1. */
  readonly scales?: readonly number[];
  readonly scaleType?: ScaleType;
  readonly zeroPoints?: readonly number[];
  readonly unitRows?: number;
}

const float32 = (values: ArrayLike<number>): Uint8Array => contentOf(Dtype.Float32, values);
const bytesOf = (codes: ArrayLike<number>): Uint8Array => Uint8Array.from(codes, (code) => code & 255);

/** Runs an op on `units` units with both kernels, in two descriptors, the second part first. */
function run(op: Op, units: number, words: readonly (readonly [Word, number])[]): void {
  const first = sandbox.descriptors(2);
  const middle = units >> 1;
  const parts = [
    [first + Size.Descriptor, middle, units],
    [first, 0, middle],
  ] as const;
  for (const [at, from, to] of parts) {
    sandbox.fill(at, new Map<Word, number>([[Word.Op, op], [Word.First, from], [Word.Last, to], ...words]));
  }
  sandbox.run(...parts.map(([at]) => at));
}

/** What both kernels make of rows, step by step. */
function perform(layer: Layer, rows: Rows): Float32Array {
  sandbox.clear();
  const { form, outputs, inputs, group = inputs, weights, dtype = Dtype.Float32, misalign = 0 } = layer;
  const isInteger = form <= LinearForm.Int8Groups;
  const groups = Math.ceil(inputs / group);
  const panels = Math.ceil(outputs / Panel.Outputs);
  const padded = panels * Panel.Outputs;
  const panelBytes = isInteger ? Math.ceil(inputs / 4) * 64 : inputs * 64;
  const shape = [
    [Word.Form, form],
    [Word.Length, inputs],
    [Word.Inner, outputs],
    [Word.Group, group],
    [Word.Parts, groups],
    [Word.Dtype, dtype],
  ] as const;
  const values = sandbox.input(weights, misalign);
  const scales = sandbox.input(float32(layer.scales ?? new Array(outputs * groups).fill(1)));
  const panel = sandbox.output(panels * panelBytes);
  const panelScales = sandbox.output(padded * groups * 4);
  const sums = sandbox.output(padded * groups * 4);
  run(Op.LinearWeights, panels, [
    ...shape,
    [Word.Values, values],
    [Word.Codes, panel],
    [Word.Scale, scales],
    [Word.RangeLow, panelScales],
    [Word.ZeroPoint, sums],
  ]);
  const { count, content, rowForm = RowForm.Wide, unitRows = 12 } = rows;
  const bias = sandbox.input(float32(Array.from({ length: padded }, (_, o) => layer.bias?.[o] ?? 0)));
  const result = sandbox.output(count * outputs * 4);
  const x = sandbox.input(content, misalign);
  const rowBytes = Math.ceil(inputs / 4) * 8;
  const laid = sandbox.output(count * rowBytes);
  const parameters = sandbox.output(count * 8);
  if (isInteger) layRows(rows, inputs, x, laid, parameters);
  run(Op.LinearProduct, panels * Math.ceil(count / unitRows), [
    ...shape,
    [Word.RowForm, rowForm],
    [Word.UnitRows, unitRows],
    [Word.Count, count],
    [Word.Values, isInteger ? laid : x],
    [Word.Codes, result],
    [Word.Scale, panelScales],
    [Word.ZeroPoint, sums],
    [Word.RangeLow, parameters],
    [Word.RangeHigh, panel],
    [Word.TensorScale, bias],
  ]);
  return new Float32Array(sandbox.read(result, count * outputs * 4).buffer);
}

function layRows(rows: Rows, inputs: number, x: number, laid: number, parameters: number): void {
  const { count, storage = Storage.Int8, rowForm = RowForm.Wide, zeroPoints, scaleType = ScaleType.Float32 } = rows;
  const scales = rows.scales ?? [1];
  const isWide = scaleType === ScaleType.Float64;
  const content = isWide ? new Uint8Array(Float64Array.from(scales).buffer) : float32(scales);
  run(Op.LinearRows, count, [
    [Word.Values, x],
    [Word.Codes, laid],
    [Word.RangeLow, parameters],
    [Word.Scale, sandbox.input(content)],
    [Word.ZeroPoint, zeroPoints === undefined ? 0 : sandbox.input(bytesOf(zeroPoints))],
    [Word.ScaleStride, scales.length === 1 ? 0 : isWide ? 8 : 4],
    [Word.ScaleType, scaleType],
    [Word.Storage, storage],
    [Word.RowForm, rowForm],
    [Word.Length, inputs],
    [Word.Inner, Math.ceil(inputs / 4) * 8],
  ]);
}

/** Σ w · (x − zero point), exactly. */
function oracle(w: ArrayLike<number>, x: ArrayLike<number>, zero: number): bigint {
  let sum = 0n;
  for (let k = 0; k < w.length; k++) sum += BigInt(w[k]!) * BigInt(x[k]! - zero);
  return sum;
}

const codes = (count: number, seed: number, low: number, high: number): number[] => {
  const random = randomOf(seed);
  return Array.from({ length: count }, () => low + Math.floor(random() * (high - low + 1)));
};

/** Expects the integers of rows and weights, whose scales are 1. */
function expectIntegers(shape: [rows: number, inputs: number, outputs: number], seed: number, more: Partial<Rows>) {
  const [count, inputs, outputs] = shape;
  const { storage = Storage.Int8 } = more;
  const [low, high] = storage === Storage.Int8 ? [-128, 127] : [0, 255];
  const w = codes(outputs * inputs, seed, -128, 127);
  const x = codes(count * inputs, seed + 1, low, high);
  const zeros = codes(count, seed + 2, low, high);
  const rows = { count, content: bytesOf(x), scales: new Array(count).fill(1), zeroPoints: zeros, ...more };
  const y = perform({ form: LinearForm.Int8, outputs, inputs, weights: bytesOf(w) }, rows);
  const expected = Array.from({ length: count * outputs }, (_, at) => {
    const [row, output] = [Math.floor(at / outputs), at % outputs];
    const zero = rows.scales.length === 1 ? zeros[0]! : zeros[row]!;
    const from = (list: number[], index: number) => list.slice(index * inputs, (index + 1) * inputs);
    return Math.fround(Number(oracle(from(w, output), from(x, row), zero)));
  });
  expect([...y]).toEqual(expected);
}

describe.each(ROW_FORMS)('integers, rows of form %i', (rowForm) => {
  test.each([1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 131])('%i inputs', (inputs) => {
    for (const storage of [Storage.Int8, Storage.Uint8] as const) {
      expectIntegers([5, inputs, 19], inputs, { rowForm, storage });
    }
  });

  test.each([1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33])('%i outputs', (outputs) => {
    expectIntegers([4, 21, outputs], outputs, { rowForm });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 25])('%i rows, in units of any number', (count) => {
    for (const unitRows of [1, 3, 5, 12]) expectIntegers([count, 20, 18], count, { rowForm, unitRows });
  });

  test('one scale and zero point of all rows', () => {
    for (const storage of [Storage.Int8, Storage.Uint8] as const) {
      expectIntegers([5, 20, 18], 3, { rowForm, storage, scales: [1] });
    }
  });

  test('the largest products, over many inputs', () => {
    const inputs = 8192;
    for (const w of [-128, 127]) {
      for (const [storage, x] of [
        [Storage.Int8, -128],
        [Storage.Int8, 127],
        [Storage.Uint8, 255],
        [Storage.Uint8, 127],
        [Storage.Uint8, 128],
        [Storage.Uint8, 15],
      ] as const) {
        const weights = new Uint8Array(inputs).fill(w);
        const content = new Uint8Array(inputs).fill(x);
        const layer = { form: LinearForm.Int8, outputs: 1, inputs, weights };
        expect([...perform(layer, { count: 1, content, rowForm, storage })]).toEqual([w * x * inputs]);
      }
    }
  });

  test('a sum at the end of int32', () => {
    const inputs = 65_536;
    const layer = { form: LinearForm.Int8, outputs: 1, inputs, weights: new Uint8Array(inputs).fill(128) };
    const rows = { count: 1, content: new Uint8Array(inputs).fill(255), rowForm, storage: Storage.Uint8 } as const;
    expect([...perform(layer, rows)]).toEqual([Math.fround(-128 * 255 * inputs)]);
    const below = { ...rows, content: new Uint8Array(inputs), zeroPoints: [255] };
    expect([...perform(layer, below)]).toEqual([Math.fround(128 * 255 * inputs)]);
  });

  test('scales and bias: equation L3, at any alignment', () => {
    for (const misalign of [0, 1, 2, 3]) {
      const layer = {
        form: LinearForm.Int8,
        outputs: 2,
        inputs: 3,
        weights: bytesOf([1, 2, 3, -4, 5, -6]),
        scales: [0.1, 0.7],
        bias: [0.3, -1e6],
        misalign,
      };
      const rows = { count: 2, content: bytesOf([7, -8, 9, 10, 11, 12]), scales: [0.2, 3.3], rowForm };
      const f = Math.fround;
      const y = (sum: number, sx: number, sw: number, b: number) => f(f(sum * f(f(sx) * f(sw))) + f(b));
      const expected = [y(18, 0.2, 0.1, 0.3), y(-122, 0.2, 0.7, -1e6), y(68, 3.3, 0.1, 0.3), y(-57, 3.3, 0.7, -1e6)];
      expect([...perform(layer, rows)]).toEqual(expected);
    }
  });

  test('float64 scales are rounded to float32', () => {
    const layer = { form: LinearForm.Int8, outputs: 1, inputs: 1, weights: bytesOf([3]), scales: [1 / 7] };
    const rows = { count: 2, content: bytesOf([5, -2]), scales: [0.1, 1 / 3], scaleType: ScaleType.Float64, rowForm };
    const f = Math.fround;
    const expected = [f(15 * f(f(0.1) * f(1 / 7))), f(-6 * f(f(1 / 3) * f(1 / 7)))];
    expect([...perform(layer, rows)]).toEqual(expected);
  });

  test.each([8, 32, 64])('groups of %i: equation L4', (group) => {
    for (const [count, inputs, outputs] of [
      [1, 70, 5],
      [7, 64, 18],
      [4, 5, 3],
    ] as const) {
      const groups = Math.ceil(inputs / group);
      const random = randomOf(inputs);
      const w = codes(outputs * inputs, 1, -127, 127);
      const x = codes(count * inputs, 2, 0, 255);
      const scales = Array.from({ length: outputs * groups }, () => Math.fround(random()));
      const rowScales = Array.from({ length: count }, () => Math.fround(random()));
      const zeroPoints = codes(count, 3, 0, 255);
      const bias = Array.from({ length: outputs }, () => Math.fround(random() - 0.5));
      const layer = { form: LinearForm.Int8Groups, outputs, inputs, group, weights: bytesOf(w), scales, bias };
      const storage = Storage.Uint8 as const;
      const y = perform(layer, { count, content: bytesOf(x), storage, scales: rowScales, zeroPoints, rowForm });
      const f = Math.fround;
      for (let row = 0; row < count; row++) {
        // One row has one scale, of stride 0.
        for (let output = 0; output < outputs; output++) {
          let all: number | undefined;
          for (let g = 0; g < groups; g++) {
            const [from, to] = [g * group, Math.min(inputs, (g + 1) * group)];
            const part = oracle(
              w.slice(output * inputs + from, output * inputs + to),
              x.slice(row * inputs + from, row * inputs + to),
              zeroPoints[row]!,
            );
            const scaled = f(f(Number(part)) * scales[output * groups + g]!);
            all = all === undefined ? scaled : f(all + scaled);
          }
          expect(y[row * outputs + output]).toBe(f(f(all! * rowScales[row]!) + bias[output]!));
        }
      }
    }
  });

  test('any sizes', () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(
        size(9),
        size(150),
        size(40),
        fc.nat(),
        fc.boolean(),
        size(13),
        (rows, inputs, outputs, seed, isSigned, unitRows) => {
          const storage = isSigned ? Storage.Int8 : Storage.Uint8;
          expectIntegers([rows, inputs, outputs], seed, { rowForm, storage, unitRows });
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe.each([LinearForm.Float32, LinearForm.Float16, LinearForm.Bfloat16] as const)('floats of form %i', (form) => {
  const own = form === LinearForm.Float16 ? Dtype.Float16 : form === LinearForm.Bfloat16 ? Dtype.Bfloat16 : undefined;

  test.each(FILLS)('%s: the same bytes', (kind: Fill) => {
    for (const dtype of own === undefined ? DTYPES : [own]) {
      for (const [count, inputs, outputs] of [
        [1, 1, 1],
        [3, 33, 17],
        [2, 70, 5],
      ] as const) {
        const weights = fill(kind, dtype, outputs * inputs, inputs);
        const content = fill(kind, Dtype.Float32, count * inputs, count);
        perform({ form, outputs, inputs, weights, dtype, bias: [0.5, -0, 3] }, { count, content, unitRows: 2 });
      }
    }
  });

  test('the sum of a plain loop: equation L6', () => {
    const f = Math.fround;
    const [count, inputs, outputs] = [3, 37, 6];
    const random = randomOf(form);
    // Few bits, so that every type holds them.
    const w = Array.from({ length: outputs * inputs }, () => Math.floor(random() * 255 - 127) / 16);
    const x = Float32Array.from({ length: count * inputs }, () => random() - 0.5);
    const dtype = own ?? Dtype.Float32;
    const bias = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
    const y = perform(
      { form, outputs, inputs, weights: contentOf(dtype, w), dtype, bias },
      { count, content: float32(x) },
    );
    for (let at = 0; at < y.length; at++) {
      const [row, output] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let k = 0; k < inputs; k++) sum = f(sum + f(x[row * inputs + k]! * w[output * inputs + k]!));
      expect(y[at]).toBe(f(sum + f(bias[output]!)));
    }
  });
});

describe('4 bits', () => {
  test.each(FILLS)('%s: the same bytes', (kind: Fill) => {
    for (const [count, inputs, outputs, group] of [
      [1, 1, 1, 8],
      [3, 40, 17, 32],
      [2, 100, 33, 32],
      [5, 64, 4, 64],
    ] as const) {
      const scales = [...codes(outputs * Math.ceil(inputs / group), 5, -9, 9)].map((scale) => scale / 7);
      const weights = bytesOf(codes(outputs * inputs, 3, -8, 7));
      const content = fill(kind, Dtype.Float32, count * inputs, count);
      const layer = { form: LinearForm.Int4Groups, outputs, inputs, group, weights, scales };
      perform(layer, { count, content, unitRows: 2 });
    }
  });

  test('scaled sums of groups: equation L5', () => {
    const f = Math.fround;
    const [inputs, outputs, group] = [21, 3, 8];
    const w = codes(outputs * inputs, 8, -8, 7);
    const random = randomOf(4);
    const x = Float32Array.from({ length: 2 * inputs }, () => random() - 0.5);
    const scales = Array.from({ length: 9 }, () => f(random()));
    const bias = [0.25, -3, 0.1];
    const layer = { form: LinearForm.Int4Groups, outputs, inputs, group, weights: bytesOf(w), scales, bias };
    const y = perform(layer, { count: 2, content: float32(x) });
    for (let at = 0; at < y.length; at++) {
      const [row, output] = [Math.floor(at / outputs), at % outputs];
      const parts = [0, 1, 2].map((g) => {
        let sum = 0;
        for (let k = g * group; k < Math.min(inputs, (g + 1) * group); k++) {
          sum = f(sum + f(x[row * inputs + k]! * w[output * inputs + k]!));
        }
        return f(sum * scales[output * 3 + g]!);
      });
      expect(y[at]).toBe(f(parts.reduce((all, part) => f(all + part)) + f(bias[output]!)));
    }
  });
});
