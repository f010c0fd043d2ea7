/** Idle sessions become bytes and go on from them bit for bit; bytes that are not as they were written are refused. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeyValueCache, KEY_VALUE_PRESETS, keyValuePreset, resumeKeyValueCache } from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';
import { bits, fill, rowsOf, SIZES, STORAGES } from './helpers.js';

const FORMAT = expect.objectContaining({ name: 'FormatError', code: 'ERR_QUANTLANE_FORMAT' });
const small = { layers: 1, heads: 1, headDim: 16, block: 4 } as const;

/** A parked cache of a few tokens. */
function parkedBytes(): Promise<Uint8Array> {
  return withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...small, ...keyValuePreset('int4'), block: 4, sinks: 1 });
    fill(cache, 1, 7);
    return cache.serialize();
  });
}

/** The bytes with another header, and a checksum that is right. */
function withHeader(bytes: Uint8Array, change: (header: Header) => unknown): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = 16 + view.getUint32(12, true);
  const header = JSON.parse(Buffer.from(bytes.subarray(16, end)).toString()) as Header;
  const text = Buffer.from(JSON.stringify(change(header)));
  const all = Buffer.concat([bytes.subarray(0, 16), text, bytes.subarray(end, bytes.length - 4)]);
  all.writeUint32LE(text.length, 12);
  return sealed(all);
}

interface Header {
  readonly format: Readonly<Record<string, unknown>>;
  readonly layers: readonly (readonly (readonly [string, number])[])[];
}

function sealed(bytes: Uint8Array): Uint8Array {
  const crc = Buffer.alloc(4);
  crc.writeUint32LE(crc32(bytes));
  return Buffer.concat([bytes, crc]);
}

test('1,000 sessions, parked and resumed, go on as if nothing had been', () =>
  withRuntime({ memory: '16MiB' }, (runtime) => {
    const query = rowsOf(3, 2, SIZES.headDim);
    const sessions = Array.from({ length: 1000 }, (_, index) => {
      const { storage } = KEY_VALUE_PRESETS[index % KEY_VALUE_PRESETS.length]!;
      using cache = createKeyValueCache(runtime, { ...SIZES, layers: 1, ...storage, block: 8, residual: index % 3 });
      const tokens = 1 + (index % 37);
      fill(cache, index, tokens);
      const bytes = cache.serialize();
      // What would have been, had it gone on.
      cache.append(0, rowsOf(index + 5, 9), rowsOf(index + 6, 9));
      return { index, bytes, next: Buffer.concat([bits(cache.attend(0, query)), cache.serialize()]) };
    });
    expect(runtime.metrics().arena.leases).toBe(0);
    const caches = sessions.map(({ bytes }) => resumeKeyValueCache(runtime, bytes));
    let same = 0;
    for (const { index, next } of sessions) {
      using cache = caches[index]!;
      cache.append(0, rowsOf(index + 5, 9), rowsOf(index + 6, 9));
      if (Buffer.concat([bits(cache.attend(0, query)), cache.serialize()]).equals(next)) same++;
    }
    expect(same).toBe(1000);
  }));

test.each(STORAGES)('%s: another runtime resumes what one has parked', async (_name, storage) => {
  const bytes = await withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, ...storage, maxTokens: 90 });
    fill(cache, 1, 70);
    cache.truncate(50);
    return cache.serialize();
  });
  await withRuntime({ kernels: 'scalar' }, (runtime) => {
    // At any address, as a view of something longer.
    const longer = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]);
    using cache = resumeKeyValueCache(runtime, longer.subarray(3, 3 + bytes.length));
    expect(cache.length).toBe(50);
    expect(cache.format).toMatchObject({ ...SIZES, maxTokens: 90 });
    expect(Buffer.compare(cache.serialize(), bytes)).toBe(0);
  });
});

test('the bytes of a quantized page are those of docs/kvcache.md', () =>
  withRuntime({}, (runtime) => {
    const [heads, headDim, block] = [2, 16, 4];
    const rules = { keys: { dtype: 'int4' }, values: { dtype: 'int8' }, block } as const;
    using cache = createKeyValueCache(runtime, { layers: 1, heads, headDim, ...rules });
    fill(cache, 1, block);
    const bytes = cache.serialize();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(Buffer.from(bytes.subarray(0, 8)).toString()).toBe('QLKVCACH');
    expect(view.getUint32(8, true)).toBe(1);
    const start = 16 + view.getUint32(12, true);
    const header = JSON.parse(Buffer.from(bytes.subarray(16, start)).toString()) as Header;
    expect(header.layers).toEqual([[['frozen', block]]]);
    expect(start % 16).toBe(0);
    const rows = heads * block;
    const real = (index: number) => view.getFloat32(start + index * 4, true);
    const codes = start + 3 * rows * 4;
    const values = codes + (rows * headDim) / 2;
    expect(bytes.length).toBe(values + rows * headDim + 4);
    const read = cache.read(0);
    for (let index = 0; index < rows * headDim; index++) {
      const [row, c] = [Math.floor(index / headDim), index % headDim];
      const at = ((row % block) * heads + Math.floor(row / block)) * headDim + c;
      const nibble = (bytes[codes + (index >> 1)]! >> (4 * (index & 1))) & 15;
      expect(read.keys[at]).toBe(Math.fround(Math.fround(nibble * real(row)) + real(rows + row)));
      expect(read.values[at]).toBe(Math.fround(view.getInt8(values + index) * real(2 * rows + row)));
    }
  }));

test('a cache without tokens', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, small);
    using resumed = resumeKeyValueCache(runtime, cache.serialize());
    expect(resumed.length).toBe(0);
    expect(resumed.format).toEqual(cache.format);
  }));

describe('refused', () => {
  test('any byte that is another', async () => {
    const bytes = await parkedBytes();
    await withRuntime({}, (runtime) => {
      fc.assert(
        fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const damaged = Uint8Array.from(bytes);
          damaged[at]! ^= change;
          expect(() => resumeKeyValueCache(runtime, damaged)).toThrow(FORMAT);
        }),
        { numRuns: 500 },
      );
    });
  });

  test('any part of the bytes, and more than these', async () => {
    const bytes = await parkedBytes();
    await withRuntime({}, (runtime) => {
      for (let length = 0; length < bytes.length; length++) {
        expect(() => resumeKeyValueCache(runtime, bytes.subarray(0, length))).toThrow(FORMAT);
      }
      expect(() => resumeKeyValueCache(runtime, Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(FORMAT);
      expect(() => resumeKeyValueCache(runtime, [...bytes] as never)).toThrow(FORMAT);
    });
  });

  const pieces =
    (...layer: unknown[]) =>
    (header: Header) => ({ ...header, layers: [layer] });
  const format = (change: object) => (header: Header) => ({ ...header, format: { ...header.format, ...change } });

  test.each<[string, (header: Header) => unknown]>([
    ['no object', () => null],
    ['no format', ({ layers }) => ({ layers })],
    ['another size', format({ headDim: 32 })],
    ['a size that is none', format({ heads: -1 })],
    ['a type that is none', format({ keys: { dtype: 'int3' } })],
    ['pieces of too many layers', ({ format: same, layers }) => ({ format: same, layers: [...layers, []] })],
    ['no list of layers', ({ format: same }) => ({ format: same, layers: 'x' })],
    ['no list of pieces', ({ format: same }) => ({ format: same, layers: [{}] })],
    ['a kind that is none', pieces(['sink', 1], ['frozen', 4], ['other', 2])],
    ['tokens beyond a piece', pieces(['sink', 2], ['frozen', 4], ['float', 2])],
    ['half a token', pieces(['sink', 1], ['frozen', 4], ['float', 1.5])],
    ['no token', pieces(['sink', 1], ['frozen', 4], ['float', 0])],
    ['sinks behind others', pieces(['frozen', 4], ['sink', 1], ['float', 2])],
    ['codes behind float32', pieces(['sink', 1], ['float', 2], ['frozen', 4])],
    ['a page that is not full before another', pieces(['sink', 1], ['float', 2], ['float', 4])],
    ['fewer tokens than bytes', pieces(['sink', 1], ['frozen', 4], ['float', 1])],
    ['a piece that is no pair', pieces('sink')],
  ])('a header with %s', async (_name, change) => {
    const bytes = withHeader(await parkedBytes(), change);
    await withRuntime({}, (runtime) => {
      expect(() => resumeKeyValueCache(runtime, bytes)).toThrow(FORMAT);
    });
  });

  test('any other header, or a cache of its size', async () => {
    const bytes = await parkedBytes();
    const sizes = fc.oneof(fc.integer({ min: -2, max: 40 }), fc.constantFrom(1e9, 2 ** 53, 1.5, null, '4', [], {}));
    const changes = fc.dictionary(
      fc.constantFrom(
        'layers',
        'heads',
        'headDim',
        'block',
        'sinks',
        'residual',
        'maxTokens',
        'rotate',
        'keys',
        'values',
      ),
      sizes,
    );
    const kinds = fc.oneof(fc.constantFrom('sink', 'frozen', 'float'), fc.string());
    const layers = fc.option(fc.array(fc.array(fc.oneof(fc.tuple(kinds, sizes), fc.jsonValue()), { maxLength: 4 })));
    await withRuntime({ memory: '1MiB' }, (runtime) => {
      fc.assert(
        fc.property(changes, layers, (change, pieces) => {
          const hostile = withHeader(bytes, (header) => ({
            format: { ...header.format, ...change },
            layers: pieces ?? header.layers,
          }));
          try {
            using cache = resumeKeyValueCache(runtime, hostile);
            if (cache.length > 0)
              expect(
                cache.attend(0, new Float32Array(cache.format.heads * cache.format.headDim)).length,
              ).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_QUANTLANE_FORMAT' });
          }
          expect(runtime.metrics().arena.leases).toBe(0);
        }),
        { numRuns: 1000 },
      );
    });
  });

  test('a header that is no JSON, or longer than the bytes; another version', async () => {
    const bytes = await parkedBytes();
    const changed = (at: number, value: number): Uint8Array => {
      const copy = Buffer.from(bytes.subarray(0, bytes.length - 4));
      copy.writeUint32LE(value, at);
      return sealed(copy);
    };
    await withRuntime({}, (runtime) => {
      for (const hostile of [changed(16, 0xffffffff), changed(12, 0x7fffffff), changed(12, 3), changed(8, 2)]) {
        expect(() => resumeKeyValueCache(runtime, hostile)).toThrow(FORMAT);
      }
    });
  });

  test('nothing, where the same header is written anew', async () => {
    const bytes = withHeader(await parkedBytes(), (header) => header);
    await withRuntime({}, (runtime) => resumeKeyValueCache(runtime, bytes).release());
  });
});

test('without room for all pages nothing is leased', async () => {
  const bytes = await withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, SIZES);
    fill(cache, 1, 300);
    return cache.serialize();
  });
  await withRuntime({ memory: '64KiB' }, (runtime) => {
    expect(() => resumeKeyValueCache(runtime, bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_FULL' }),
    );
    expect(runtime.metrics().arena.leases).toBe(0);
  });
});
