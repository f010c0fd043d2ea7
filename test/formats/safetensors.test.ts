import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSafetensors,
  openSafetensors,
  parseSafetensorsHeader,
  safetensorsHeader,
  type TensorDeclaration,
} from '#src/formats/index.js';
import { bytesOf, DTYPES, expectRejected, join2, pattern, put, readAll, SHAPES, temporaryFolder } from './files.js';

const folder = await temporaryFolder();

/** Writes tensors with a pattern each and gives the patterns. */
async function write(
  path: string,
  tensors: TensorDeclaration[],
  metadata?: Record<string, string>,
): Promise<Uint8Array[]> {
  const { entries } = safetensorsHeader(tensors, metadata);
  const data = entries.map((entry, index) => pattern(entry.byteLength, index));
  const writer = await createSafetensors(path, tensors, metadata);
  for (const [index, bytes] of data.entries()) await writer.write(tensors[index].name, 0, bytes);
  await writer.close();
  return data;
}

/** Written by safetensors 0.8.0: w float32 [3], a bool [1, 1], empty int64 [0, 5], s uint16 scalar. */
const REFERENCE = join2(
  bytesOf('\x08\x01\0\0\0\0\0\0{"__metadata__":{"format":"np"},'),
  bytesOf('"empty":{"dtype":"I64","shape":[0,5],"data_offsets":[0,0]},'),
  bytesOf('"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},'),
  bytesOf('"s":{"dtype":"U16","shape":[],"data_offsets":[12,14]},'),
  bytesOf('"a":{"dtype":"BOOL","shape":[1,1],"data_offsets":[14,15]}}       '),
  bytesOf('\0\0\0\0\0\0\x80?\0\0\0@\x07\0\x01'),
);

describe('reading', () => {
  test('a file of the reference implementation', async () => {
    const file = await openSafetensors(await put(folder, 'reference.safetensors', REFERENCE));
    expect(file.format).toBe('safetensors');
    expect({ ...file.metadata }).toEqual({ format: 'np' });
    expect(file.tensors).toEqual([
      { name: 'empty', dtype: 'int64', shape: [0, 5], offset: 272, byteLength: 0 },
      { name: 'w', dtype: 'float32', shape: [3], offset: 272, byteLength: 12 },
      { name: 's', dtype: 'uint16', shape: [], offset: 284, byteLength: 2 },
      { name: 'a', dtype: 'bool', shape: [1, 1], offset: 286, byteLength: 1 },
    ]);
    expect(new Float32Array((await readAll(file, file.find('w'))).buffer)).toEqual(Float32Array.of(0, 1, 2));
    expect(await readAll(file, file.find('s'))).toEqual(Uint8Array.of(7, 0));
    expect(await readAll(file, file.find('a'))).toEqual(Uint8Array.of(1));
    await file.close();
  });

  test('tensors come in the order of their bytes, whatever the order of their names', () => {
    const json = bytesOf(
      '{"2":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"z":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"1":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}  ',
    );
    const { tensors } = parseSafetensorsHeader(json, 8 + json.length + 6);
    expect(tensors.map(({ name, offset }) => [name, offset - 8 - json.length])).toEqual([
      ['z', 0],
      ['1', 1],
      ['2', 4],
    ]);
  });

  test('names of the prototype are names', () => {
    const json = bytesOf(
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"constructor":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},' +
        '"__metadata__":{"__proto__":"a","toString":"b"}}',
    );
    const { tensors, metadata } = parseSafetensorsHeader(json, 8 + json.length + 2);
    expect(tensors.map((entry) => entry.name)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(metadata)).toBeNull();
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  test('keys of an entry that nobody knows are ignored', () => {
    const json = bytesOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":{"__proto__":[]}}}');
    expect(parseSafetensorsHeader(json, 9 + json.length).tensors).toHaveLength(1);
  });

  test('a file of no tensors', async () => {
    const file = await openSafetensors(await put(folder, 'none.safetensors', bytesOf('\x02\0\0\0\0\0\0\0{}')));
    expect(file.tensors).toEqual([]);
    await expect(async () => file.find('a')).rejects.toThrow(
      /Expected no name, since the file has no tensors, got "a"/,
    );
    await file.close();
  });

  test('offsets beyond 2^32 stay exact', () => {
    const big = 2 ** 33 + 4;
    const json = bytesOf(
      `{"a":{"dtype":"U8","shape":[${big}],"data_offsets":[0,${big}]},` +
        `"b":{"dtype":"F32","shape":[3],"data_offsets":[${big},${big + 12}]}}`,
    );
    const { tensors } = parseSafetensorsHeader(json, 8 + json.length + big + 12);
    expect(tensors[1]).toEqual({
      name: 'b',
      dtype: 'float32',
      shape: [3],
      offset: 8 + json.length + big,
      byteLength: 12,
    });
  });
});

describe('writing', () => {
  test('every type and shape comes back from one file', async () => {
    const tensors = DTYPES.flatMap(([dtype]) => SHAPES.map((shape) => ({ name: `${dtype} ${shape}`, dtype, shape })));
    const path = join(folder, 'all.safetensors');
    const data = await write(path, tensors, { format: 'pt', ключ: 'значение' });
    const file = await openSafetensors(path);
    expect({ ...file.metadata }).toEqual({ format: 'pt', ключ: 'значение' });
    expect(file.tensors).toHaveLength(tensors.length);
    for (const [index, { name, dtype, shape }] of tensors.entries()) {
      const entry = file.find(name);
      expect(entry).toMatchObject({ name, dtype, shape });
      expect(await readAll(file, entry)).toEqual(data[index]);
    }
    await file.close();
  });

  test('the bytes of a small file', async () => {
    const path = join(folder, 'small.safetensors');
    const tensors: TensorDeclaration[] = [
      { name: 'b', dtype: 'float32', shape: [1] },
      { name: 'a', dtype: 'int8', shape: [] },
    ];
    await write(path, tensors, { k: 'v' });
    const json =
      '{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
      '"a":{"dtype":"I8","shape":[],"data_offsets":[4,5]}}';
    const padded = json.padEnd(192 - 8, ' ');
    const expected = join2(bytesOf(`\xb8\0\0\0\0\0\0\0${padded}`), pattern(4, 0), pattern(1, 1));
    expect(new Uint8Array(await readFile(path))).toEqual(expected);
  });

  test('no metadata, or empty metadata, is left out of the file', () => {
    for (const metadata of [undefined, {}]) {
      const { bytes } = safetensorsHeader([], metadata);
      expect(Buffer.from(bytes).toString('latin1')).toBe(`8\0\0\0\0\0\0\0{}${' '.repeat(54)}`);
    }
  });

  test('data begins at a multiple of 64, for headers of any length', () => {
    for (let length = 0; length < 140; length += 1) {
      const { bytes, entries } = safetensorsHeader([{ name: 'n'.repeat(length), dtype: 'uint8', shape: [1] }]);
      expect(bytes.length % 64).toBe(0);
      expect(entries[0].offset).toBe(bytes.length);
      expect(parseSafetensorsHeader(bytes.subarray(8), bytes.length + 1).tensors).toEqual(entries);
    }
  });

  test('any names come back, in the given order', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');
    const tensor = fc.record({
      name: fc.oneof(name, fc.constantFrom('__proto__', 'constructor', '0', '1', 'a"b', '\\', '\0', '\u2028')),
      dtype: fc.constantFrom(...DTYPES.map(([dtype]) => dtype)),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
    });
    const metadata = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: (item) => item.name }), metadata, (tensors, texts) => {
        const { bytes, entries } = safetensorsHeader(tensors, texts);
        const total = entries.reduce((sum, entry) => sum + entry.byteLength, bytes.length);
        const parsed = parseSafetensorsHeader(bytes.subarray(8), total);
        expect(Object.entries(parsed.metadata).sort()).toEqual(Object.entries(texts).sort());
        // Tensors of no bytes share an offset with a neighbour; the others keep their order.
        const solid = (list: readonly { byteLength: number }[]) => list.filter((entry) => entry.byteLength > 0);
        expect(solid(parsed.tensors)).toEqual(solid(entries));
        expect([...parsed.tensors].sort(byName)).toEqual([...entries].sort(byName));
      }),
    );
  });

  test.each([
    ['a repeated name', [{ name: 'a' }, { name: 'a' }], 'ERR_QUANTLANE_ARGUMENT', /got "a"/],
    ['the reserved name', [{ name: '__metadata__' }], 'ERR_QUANTLANE_ARGUMENT', /not __metadata__/],
    ['a lone surrogate', [{ name: '\ud800' }], 'ERR_QUANTLANE_ARGUMENT', /Expected a new name/],
    ['no text', [{ name: 4 }], 'ERR_QUANTLANE_ARGUMENT', /got 4/],
    ['an unknown type', [{ name: 'a', dtype: 'F32' }], 'ERR_QUANTLANE_DTYPE', /got "F32"/],
    ['a bad shape', [{ name: 'a', shape: [-1] }], 'ERR_QUANTLANE_SHAPE', /got -1/],
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
    const tensors = parts.map((part) => ({ dtype: 'uint8', shape: [1], ...part })) as unknown as TensorDeclaration[];
    await expectRejected(createSafetensors(join(folder, 'bad.safetensors'), tensors), code, message);
  });

  test.each([{ a: 1 }, { a: '\udfff' }, { '\ud800': 'a' }])('metadata %j is refused', async (metadata) => {
    const creation = createSafetensors(join(folder, 'bad.safetensors'), [], metadata as Record<string, string>);
    await expectRejected(creation, 'ERR_QUANTLANE_ARGUMENT', /Expected metadata to be text/);
  });

  test('a header above 25 MB is refused', async () => {
    const creation = createSafetensors(join(folder, 'bad.safetensors'), [], { a: 'x'.repeat(25_000_000) });
    await expectRejected(creation, 'ERR_QUANTLANE_ARGUMENT', /header of at most 25000000 bytes/);
  });
});

/** The order of names by code units. */
function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
