import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createGguf,
  GGML_TYPES,
  type GgufDeclaration,
  type GgufValues,
  ggufHeader,
  openGguf,
  parseGgufHeader,
} from '#src/formats/index.js';
import { bytesOf, expectRejected, join2, pattern, put, readAll, temporaryFolder } from './files.js';
import { ggufFile, pair, tensor, text, u32, u64 } from './gguf-bytes.js';

const folder = await temporaryFolder();

/** One value of every type, and lists. */
const VALUES = {
  'general.architecture': { type: 'string', value: 'llama' },
  u8: { type: 'uint8', value: 255 },
  i8: { type: 'int8', value: -128 },
  u16: { type: 'uint16', value: 65_535 },
  i16: { type: 'int16', value: -32_768 },
  u32: { type: 'uint32', value: 2 ** 32 - 1 },
  i32: { type: 'int32', value: -(2 ** 31) },
  f32: { type: 'float32', value: 0.5 },
  f64: { type: 'float64', value: 0.1 },
  u64: { type: 'uint64', value: 2n ** 64n - 1n },
  i64: { type: 'int64', value: -(2n ** 63n) },
  yes: { type: 'bool', value: true },
  __proto__x: { type: 'string', value: 'значение' },
  texts: { type: 'array', of: 'string', value: ['', 'a', 'é'] },
  numbers: { type: 'array', of: 'int16', value: [-1, 2] },
  nothing: { type: 'array', of: 'float64', value: [] },
  lists: {
    type: 'array',
    of: 'array',
    value: [
      { type: 'array', of: 'bool', value: [true, false] },
      { type: 'array', of: 'uint64', value: [1n] },
    ],
  },
} as const satisfies GgufValues;

describe('reading', () => {
  test.each([2, 3])('a file of version %i, with every kind of value', async (version) => {
    const pairs = [
      pair('general.architecture', 8, text('llama')),
      pair('u8', 0, Uint8Array.of(255)),
      pair('i8', 1, Uint8Array.of(0x80)),
      pair('u16', 2, Uint8Array.of(0xff, 0xff)),
      pair('i16', 3, Uint8Array.of(0x00, 0x80)),
      pair('u32', 4, u32(0xffffffff)),
      pair('i32', 5, u32(0x80000000)),
      pair('f32', 6, u32(0x3f000000)),
      pair('f64', 12, u64(0x3fb999999999999an)),
      pair('u64', 10, u64(2n ** 64n - 1n)),
      pair('i64', 11, u64(2n ** 63n)),
      pair('yes', 7, Uint8Array.of(1)),
      pair('__proto__x', 8, text('значение')),
      pair('texts', 9, u32(8), u64(3), text(''), text('a'), text('é')),
      pair('numbers', 9, u32(3), u64(2), Uint8Array.of(0xff, 0xff, 2, 0)),
      pair('nothing', 9, u32(12), u64(0)),
      pair('lists', 9, u32(9), u64(2), u32(7), u64(2), Uint8Array.of(1, 0), u32(10), u64(1), u64(1)),
    ];
    const file = await openGguf(await put(folder, `values-${version}.gguf`, ggufFile({ version, pairs })));
    expect(file).toMatchObject({ format: 'gguf', version, alignment: 32, tensors: [] });
    expect({ ...file.values }).toEqual(VALUES);
    expect(Object.getPrototypeOf(file.values)).toBeNull();
    expect({ ...file.metadata }).toEqual({
      'general.architecture': 'llama',
      u8: '255',
      i8: '-128',
      u16: '65535',
      i16: '-32768',
      u32: '4294967295',
      i32: '-2147483648',
      f32: '0.5',
      f64: '0.1',
      u64: '18446744073709551615',
      i64: '-9223372036854775808',
      yes: 'true',
      __proto__x: 'значение',
    });
    await file.close();
  });

  test('tensors with their shapes turned round, blocks as bytes of rows', async () => {
    const tensors = [
      tensor('blocks', [64, 3, 2], 2, 64), // Q4_0: rows of two blocks of 18 bytes
      tensor('plain', [5, 2], 0, 0),
      tensor('scalar', [], 30, 288),
      tensor('row', [32], 8, 320),
      tensor('empty', [0, 4], 1, 320),
    ];
    const data = pattern(354);
    const file = await openGguf(await put(folder, 'shapes.gguf', ggufFile({ tensors, data })));
    const begin = file.find('plain').offset;
    expect(begin % 32).toBe(0);
    expect(file.tensors).toEqual([
      { name: 'plain', dtype: 'float32', shape: [2, 5], offset: begin, byteLength: 40 },
      {
        name: 'blocks',
        dtype: 'uint8',
        shape: [6, 36],
        blocks: { type: 'Q4_0', shape: [2, 3, 64] },
        offset: begin + 64,
        byteLength: 216,
      },
      { name: 'scalar', dtype: 'bfloat16', shape: [], offset: begin + 288, byteLength: 2 },
      { name: 'empty', dtype: 'float16', shape: [4, 0], offset: begin + 320, byteLength: 0 },
      {
        name: 'row',
        dtype: 'uint8',
        shape: [1, 34],
        blocks: { type: 'Q8_0', shape: [32] },
        offset: begin + 320,
        byteLength: 34,
      },
    ]);
    expect(await readAll(file, file.find('blocks'))).toEqual(data.slice(64, 280));
    expect(await readAll(file, file.find('row'))).toEqual(data.slice(320));
    await file.close();
  });

  test('the alignment of the file', () => {
    const pairs = [pair('general.alignment', 4, u32(128))];
    const bytes = ggufFile({ pairs, tensors: [tensor('a', [1], 24, 128)], alignment: 128, data: pattern(129) });
    const { alignment, tensors } = parseGgufHeader(bytes, bytes.length);
    expect(alignment).toBe(128);
    expect(tensors[0].offset).toBe(256);
  });

  test('tokens that are not UTF-8, and names that need it', () => {
    const pairs = [pair('tokens', 9, u32(8), u64(1), text(Uint8Array.of(0x61, 0xff)))];
    const bytes = ggufFile({ pairs, tensors: [tensor('вес', [1], 24, 0)], data: pattern(1) });
    const { values, tensors } = parseGgufHeader(bytes, bytes.length);
    expect(values['tokens']).toEqual({ type: 'array', of: 'string', value: ['a\ufffd'] });
    expect(tensors[0].name).toBe('вес');
  });

  test('a header that is longer than the first read', async () => {
    const tokens = Array.from({ length: 60_000 }, (_, index) => text(`token ${index}`));
    const pairs = [pair('tokens', 9, u32(8), u64(tokens.length), ...tokens), pair('long', 8, text('x'.repeat(3e6)))];
    const bytes = ggufFile({ pairs, tensors: [tensor('a', [7], 24, 0)], data: pattern(7) });
    const file = await openGguf(await put(folder, 'long.gguf', bytes));
    expect(file.values['tokens'].value).toHaveLength(60_000);
    expect(file.metadata['long']).toHaveLength(3e6);
    expect(await readAll(file, file.find('a'))).toEqual(pattern(7));
    await file.close();
  });

  test('offsets beyond 2^32 stay exact, holes and bytes after the last tensor do no harm', () => {
    const big = 2 ** 33 + 32;
    const bytes = ggufFile({ tensors: [tensor('a', [big], 24, 0), tensor('b', [3], 0, big + 64)] });
    const { tensors } = parseGgufHeader(bytes, bytes.length + big + 100);
    expect(tensors[1].offset).toBe(bytes.length + big + 64);
  });
});

describe('writing', () => {
  test('every type comes back', async () => {
    const tensors: GgufDeclaration[] = [...GGML_TYPES.values()].flatMap(({ name, elements }) => [
      { name: `${name} 3`, type: name, shape: [2, 3, elements * 2] },
      { name: `${name} 1`, type: name, shape: [elements] },
      { name: `${name} 0`, type: name, shape: [0, elements] },
    ]);
    const path = join(folder, 'all.gguf');
    const { entries, size } = ggufHeader(tensors, VALUES);
    const writer = await createGguf(path, tensors, VALUES);
    for (const [index, { name, byteLength }] of entries.entries()) {
      await writer.write(name, 0, pattern(byteLength, index));
    }
    await writer.close();
    expect((await readFile(path)).length).toBe(size);
    const file = await openGguf(path);
    expect(file).toMatchObject({ version: 3, alignment: 32 });
    expect({ ...file.values }).toEqual(VALUES);
    for (const [index, entry] of entries.entries()) {
      expect(file.find(entry.name)).toEqual(entry);
      expect(entry.offset % 32).toBe(0);
      expect(await readAll(file, entry)).toEqual(pattern(entry.byteLength, index));
    }
    await file.close();
  });

  test('the bytes of a small file, in any order of writing', async () => {
    const path = join(folder, 'small.gguf');
    const tensors = [
      { name: 'b', type: 'Q8_0', shape: [2, 32] },
      { name: 'a', type: 'F32', shape: [1, 2, 3] },
    ] as const;
    const writer = await createGguf(path, tensors, { k: { type: 'uint32', value: 7 } });
    await writer.write('a', 12, pattern(12, 1));
    await writer.write('b', 0, pattern(68));
    await writer.write('a', 0, pattern(12, 2));
    await writer.close();
    const expected = ggufFile({
      pairs: [pair('k', 4, u32(7))],
      tensors: [tensor('b', [32, 2], 8, 0), tensor('a', [3, 2, 1], 0, 96)],
      data: join2(pattern(68), new Uint8Array(28), pattern(12, 2), pattern(12, 1), new Uint8Array(8)),
    });
    expect(new Uint8Array(await readFile(path))).toEqual(expected);
  });

  test('a file of nothing', async () => {
    const path = join(folder, 'none.gguf');
    await (await createGguf(path, [])).close();
    expect(new Uint8Array(await readFile(path))).toEqual(ggufFile({}));
    const file = await openGguf(path);
    expect(file.tensors).toEqual([]);
    await file.close();
  });

  test('the alignment that the values ask for', () => {
    const values: GgufValues = { 'general.alignment': { type: 'uint32', value: 256 } };
    const { bytes, entries, size } = ggufHeader([{ name: 'a', type: 'I8', shape: [1] }], values);
    expect([bytes.length, entries[0].offset, size]).toEqual([256, 256, 512]);
  });

  test('what was read can be written again', async () => {
    const path = join(folder, 'again.gguf');
    const copied = ggufHeader([{ name: 'x', type: 'NVFP4', shape: [2, 128] }], VALUES);
    await put(folder, 'again.gguf', join2(copied.bytes, pattern(160)));
    const file = await openGguf(path);
    const tensors = file.tensors.map(({ name, blocks }) => ({ name, ...blocks }) as GgufDeclaration);
    expect(ggufHeader(tensors, file.values)).toEqual(copied);
    await file.close();
  });

  test('any names and shapes come back', () => {
    const declaration = fc.record({
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => Buffer.byteLength(name) < 64),
      type: fc.constantFrom('F32', 'F16', 'BF16', 'I64'),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
    });
    const tensors = fc.uniqueArray(declaration, { selector: ({ name }) => name });
    fc.assert(
      fc.property(tensors, (list) => {
        const { bytes, entries, size } = ggufHeader(list as GgufDeclaration[]);
        const byName = new Map(parseGgufHeader(bytes, size).tensors.map((entry) => [entry.name, entry]));
        for (const entry of entries) expect(byName.get(entry.name)).toEqual(entry);
        expect(byName.size).toBe(entries.length);
      }),
    );
  });

  test.each([
    ['a repeated name', [{ name: 'a' }, { name: 'a' }], 'ERR_QUANTLANE_ARGUMENT', /a new name, got "a" again/],
    ['no name', [{ name: '' }], 'ERR_QUANTLANE_ARGUMENT', /a tensor name that is text of 1 to 63 bytes, got ""/],
    ['a name that ggml cuts', [{ name: 'é'.repeat(32) }], 'ERR_QUANTLANE_ARGUMENT', /1 to 63 bytes/],
    ['a lone surrogate', [{ name: '\ud800' }], 'ERR_QUANTLANE_ARGUMENT', /a tensor name that is text/],
    ['no text', [{ name: 4 }], 'ERR_QUANTLANE_ARGUMENT', /got 4/],
    [
      'an element type',
      [{ name: 'a', type: 'float32' }],
      'ERR_QUANTLANE_DTYPE',
      /Expected one of F32, .*got "float32"/,
    ],
    ['a name of the prototype', [{ name: 'a', type: 'constructor' }], 'ERR_QUANTLANE_DTYPE', /got "constructor"/],
    ['half a block', [{ name: 'a', type: 'Q4_0', shape: [32, 16] }], 'ERR_QUANTLANE_SHAPE', /whole blocks of 32 .*16/],
    ['a scalar of blocks', [{ name: 'a', type: 'Q4_0', shape: [] }], 'ERR_QUANTLANE_SHAPE', /got rows of 1/],
    ['five dimensions', [{ name: 'a', shape: [1, 1, 1, 1, 1] }], 'ERR_QUANTLANE_SHAPE', /at most 4 dimensions, got 5/],
    ['a bad shape', [{ name: 'a', shape: [-1] }], 'ERR_QUANTLANE_SHAPE', /got -1 in tensor "a"/],
    [
      'a sum of 2^53',
      [
        { name: 'a', shape: [2 ** 52] },
        { name: 'b', shape: [2 ** 52] },
      ],
      'ERR_QUANTLANE_ARGUMENT',
      /below 2\^53/,
    ],
  ] as const)('%s is refused', async (_, parts, code, message) => {
    const tensors = parts.map((part) => ({ type: 'I8', shape: [1], ...part })) as unknown as GgufDeclaration[];
    await expectRejected(createGguf(join(folder, 'bad.gguf'), tensors), code, message);
  });

  const nested = (depth: number): unknown =>
    depth === 0 ? { type: 'array', of: 'bool', value: [] } : { type: 'array', of: 'array', value: [nested(depth - 1)] };

  test.each([
    ['no value', undefined, /Expected one of the types uint8, .* for "k", got undefined/],
    ['a bare text', 'llama', /Expected one of the types/],
    ['an unknown type', { type: 'float16', value: 1 }, /got "float16"/],
    ['256', { type: 'uint8', value: 256 }, /Expected uint8 for "k", got 256/],
    ['a negative number', { type: 'uint32', value: -1 }, /Expected uint32/],
    ['a fraction', { type: 'int32', value: 0.5 }, /Expected int32/],
    ['NaN', { type: 'int32', value: Number.NaN }, /Expected int32/],
    ['a number for 64 bits', { type: 'uint64', value: 1 }, /Expected uint64/],
    ['2^64', { type: 'uint64', value: 2n ** 64n }, /Expected uint64/],
    ['a bigint for 32 bits', { type: 'uint32', value: 1n }, /Expected uint32/],
    ['text as a number', { type: 'float32', value: '1' }, /Expected a number/],
    ['one as true', { type: 'bool', value: 1 }, /Expected true or false/],
    ['a lone surrogate', { type: 'string', value: '\ud800' }, /Expected text/],
    ['no list', { type: 'array', of: 'bool', value: true }, /Expected a list/],
    ['a list of mixed types', { type: 'array', of: 'bool', value: [true, 1] }, /Expected true or false/],
    ['a list of no type', { type: 'array', value: [] }, /Expected one of the types/],
    ['bare lists in a list', { type: 'array', of: 'array', value: [[1]] }, /Expected a list/],
    ['lists that are too deep', nested(4), /at most 4 lists in each other/],
  ])('a value that is %s is refused', (_, value, message) => {
    expect(() => ggufHeader([], { k: value } as GgufValues)).toThrow(message);
  });

  test.each([
    [{ 'general.alignment': { type: 'uint32', value: 48 } }, /a power of two as uint32, got 48 \(uint32\)/],
    [{ 'general.alignment': { type: 'uint64', value: 32n } }, /got 32 \(uint64\)/],
    [{ 'general.alignment': null }, /got null/],
    [{ '': { type: 'bool', value: true } }, /a key that is text of 1 to 65535 bytes, got ""/],
    [{ k: { type: 'array', of: 'uint8', value: new Array(2 ** 22).fill(0) } }, /at most 4194304 values together/],
    [{ k: { type: 'string', value: 'x'.repeat(2 ** 26) } }, /a header of at most 67108864 bytes/],
  ])('bad values %#', (values, message) => {
    expect(() => ggufHeader([], values as unknown as GgufValues)).toThrow(message);
  });

  test('lists as deep as they may be come back', () => {
    const values = { k: nested(3) } as GgufValues;
    const { bytes, size } = ggufHeader([], values);
    expect({ ...parseGgufHeader(bytes, size).values }).toEqual(values);
  });

  test('an incomplete file leaves nothing', async () => {
    const path = join(folder, 'incomplete.gguf');
    const writer = await createGguf(path, [{ name: 'a', type: 'MXFP4', shape: [32] }]);
    await writer.write('a', 0, bytesOf('too short'));
    await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /Expected all 17 bytes of "a" to be written, got 9/);
    await expectRejected(openGguf(path), 'ERR_QUANTLANE_FORMAT', /ENOENT/);
  });
});
