/**
 * What carries out descriptors.
 * @module
 */

/** One of the two implementations; both give the same bits in every output. */
export interface Kernel {
  /** `simd`: the WebAssembly module; `scalar`: its twin in TypeScript. */
  readonly name: 'simd' | 'scalar';
  /**
   * Carries out the descriptor at the byte address `descriptor`, a multiple of 4. Before, the caller sets the words
   * `Status` and `BadCount` to 0, `BadFirst` to −1, `High` to the bits of +0 and `Low` to those of −0.
   */
  execute(descriptor: number): void;
}
