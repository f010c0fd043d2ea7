import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createNpy, type FileDtype, npyHeader, openNpy, parseNpyHeader } from '#src/formats/index.js';
import { bytesOf, expectRejected, join2, NAMED, pattern, put, readAll, SHAPES, temporaryFolder } from './files.js';

const folder = await temporaryFolder();

/** A dict as NumPy writes it. */
function dict(descr: string, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
}

/** A file of version 1.0 with any dict. */
function version1(text: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  return join2(bytesOf(`\x93NUMPY\x01\x00${String.fromCharCode(text.length & 0xff, text.length >> 8)}${text}`), data);
}

const ones = (count: number) => Array(count).fill(1);

/** Written by numpy.save of NumPy 2.4.6: type, shape, dict, the spaces after it, bytes of the whole header. */
const GOLDEN: readonly (readonly [FileDtype, readonly number[], string, number, number])[] = [
  ['float64', [3, 4], dict('<f8', '(3, 4)'), 58, 128],
  ['float32', [3, 4], dict('<f4', '(3, 4)'), 58, 128],
  ['float16', [3, 4], dict('<f2', '(3, 4)'), 58, 128],
  ['int64', [3, 4], dict('<i8', '(3, 4)'), 58, 128],
  ['uint64', [3, 4], dict('<u8', '(3, 4)'), 58, 128],
  ['int32', [3, 4], dict('<i4', '(3, 4)'), 58, 128],
  ['uint32', [3, 4], dict('<u4', '(3, 4)'), 58, 128],
  ['int16', [3, 4], dict('<i2', '(3, 4)'), 58, 128],
  ['uint16', [3, 4], dict('<u2', '(3, 4)'), 58, 128],
  ['int8', [3, 4], dict('|i1', '(3, 4)'), 58, 128],
  ['uint8', [3, 4], dict('|u1', '(3, 4)'), 58, 128],
  ['bool', [3, 4], dict('|b1', '(3, 4)'), 58, 128],
  ['float32', [], dict('<f4', '()'), 62, 128],
  ['float32', [0], dict('<f4', '(0,)'), 60, 128],
  ['float32', [0, 5], dict('<f4', '(0, 5)'), 58, 128],
  ['float32', [3], dict('<f4', '(3,)'), 60, 128],
  ['float32', [1, 1, 1], dict('<f4', '(1, 1, 1)'), 55, 128],
  ['float32', [2, 3, 4, 5], dict('<f4', '(2, 3, 4, 5)'), 52, 128],
  ['float32', [1234567], dict('<f4', '(1234567,)'), 54, 128],
  ['float32', [123456, 3, 1000], dict('<f4', '(123456, 3, 1000)'), 47, 128],
  ['float32', [2 ** 40, 2], dict('<f4', '(1099511627776, 2)'), 46, 128],
  ['float32', [7, 11, 13, 17, 19, 23, 29, 31], dict('<f4', '(7, 11, 13, 17, 19, 23, 29, 31)'), 33, 128],
  // One space of padding; then 64, where none would do.
  ['float32', [...ones(13), 10], dict('<f4', `(${'1, '.repeat(13)}10)`), 21, 128],
  ['float32', [...ones(13), 100], dict('<f4', `(${'1, '.repeat(13)}100)`), 84, 192],
  ['float32', [10 ** 15, ...ones(19)], dict('<f4', `(1000000000000000${', 1'.repeat(19)})`), 53, 192],
  ['float32', ones(32), dict('<f4', `(${'1, '.repeat(31)}1)`), 32, 192],
];

describe('the written header', () => {
  test.each(GOLDEN)('%s %j has the bytes of NumPy', (dtype, shape, text, spaces, total) => {
    const written = npyHeader(dtype, shape);
    expect(Buffer.from(written).toString('latin1')).toBe(
      Buffer.from(version1(`${text}${' '.repeat(spaces)}\n`)).toString('latin1'),
    );
    expect(written.length).toBe(total);
  });

  test('bfloat16 has no name in npy', async () => {
    expect(() => npyHeader('bfloat16', [1])).toThrow(/got bfloat16; write safetensors instead/);
    const creation = createNpy(join(folder, 'bf.npy'), { dtype: 'bfloat16', shape: [1] });
    await expectRejected(creation, 'ERR_QUANTLANE_DTYPE', /bfloat16/);
  });

  test('a bad shape is refused', async () => {
    expect(() => npyHeader('int8', [-1])).toThrow(/Expected dimensions/);
    const creation = createNpy(join(folder, 'shape.npy'), { dtype: 'int8', shape: [2 ** 40, 2 ** 40] });
    await expectRejected(creation, 'ERR_QUANTLANE_SHAPE', /below 2\^53/);
  });
});

describe('the parsed header', () => {
  test.each([
    ['keys in another order', "{'shape': (3, 4), 'descr': '<f4', 'fortran_order': False}", [3, 4]],
    ['double quotes', `{"descr": "<f4", "fortran_order": False, "shape": (3, 4)}`, [3, 4]],
    ['mixed quotes', `{'descr': "<f4", "fortran_order": False, 'shape': (3, 4)}`, [3, 4]],
    ['no white space', "{'descr':'<f4','fortran_order':False,'shape':(3,4)}", [3, 4]],
    ['much white space', "  {\n\t'descr' :\r\n'<f4' , 'fortran_order' : False ,'shape' : ( 3 , 4 , ) , } \n ", [3, 4]],
    ['trailing commas', "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4,),}", [3, 4]],
    ['a scalar', "{'descr': '<f4', 'fortran_order': False, 'shape': ( ), }", []],
    ['one dimension', "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", [3]],
    ['one dimension in Fortran order', "{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }", [3]],
    ['a scalar in Fortran order', "{'descr': '<f4', 'fortran_order': True, 'shape': (), }", []],
    ['a zero dimension', "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }", [0, 5]],
    ['32 dimensions', dict('<f4', `(${'1, '.repeat(32)})`), ones(32)],
  ])('%s', (_, text, shape) => {
    const byteLength = 4 * shape.reduce((a, b) => a * b, 1);
    expect(parseNpyHeader(version1(text))).toEqual({
      dtype: 'float32',
      shape,
      dataOffset: 10 + text.length,
      byteLength,
    });
  });

  test.each([
    ['<f8', 'float64'],
    ['=f4', 'float32'],
    ['<f2', 'float16'],
    ['<V2', 'bfloat16'],
    ['|V2', 'bfloat16'],
    ['=i8', 'int64'],
    ['<u8', 'uint64'],
    ['<i4', 'int32'],
    ['<u4', 'uint32'],
    ['=i2', 'int16'],
    ['<u2', 'uint16'],
    ['|i1', 'int8'],
    ['<i1', 'int8'],
    ['>i1', 'int8'],
    ['|u1', 'uint8'],
    ['=u1', 'uint8'],
    ['|b1', 'bool'],
  ])('descr %s is %s', (descr, dtype) => {
    expect(parseNpyHeader(version1(dict(descr, '(2,)'))).dtype).toBe(dtype);
  });

  test.each([2, 3])('version %i.0 has a length of four bytes', (major) => {
    const text = `${dict('<f4', '(3, 4)')}${' '.repeat(70_000)}\n`;
    const length = new Uint8Array(new Uint32Array([text.length]).buffer);
    const bytes = join2(bytesOf('\x93NUMPY'), Uint8Array.of(major, 0), length, bytesOf(text), pattern(48));
    expect(parseNpyHeader(bytes)).toEqual({
      dtype: 'float32',
      shape: [3, 4],
      dataOffset: 12 + text.length,
      byteLength: 48,
    });
  });

  test('sizes beyond 2^31 and 2^32 stay exact', () => {
    const header = parseNpyHeader(npyHeader('float32', [2 ** 33 + 1, 3]));
    expect(header.byteLength).toBe(103_079_215_116);
  });

  test('bytes in shared memory and at an odd offset are read', () => {
    const header = npyHeader('int16', [5]);
    const shared = new Uint8Array(new SharedArrayBuffer(header.length + 3), 3);
    shared.set(header);
    expect(parseNpyHeader(shared)).toEqual({ dtype: 'int16', shape: [5], dataOffset: 128, byteLength: 10 });
  });
});

describe('files', () => {
  const written = NAMED;
  const cases = written.flatMap(([dtype, bytes]) => SHAPES.map((shape) => ({ dtype, bytes, shape })));

  test.each(cases)('$dtype $shape comes back', async ({ dtype, bytes, shape }) => {
    const data = pattern(bytes * shape.reduce((a, b) => a * b, 1));
    const path = join(folder, `round-${dtype}-${shape.join('x')}.npy`);
    const writer = await createNpy(path, { dtype, shape });
    await writer.write(`round-${dtype}-${shape.join('x')}`, 0, data);
    await writer.close();
    expect(new Uint8Array(await readFile(path))).toEqual(join2(npyHeader(dtype, shape), data));

    const file = await openNpy(path);
    const [entry] = file.tensors;
    expect(file).toMatchObject({ path, format: 'npy', metadata: {} });
    expect(file.tensors).toEqual([
      { name: `round-${dtype}-${shape.join('x')}`, dtype, shape, offset: 128, byteLength: data.length },
    ]);
    expect(await readAll(file, entry)).toEqual(data);
    await file.close();
  });

  test('a bfloat16 file of NumPy and ml_dtypes is read', async () => {
    const header = version1(`${dict('<V2', '(2,)')}${' '.repeat(60)}\n`);
    const file = await openNpy(await put(folder, 'brain.npy', join2(header, Uint8Array.of(0x80, 0x3f, 0x00, 0x40))));
    expect(file.find('brain')).toEqual({ name: 'brain', dtype: 'bfloat16', shape: [2], offset: 128, byteLength: 4 });
    expect(await readAll(file, file.find('brain'))).toEqual(Uint8Array.of(0x80, 0x3f, 0x00, 0x40));
    await file.close();
  });

  test('the name is the stem, up to the last dot', async () => {
    const file = await openNpy(
      await put(folder, 'layer.0.weight.npy', join2(npyHeader('int8', [1]), Uint8Array.of(9))),
    );
    expect(file.tensors.map((entry) => entry.name)).toEqual(['layer.0.weight']);
    await file.close();
  });

  test('entries cannot be changed', async () => {
    const file = await openNpy(await put(folder, 'frozen.npy', join2(npyHeader('int8', [1]), Uint8Array.of(9))));
    expect(Object.isFrozen(file.tensors)).toBe(true);
    expect(Object.isFrozen(file.tensors[0])).toBe(true);
    expect(Object.isFrozen(file.tensors[0].shape)).toBe(true);
    await file.close();
  });
});
