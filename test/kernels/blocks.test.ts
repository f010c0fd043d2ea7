/** Blocks of foreign formats: SIMD and scalar give the same bytes for any values, and rules of the formats by hand. */
import { describe, expect, test } from 'vitest';
import { Dtype, Mode, NonFinite, Op } from '../../src/scheme/codes.js';
import { BLOCK_FORMATS, type BlockFormatName } from '../../src/scheme/index.js';
import { DTYPES, FILLS, fill, randomOf } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf, contentOfBits, type Outcome, perform, type Shape, SYMMETRIC, type Work } from './work.js';

const sandbox = new Sandbox();
const NAMES = Object.keys(BLOCK_FORMATS) as BlockFormatName[];
const POLICIES = [NonFinite.Error, NonFinite.Saturate, NonFinite.Propagate];

/** Rows of a format; `length` is a multiple of its block, where it wants that. */
function shapeOf(name: BlockFormatName, rows: number, length: number): Shape {
  const { code: format, size, granularity, bytes, codesAt } = BLOCK_FORMATS[name];
  const group = granularity.kind === 'perToken' ? length : size;
  const inner = Math.ceil(length / size) * bytes;
  return { op: Op.Blocks, rows, length, group, inner, block: [bytes, codesAt], format };
}

/** Values that a format takes at once, at least, and their bytes. */
function unitOf(name: BlockFormatName): { readonly size: number; readonly bytes: number } {
  const { size, bytes, ragged, granularity } = BLOCK_FORMATS[name];
  const blocks = ragged || granularity.kind === 'perToken' ? 40 / size : 1;
  return { size: size * blocks, bytes: bytes * blocks };
}

function quantize(name: BlockFormatName, rows: number, content: Uint8Array, more: Partial<Work> = {}): Outcome {
  const rules = more.rules ?? SYMMETRIC;
  const elements = content.length / (rules.dtype === Dtype.Float32 ? 4 : 2);
  return perform(sandbox, { ...more, rules, shape: shapeOf(name, rows, elements / rows), content });
}

function hex({ codeBytes }: Outcome): string {
  return Buffer.from(codeBytes).toString('hex');
}

/** The values that blocks read back as, and that the two kernels agree on. */
function dequantize(name: BlockFormatName, blocks: Uint8Array, elements: number): Float32Array {
  const shape = shapeOf(name, 1, elements);
  return perform(sandbox, { rules: SYMMETRIC, shape, content: blocks, mode: Mode.Dequantize }).values;
}

describe.each(NAMES)('%s', (name) => {
  const { size, bytes } = unitOf(name);
  const { dtype: storage } = BLOCK_FORMATS[name];

  test('any values, types and policies', () => {
    let seed = 1;
    for (const dtype of DTYPES) {
      for (const nonFinite of POLICIES) {
        const rules = { ...SYMMETRIC, dtype, nonFinite };
        for (const kind of FILLS) {
          const content = fill(kind, dtype, 3 * 4 * size, seed++);
          quantize(name, 3, content, { rules, statistics: true, cuts: 2, misalign: seed % 4 });
        }
        for (const blocks of [1, 2, 5]) {
          const content = fill('normal', dtype, blocks * size, seed++);
          quantize(name, 1, content, { rules, statistics: true });
        }
      }
    }
  });

  test('10,000 bit patterns, NaN and infinities among them, each scaled by its neighbours', () => {
    const count = Math.ceil(10_000 / size) * size;
    for (const nonFinite of POLICIES) {
      quantize(name, 1, fill('bits', Dtype.Float32, count, nonFinite + 1), { rules: { ...SYMMETRIC, nonFinite } });
      quantize(name, 1, fill('wide', Dtype.Float32, count, nonFinite + 1), { rules: { ...SYMMETRIC, nonFinite } });
    }
  });

  test('any bytes read back the same', () => {
    const random = randomOf(size + bytes);
    const content = Uint8Array.from({ length: bytes * 300 }, () => random() * 256);
    const values = dequantize(name, content, size * 300);
    expect(values).toHaveLength(size * 300);
  });

  test('blocks at the edges of float32', () => {
    for (const most of [2 ** -149, 2 ** -130, 2 ** -127, 2 ** -126, 2 ** -125, 3e-37, 1e-15, 1e19, 2 ** 127, 3.4e38]) {
      for (const sign of [1, -1]) {
        const values = Array.from({ length: size }, (_, i) => (i === 5 ? sign * most : ((i % 7) - 3) * (most / 4)));
        quantize(name, 1, contentOf(Dtype.Float32, size === 1 ? [sign * most] : values), { statistics: true });
      }
    }
  });

  test('refused values are counted, in row and place', () => {
    const values = Array.from({ length: 4 * size }, (_, i) => i % 9);
    values[size] = Number.NaN;
    values[4 * size - 1] = Number.NEGATIVE_INFINITY;
    expect(quantize(name, 2, contentOf(Dtype.Float32, values))).toMatchObject({ badCount: 2, badFirst: size });
  });

  test('saturate: as with NaN zero and infinities at the largest magnitude', () => {
    const rules = { ...SYMMETRIC, nonFinite: NonFinite.Saturate };
    const ends: Partial<Record<BlockFormatName, number>> = { f16: 65504, bf16: 2 ** 127 * (2 - 2 ** -7) };
    const most = ends[name] ?? 7;
    const clean = Array.from({ length: 2 * size }, (_, i) => (i % 15) - 7);
    const dirty = [...clean];
    const at = size === 1 ? [0, 1, 0] : [3, 11, 20];
    clean[at[2]!] = 0;
    dirty[at[2]!] = Number.NaN;
    clean[at[0]!] = most;
    dirty[at[0]!] = Number.POSITIVE_INFINITY;
    clean[at[1]!] = -most;
    dirty[at[1]!] = Number.NEGATIVE_INFINITY;
    const [expected, actual] = [clean, dirty].map((x) => quantize(name, 1, contentOf(Dtype.Float32, x), { rules }));
    expect(hex(actual!)).toBe(hex(expected!));
    expect(actual!.badCount).toBe(size === 1 ? 2 : 3);
  });

  test('statistics are those of the values read back', () => {
    for (const dtype of DTYPES) {
      const content = fill('normal', dtype, 2 * size, 7);
      const { codeBytes, statistics } = quantize(name, 1, content, {
        statistics: true,
        rules: { ...SYMMETRIC, dtype },
      });
      const back = dequantize(name, codeBytes, 2 * size);
      const exact = dequantize(
        dtype === Dtype.Float16 ? 'f16' : 'bf16',
        content,
        dtype === Dtype.Float32 ? 0 : 2 * size,
      );
      const values = dtype === Dtype.Float32 ? new Float32Array(content.buffer) : exact;
      const noise = [0, 0, 0, 0];
      values.forEach((x, i) => {
        noise[i & 3]! += Math.fround(x - back[i]!) ** 2;
      });
      expect([...statistics.slice(0, 4)]).toEqual(noise);
      expect(statistics[9]).toBe(0);
      if (storage !== 'uint16') expect(statistics[8]).toBeGreaterThan(0);
    }
  });
});

const V32 = [
  -3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375, -1.625,
  0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125, 0.625, 2.375,
];

/** One block of these values, the rest zeros, as hex. */
function block(name: BlockFormatName, values: readonly number[]): string {
  const padded = [...values, ...new Array<number>(BLOCK_FORMATS[name].size - values.length).fill(0)];
  return hex(quantize(name, 1, contentOf(Dtype.Float32, padded)));
}

describe('published blocks', () => {
  test.each([
    ['q8_0', '082885bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b'],
    ['q8_0-x86', '082885bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b'],
    ['q4_0', '00b88f4c19d582603bf7c4885d19e6a27f3b'],
    ['q4_1', '3338c0c380b3e72a7d9fc5084b77a3e62a5d91c4'],
    ['q5_0', '00b447ce99330f9922bb04d066ff8810aa33cc55ee77'],
    ['mxfp4', '7f0e4c69d305265be1c4003c59d2a51d4b'],
  ] as const)('%s', (name, expected) => {
    expect(block(name, V32)).toBe(expected);
  });

  test('ties: the reference away from zero, x86 to even', () => {
    const ties = [127, -127, 0.5, 1.5, 2.5, -0.5, -1.5, 126.5];
    expect(block('q8_0', ties)).toMatch(/^003c7f81010203fffe7f00/);
    expect(block('q8_0-x86', ties)).toMatch(/^003c7f8100020200fe7e00/);
  });

  test('one operation more or less moves a code', () => {
    const bits = contentOfBits(Dtype.Float32, [0x40315815, 0x401bb320]);
    const values = [...new Float32Array(bits.buffer)];
    expect(block('q8_0', values).slice(4, 8)).toBe('7f70');
    expect(block('q8_0-x86', values).slice(4, 8)).toBe('7f6f');
  });
});

describe('rules of a format', () => {
  test('a block of zeros', () => {
    const zeros = NAMES.filter((name) => BLOCK_FORMATS[name].size > 1).map((name) => [name, block(name, [-0])]);
    const none = (bytes: number) => '00'.repeat(bytes);
    expect(Object.fromEntries(zeros)).toEqual({
      q8_0: none(34),
      'q8_0-x86': none(34),
      q8_1: none(36),
      q8_K: none(292),
      q4_0: `0080${'88'.repeat(16)}`,
      q4_1: `00000080${none(16)}`,
      q5_0: `0080ffffffff${none(16)}`,
      q5_1: `00000080${none(20)}`,
      iq4_nl: `0000${'88'.repeat(16)}`,
      mxfp4: none(17),
      nvfp4: none(36),
      'bits-high': none(1),
      'bits-high-int8': '80',
      'bits-low': none(1),
    });
  });

  test('of two largest magnitudes the first gives its sign', () => {
    expect(block('q4_0', [1, -2, 2]).slice(0, 4)).toBe('0034');
    expect(block('q4_0', [1, 2, -2]).slice(0, 4)).toBe('00b4');
    expect(block('q8_K', [-2, 2]).slice(0, 8)).toBe(block('q8_K', [-2]).slice(0, 8));
    expect(block('q8_K', [2, -2]).slice(0, 8)).toBe(block('q8_K', [2]).slice(0, 8));
  });

  test('sums of codes', () => {
    expect(block('q8_1', [127, -1, 3])).toMatch(/^003c08587fff03/);
    const { codeBytes } = quantize('q8_K', 1, contentOf(Dtype.Float32, [-127, ...new Array(255).fill(1)]));
    const sums = new DataView(codeBytes.buffer, 260);
    expect([sums.getInt16(0, true), sums.getInt16(2, true)]).toEqual([-127 + 15, 16]);
  });

  test('4-bit floats: ties go to the smaller magnitude, and −0 has no code', () => {
    const ties = [6, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -0.25, -0.75, -5, -6];
    const found = dequantize(
      'mxfp4',
      quantize('mxfp4', 1, contentOf(Dtype.Float32, [...ties, ...new Array(20).fill(0)])).codeBytes,
      32,
    );
    expect([...found.slice(0, 12)]).toEqual([6, 0, 0.5, 1, 1.5, 2, 3, 4, 0, -0.5, -4, -6]);
  });

  test('MXFP4: the exponent of a tiny block wraps around', () => {
    expect(block('mxfp4', [2 ** -125]).slice(0, 2)).toBe('00');
    expect(block('mxfp4', [2 ** -126]).slice(0, 2)).toBe('ff');
    expect(block('mxfp4', [2 ** -149]).slice(0, 2)).toBe('e8');
  });

  test('NVFP4: scales are rounded half up, and saturate at 448', () => {
    const scales = (amax: number) => block('nvfp4', [amax]).slice(0, 2);
    expect(scales(6)).toBe('38');
    expect(scales(6 * 1.0625)).toBe('39');
    expect(scales(6 * 255)).toBe('7e');
    expect(scales(1e30)).toBe('7e');
    expect(scales(6 * 2 ** -10)).toBe('01');
    expect(scales(6 * 2 ** -11)).toBe('00');
    // So far beyond the scale every distance is the same in float32, and the first code wins.
    expect(block('nvfp4', [1e30]).slice(8, 10)).toBe('00');
  });

  test('F16 and BF16', () => {
    const edges = [1, -0, 65504, 65519, 65520, 2 ** -24, 2 ** -25, 2 ** -25 * 1.5, 1 + 2 ** -11, 1 + 3 * 2 ** -11];
    const outcome = quantize('f16', 1, contentOf(Dtype.Float32, edges));
    const bits = [0x3c00, 0x8000, 0x7bff, 0x7bff, 0x7c00, 1, 0, 1, 0x3c00, 0x3c02];
    expect([...new Uint16Array(outcome.codeBytes.buffer)]).toEqual(bits);
    const brief = quantize(
      'bf16',
      1,
      contentOf(Dtype.Float32, [1, -0, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, 2 ** -133]),
    );
    expect([...new Uint16Array(brief.codeBytes.buffer)]).toEqual([0x3f80, 0x8000, 0x3f80, 0x3f82, 0x7f80, 1]);
  });
});
