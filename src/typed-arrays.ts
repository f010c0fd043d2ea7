/**
 * What kind of typed array a value is, whichever realm it comes from and whatever it says of itself.
 * @module
 */

/** Typed arrays by their names. */
interface TypedArrays {
  Int8Array: Int8Array;
  Uint8Array: Uint8Array;
  Int16Array: Int16Array;
  Uint16Array: Uint16Array;
  Int32Array: Int32Array;
  Float32Array: Float32Array;
  Float64Array: Float64Array;
}

/** The name of a typed array. */
export type TypedArrayName = keyof TypedArrays;

/** The getter by which every typed array tells its name, and nothing else tells any. */
const nameOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** Whether a value is a typed array of that name. */
export function isTypedArray<N extends TypedArrayName>(value: unknown, name: N): value is TypedArrays[N] {
  return nameOf.call(value) === name;
}
