/** Every planar preset: SIMD and scalar give the same bytes for every length and for any bits. */
import { describe, test } from 'vitest';
import { PRESETS, type Preset, preset, type Scheme } from '#src/index.js';
import { schemeWords } from '#src/scheme/index.js';
import { Dtype, Mode, Op, Source } from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import { fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf } from './work.js';

const sandbox = new Sandbox();
const DTYPE_NAMES = { [Dtype.Float32]: 'float32', [Dtype.Float16]: 'float16', [Dtype.Bfloat16]: 'bfloat16' } as const;

/** Quantizes rows of a length with both kernels, which compares them. */
function quantize(scheme: Scheme, dtype: Dtype, rows: number, length: number, content: Uint8Array): void {
  sandbox.clear();
  const isTensor = scheme.granularity.kind === 'perTensor';
  const group = scheme.granularity.kind === 'perBlock' ? Math.min(scheme.granularity.size, length) : length;
  const parameters = isTensor ? 1 : rows * Math.ceil(length / group);
  const isGiven = scheme.parameters === 'given';
  const values = sandbox.input(content, length % 16 === 1 ? 4 : 0);
  const codes = sandbox.output(rows * length * 2);
  const scales = contentOf(Dtype.Float32, [0.01]);
  const scale = isGiven ? sandbox.input(scales) : sandbox.output(parameters * 8);
  const zeros = sandbox.output(parameters * 4);
  const descriptor = sandbox.descriptors(1);
  const words = new Map<Word, number>();
  const ofScheme = schemeWords(scheme, DTYPE_NAMES[dtype]);
  for (const [index, word] of ofScheme.entries()) words.set(Size.SchemeWords + index, word);
  words.set(Word.Op, isTensor ? Op.Tensor : Op.Segments);
  words.set(Word.Mode, Mode.Quantize);
  words.set(Word.Source, isGiven ? Source.Given : Source.Data);
  words.set(Word.Last, isTensor ? Math.ceil((rows * length) / Size.TensorTile) : rows);
  words.set(Word.Values, values);
  words.set(Word.Codes, codes);
  words.set(Word.Scale, scale);
  words.set(Word.ZeroPoint, scheme.symmetric || isGiven ? 0 : zeros);
  words.set(Word.Length, isTensor ? rows * length : length);
  words.set(Word.Group, isTensor ? 0 : group);
  sandbox.fill(descriptor, words);
  sandbox.run(descriptor);
}

const ROWS = PRESETS.filter(({ name }) => preset(name).layout === 'planar').flatMap((row: Preset) => [
  { title: row.name, options: {} },
  ...(row.reduced === undefined ? [] : [{ title: `${row.name}, reduced`, options: { reduceRange: true } }]),
]);

describe.each(ROWS)('$title', ({ title, options }) => {
  const name = title.split(',')[0]!;

  test('lengths from 1 to 300', () => {
    const scheme = preset(name, options);
    for (let length = 1; length <= 300; length++) {
      const dtype = (length % 3) as Dtype;
      quantize(scheme, dtype, 2, length, fill(length % 4 === 3 ? 'ties' : 'normal', dtype, 2 * length, length));
    }
  });

  test('10,000 bit patterns under each policy', () => {
    for (const nonFinite of ['error', 'saturate', 'propagate'] as const) {
      const scheme = preset(name, { ...options, nonFinite });
      for (const kind of ['bits', 'wide', 'rare', 'subnormal', 'edges'] as const) {
        quantize(scheme, Dtype.Float32, 100, 20, fill(kind, Dtype.Float32, 2000, 7));
        quantize(scheme, Dtype.Float32, 10, 200, fill(kind, Dtype.Float32, 2000, 8));
      }
      quantize(scheme, Dtype.Float32, 10_000, 1, fill('bits', Dtype.Float32, 10_000, 9));
      quantize(scheme, Dtype.Float16, 100, 100, fill('bits', Dtype.Float16, 10_000, 10));
    }
  });
});
