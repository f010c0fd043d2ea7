import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { isTypedArray } from '#src/typed-arrays.js';

describe('isTypedArray', () => {
  test('knows a typed array by what it is', () => {
    expect(isTypedArray(new Float32Array(1), 'Float32Array')).toBe(true);
    expect(isTypedArray(new Uint16Array(1), 'Float32Array')).toBe(false);
    expect(isTypedArray(Buffer.alloc(1), 'Uint8Array')).toBe(true);
    expect(isTypedArray(new Int32Array(new SharedArrayBuffer(4)), 'Int32Array')).toBe(true);
    expect(isTypedArray(runInNewContext('new Float64Array(2)'), 'Float64Array')).toBe(true);
  });

  test('is not deceived by what a value says of itself', () => {
    const liar = { [Symbol.toStringTag]: 'Float32Array', length: 3, constructor: Float32Array };
    const forged = Object.create(Float32Array.prototype);
    const modest = Object.defineProperty(new Float32Array(1), Symbol.toStringTag, { value: 'Object' });
    expect(
      [liar, forged, null, undefined, 3, 'Float32Array', []].map((it) => isTypedArray(it, 'Float32Array')),
    ).toEqual(Array(7).fill(false));
    expect(isTypedArray(modest, 'Float32Array')).toBe(true);
    expect(isTypedArray(new DataView(new ArrayBuffer(4)), 'Uint8Array')).toBe(false);
  });
});
