/**
 * The shared memory as values, codes, scales and zero points, at any alignment. Values and codes are gathered into
 * arrays of one type first, so that the arithmetic is written once.
 * @module
 */

import { fromHalf, halves, toHalf } from '../../memory/index.js';
import { Dtype, ScaleType, Storage } from '../../scheme/codes.js';
import { byteOfScale, scaleOfByte } from './scales.js';

/** What every NaN is written as: engines differ in the sign and the payload of a computed one. */
export const NAN_BITS = 0x7fc00000;
/** The same for float64. */
const NAN_BITS_WIDE = 0x7ff8000000000000n;

/** Bytes of a value. */
export function valueBytes(dtype: Dtype): number {
  return dtype === Dtype.Float32 ? 4 : 2;
}

/** Bytes of a code or zero point. */
export function storageBytes(storage: Storage): number {
  return storage <= Storage.Uint8 ? 1 : storage <= Storage.Uint16 ? 2 : 4;
}

/** Reads and writes; addresses and distances are in bytes, little-endian whatever the machine. */
export class Memory {
  readonly buffer: SharedArrayBuffer | ArrayBuffer;
  readonly view: DataView;
  readonly #bits = new DataView(new ArrayBuffer(4));

  constructor(buffer: SharedArrayBuffer | ArrayBuffer) {
    this.buffer = buffer;
    this.view = new DataView(buffer);
  }

  /** `count` values, `stride` apart from `address` on, as float32. */
  gatherValues(dtype: Dtype, address: number, stride: number, count: number, into: Float32Array): void {
    const view = this.view;
    if (dtype === Dtype.Float32) {
      for (let i = 0; i < count; i++) into[i] = view.getFloat32(address + i * stride, true);
    } else if (dtype === Dtype.Float16) {
      const table = halves();
      for (let i = 0; i < count; i++) into[i] = table[view.getUint16(address + i * stride, true)]!;
    } else {
      const bits = this.#bits;
      for (let i = 0; i < count; i++) {
        bits.setUint32(0, view.getUint16(address + i * stride, true) << 16);
        into[i] = bits.getFloat32(0);
      }
    }
  }

  /** Writes `count` float32, `stride` apart from `address` on. */
  scatterValues(address: number, stride: number, count: number, from: Float32Array): void {
    for (let i = 0; i < count; i++) this.setFloat32(address + i * stride, from[i]!);
  }

  /** `count` integers, `step` apart from `address` on. */
  gatherCodes(storage: Storage, address: number, step: number, count: number, into: Int32Array): void {
    const view = this.view;
    if (storage === Storage.Int8) {
      for (let i = 0; i < count; i++) into[i] = view.getInt8(address + i * step);
    } else if (storage === Storage.Uint8) {
      for (let i = 0; i < count; i++) into[i] = view.getUint8(address + i * step);
    } else if (storage === Storage.Int16) {
      for (let i = 0; i < count; i++) into[i] = view.getInt16(address + i * step, true);
    } else {
      for (let i = 0; i < count; i++) into[i] = view.getUint16(address + i * step, true);
    }
  }

  /** Writes `count` integers, `step` apart from `address` on, cut to their width. */
  scatterCodes(storage: Storage, address: number, step: number, count: number, from: Int32Array): void {
    const view = this.view;
    if (storageBytes(storage) === 1) {
      for (let i = 0; i < count; i++) view.setUint8(address + i * step, from[i]!);
    } else {
      for (let i = 0; i < count; i++) view.setUint16(address + i * step, from[i]!, true);
    }
  }

  getFloat32(address: number): number {
    return this.view.getFloat32(address, true);
  }

  /** Writes a float32, NaN as the canonical one. */
  setFloat32(address: number, value: number): void {
    if (Number.isNaN(value)) this.view.setUint32(address, NAN_BITS, true);
    else this.view.setFloat32(address, value, true);
  }

  /** End `index` of the ranges at `address`, which may lie below 0 where their first ones are not there: addresses wrap. */
  getEnd(address: number, index: number): number {
    return this.getFloat32((address + index * 4) >>> 0);
  }

  /** Writes such an end. */
  setEnd(address: number, index: number, value: number): void {
    this.setFloat32((address + index * 4) >>> 0, value);
  }

  getFloat64(address: number): number {
    return this.view.getFloat64(address, true);
  }

  /** Writes a float64, NaN as the canonical one. */
  setFloat64(address: number, value: number): void {
    if (Number.isNaN(value)) this.view.setBigUint64(address, NAN_BITS_WIDE, true);
    else this.view.setFloat64(address, value, true);
  }

  /** A scale of a type, as a number. */
  getScale(type: ScaleType, address: number): number {
    if (type === ScaleType.Float32) return this.getFloat32(address);
    if (type === ScaleType.Float64) return this.getFloat64(address);
    if (type === ScaleType.Float16) return fromHalf(this.view.getUint16(address, true));
    return scaleOfByte(type, this.view.getUint8(address));
  }

  /** Writes a scale, rounded to its type. */
  setScale(type: ScaleType, address: number, scale: number): void {
    if (type === ScaleType.Float32) this.setFloat32(address, scale);
    else if (type === ScaleType.Float64) this.setFloat64(address, scale);
    else if (type === ScaleType.Float16) this.view.setUint16(address, toHalf(Math.fround(scale)), true);
    else this.view.setUint8(address, byteOfScale(type, scale));
  }

  getZeroPoint(storage: Storage, address: number): number {
    const view = this.view;
    if (storage === Storage.Int8) return view.getInt8(address);
    if (storage === Storage.Uint8) return view.getUint8(address);
    if (storage === Storage.Int16) return view.getInt16(address, true);
    if (storage === Storage.Uint16) return view.getUint16(address, true);
    return storage === Storage.Int32 ? view.getInt32(address, true) : view.getFloat32(address, true);
  }

  setZeroPoint(storage: Storage, address: number, value: number): void {
    const bytes = storageBytes(storage);
    if (bytes === 1) this.view.setUint8(address, value);
    else if (bytes === 2) this.view.setUint16(address, value, true);
    else if (storage === Storage.Int32) this.view.setInt32(address, value, true);
    else this.setFloat32(address, value);
  }
}
