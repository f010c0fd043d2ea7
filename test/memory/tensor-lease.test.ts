import { expect, expectTypeOf, test } from 'vitest';
import { Arena, type InputDtype, TensorLease } from '#src/memory/index.js';
import { codeOf } from './helpers.js';

const arena = new Arena({ bytes: 4096, reserved: 64 });

/** A tensor of so many bytes' lease. */
function tensor<D extends InputDtype>(dtype: D, shape: readonly number[], bytes = 1024): TensorLease<D> {
  return new TensorLease(arena.lease(bytes), arena, dtype, shape);
}

test('a float32 tensor is a view on the shared memory', () => {
  const batch = tensor('float32', [3, 5], 60);
  expectTypeOf(batch.data).toEqualTypeOf<Float32Array<SharedArrayBuffer>>();
  expect(batch.data).toBeInstanceOf(Float32Array);
  expect(batch.data.buffer).toBe(arena.buffer);
  expect(batch).toMatchObject({ dtype: 'float32', shape: [3, 5], elements: 15, byteLength: 60, released: false });
  expect([batch.data.byteOffset, batch.data.length, batch.allocatedBytes]).toEqual([batch.byteOffset, 15, 64]);
  expect(batch.byteOffset).toBeGreaterThanOrEqual(64);
  batch.data[14] = 2.5;
  expect(new DataView(arena.buffer).getFloat32(batch.byteOffset + 56, true)).toBe(2.5);
  expect(batch.data).toBe(batch.data);
  batch.release();
});

test.each(['float16', 'bfloat16'] as const)('a %s tensor holds raw bits', (dtype) => {
  const batch = tensor(dtype, [7]);
  expectTypeOf(batch.data).toEqualTypeOf<Uint16Array<SharedArrayBuffer>>();
  expect(batch.data).toBeInstanceOf(Uint16Array);
  expect([batch.data.length, batch.byteLength]).toEqual([7, 14]);
  batch.data[6] = 0x3c00;
  expect(new DataView(arena.buffer).getUint16(batch.byteOffset + 12, true)).toBe(0x3c00);
  batch.release();
});

test('scalars and empty tensors', () => {
  const scalar = tensor('float32', [], 4);
  expect([scalar.elements, scalar.data.length, scalar.byteLength]).toEqual([1, 1, 4]);
  const empty = tensor('float32', [4, 0], 0);
  expect([empty.elements, empty.data.length, empty.byteLength, empty.allocatedBytes]).toEqual([0, 0, 0, 64]);
  scalar.release();
  empty.release();
  expect(arena.statistics().inUse).toBe(0);
});

test('the shape is a frozen copy', () => {
  const shape = [2, 3];
  const batch = tensor('float32', shape);
  shape[0] = 99;
  expect(batch.shape).toEqual([2, 3]);
  expect(Object.isFrozen(batch.shape)).toBe(true);
  batch.release();
});

test('a tensor that is refused leaves the lease to the caller', () => {
  const lease = arena.lease(64);
  const make = (dtype: unknown, shape: unknown) => () => new TensorLease(lease, arena, dtype as 'float32', shape as []);
  expect(codeOf(make('int8', [1]))).toBe('ERR_QUANTLANE_DTYPE');
  expect(codeOf(make('float32', [-1]))).toBe('ERR_QUANTLANE_SHAPE');
  expect(codeOf(make('float32', 'x'))).toBe('ERR_QUANTLANE_SHAPE');
  expect(codeOf(make('float32', [17]))).toBe('ERR_QUANTLANE_SHAPE');
  expect(make('float32', [17])).toThrow('at most 64 bytes, got 68');
  expect(codeOf(make('float32', [16]))).toBe('none');
  lease.release();
  expect(codeOf(make('float32', [16]))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
});

test('released: the data is out of reach', () => {
  const batch = tensor('float32', [4]);
  batch.release();
  expect([batch.state, batch.released]).toEqual(['released', true]);
  expect(codeOf(() => batch.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  expect(codeOf(() => batch.assertOwned())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  expect(codeOf(() => batch.consume())).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  expect(codeOf(() => batch.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
  expect(batch.elements).toBe(4);
});

test('consumed, and restored', () => {
  const batch = tensor('float32', [4]);
  const data = batch.data;
  const token = batch.consume();
  expect([batch.state, batch.released]).toEqual(['consumed', true]);
  expect(token).toMatchObject({ byteOffset: batch.byteOffset, generation: batch.generation });
  expect(codeOf(() => batch.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  expect(codeOf(() => batch.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
  token.restore();
  expect(batch.data).toBe(data);
  batch.assertOwned();
  batch.consume().release();
  expect(codeOf(() => batch.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
  expect(arena.statistics().inUse).toBe(0);
});

test('disposal in a block, consumed or not', () => {
  {
    using owned = tensor('float32', [4]);
    using consumed = tensor('float32', [4]);
    consumed.consume().release();
    expect(owned.released).toBe(false);
  }
  expect(arena.statistics().inUse).toBe(0);
});
