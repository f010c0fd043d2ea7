/** Codes in bins, against counting them one by one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preset, type Scheme } from '#src/index.js';
import { CODE_DTYPES, CODE_FACTS, type CodeDtype, codeValue, isIntegerCode } from '#src/scheme/index.js';
import { CodeBins } from '#src/watch/index.js';

const base = preset('onnx-static');

function schemeOf(dtype: CodeDtype, packing: Scheme['packing'] = 'low-first'): Scheme {
  return { ...base, dtype, packing };
}

/** Bits of the codes of an array of them, from the bytes that they lie in. */
function codesIn(bytes: Uint8Array, elements: number, { dtype, packing }: Scheme): number[] {
  const { bits } = CODE_FACTS[dtype];
  const codes: number[] = [];
  for (let index = 0; index < elements; index++) {
    const first = index * bits;
    if (bits >= 8) {
      codes.push(bits === 8 ? bytes[index]! : bytes[index * 2]! + 256 * bytes[index * 2 + 1]!);
      continue;
    }
    const within = packing === 'low-first' ? first % 8 : 8 - bits - (first % 8);
    codes.push((bytes[Math.floor(first / 8)]! >> within) & (2 ** bits - 1));
  }
  return codes;
}

/** What a code stands for. */
function meaning(dtype: CodeDtype, code: number): number {
  const { bits, storage } = CODE_FACTS[dtype];
  if (!isIntegerCode(dtype)) return codeValue(dtype, code);
  return storage.startsWith('int') && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
}

/** The bin of a value by its values: of several with the same value any. */
function binsOf(values: readonly number[], dtype: CodeDtype, value: number): number[] {
  const wanted = CODE_FACTS[dtype].bits === 16 ? Math.floor(value / 256) * 256 : value;
  return values.flatMap((each, bin) => (Object.is(each + 0, wanted + 0) ? [bin] : []));
}

describe.each(CODE_DTYPES)('bins of %s', (dtype) => {
  const isFloat6 = dtype.startsWith('float6');

  it('are in the order of their values, NaN last', () => {
    const { values } = CodeBins.of(schemeOf(dtype))!;
    const numbers = values.filter((value) => !Number.isNaN(value));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(values.slice(0, numbers.length)).toEqual(numbers);
    expect(values.length).toBe(isFloat6 ? 64 : Math.min(256, 2 ** CODE_FACTS[dtype].bits));
  });

  it('count what counting one by one counts', () => {
    const { bits } = CODE_FACTS[dtype];
    const most = isFloat6 ? 63 : 255;
    const given = fc.integer({ min: 1, max: 300 }).chain((elements) =>
      fc.tuple(
        fc.constant(elements),
        fc.uint8Array({
          minLength: Math.ceil((elements * bits) / 8),
          maxLength: Math.ceil((elements * bits) / 8),
          max: most,
        }),
        fc.constantFrom('low-first', 'high-first'),
        fc.integer({ min: 0, max: 7 }),
      ),
    );
    fc.assert(
      fc.property(given, ([elements, bytes, packing, offset]) => {
        const scheme = schemeOf(dtype, packing as Scheme['packing']);
        const bins = CodeBins.of(scheme)!;
        // Codes lie anywhere in memory.
        const memory = new Uint8Array(bytes.length + offset);
        memory.set(bytes, offset);
        const counts = new Float64Array(256);
        bins.count(memory.subarray(offset), elements, scheme, counts);

        const expected = new Map<number, number>();
        for (const code of codesIn(bytes, elements, scheme)) {
          // Bins of one value, such as 0 and −0, or the NaNs, count together.
          const [bin] = binsOf(bins.values, dtype, meaning(dtype, code));
          expected.set(bin!, (expected.get(bin!) ?? 0) + 1);
        }
        const found = new Map<number, number>();
        for (const [bin, count] of counts.entries()) {
          if (count === 0) continue;
          const [same] = binsOf(bins.values, dtype, bins.values[bin]!);
          found.set(same!, (found.get(same!) ?? 0) + count);
        }
        expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
      }),
    );
  });
});

describe('bins', () => {
  it('of integers are the codes themselves', () => {
    const counts = new Float64Array(256);
    const scheme = schemeOf('int8');
    const bins = CodeBins.of(scheme)!;
    expect(bins.values).toEqual(Array.from({ length: 256 }, (_, bin) => bin - 128));
    bins.count(Int8Array.of(-128, -1, 0, 0, 127), 5, scheme, counts);
    expect([counts[0], counts[127], counts[128], counts[255]]).toEqual([1, 1, 2, 1]);
  });

  it.each([
    ['uint8', 1],
    ['int16', 2],
    ['uint4', 0.5],
  ] as const)('look at evenly spread runs of many codes: %s', (dtype, bytesPerCode) => {
    const elements = 1_000_000;
    const bytes = new Uint8Array(elements * bytesPerCode);
    // The first half is of one code, the second of another.
    bytes.fill(dtype === 'int16' ? 1 : 0x11, 0, bytes.length / 2).fill(dtype === 'int16' ? 2 : 0x22, bytes.length / 2);
    const scheme = schemeOf(dtype);
    const counts = new Float64Array(256);
    CodeBins.of(scheme)!.count(bytes, elements, scheme, counts);
    const found = [...counts].filter((count) => count > 0);
    const total = 65_536 / bytesPerCode;
    expect(found.reduce((a, b) => a + b)).toBe(total);
    expect(found).toEqual([total / 2, total / 2]);
  });

  it('are none for blocks of a foreign layout', () => {
    expect(CodeBins.of(preset('ggml-q8_0'))).toBeNull();
  });
});
