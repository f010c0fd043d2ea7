/**
 * The result of a quantization: codes and parameters in one lease of the arena.
 * @module
 */
import type { InputDtype, Lease, Ownership } from '../memory/index.js';
import { Size } from '../scheme/descriptor.js';
import { dataDtype, isPacked, type Scheme, scaleBytes, zeroPointBytes, zeroPointDtype } from '../scheme/index.js';
import { type CodeArray, codeView, type ScaleArray, scaleView, type ZeroPointArray } from './parts.js';
import type { Plan } from './plan.js';
import { type ErrorStatistics, gatherStatistics } from './statistics.js';

/**
 * A quantized tensor. Its arrays are views on shared memory and are good until `release()`; every access after that is
 * ERR_QUANTLANE_LEASE_RELEASED.
 */
export class QuantizedTensor {
  /** Everything that decided the bytes. */
  readonly scheme: Scheme;
  /** Shape of the values that were quantized. */
  readonly shape: readonly number[];
  /** Type of the values that were quantized. */
  readonly dtype: InputDtype;
  readonly #plan: Plan;
  readonly #buffer: SharedArrayBuffer;
  readonly #lease: Lease;

  constructor(lease: Lease, plan: Plan, buffer: SharedArrayBuffer) {
    this.scheme = plan.scheme;
    this.shape = plan.shape;
    this.dtype = plan.dtype;
    this.#plan = plan;
    this.#buffer = buffer;
    this.#lease = lease;
  }

  /**
   * The codes, `dataShape` of them: small floats as raw bits; bytes where several codes share one, and for a block layout
   * of a consumer, which are int8 where a code or its bits are.
   */
  get data(): CodeArray {
    const { scheme, layout } = this.#plan;
    const isPlain = scheme.layout === 'planar' && !isPacked(scheme.dtype);
    const length = isPlain ? layout.elements : layout.codeBytes;
    return codeView(dataDtype(scheme), this.#buffer, this.#at(0), length);
  }

  /**
   * Shape of `data`: that of the values, the last dimension in bytes where codes share them (flat where rows do not end
   * with a byte), or `[rows, bytes per row]` for a block layout.
   */
  get dataShape(): readonly number[] {
    return this.#plan.layout.codeShape;
  }

  /**
   * The scales, as the scheme says: float32, float64, or raw bits of float16, E8M0 or E4M3FN; null where they lie within
   * the blocks. Where outliers are kept apart, the absmax of each row, which is 127 steps.
   */
  get scale(): ScaleArray | null {
    const { scheme, layout, parts } = this.#plan;
    if (parts.scale < 0) return null;
    return scaleView(scheme.scaleDtype, this.#buffer, this.#at(parts.scale), layout.parameters);
  }

  /**
   * Zero points (stored: `q = round(x / scale) + zeroPoint`), of the type of the codes or int32, as the scheme says; for a
   * scheme with a minimum the values of the lowest code, float32; null for a symmetric scheme.
   */
  get zeroPoint(): ZeroPointArray | null {
    const { scheme, layout, parts } = this.#plan;
    if (parts.zeroPoint < 0) return null;
    return codeView(zeroPointDtype(scheme), this.#buffer, this.#at(parts.zeroPoint), layout.parameters);
  }

  /** The columns that hold an outlier, in ascending order; null for a scheme that keeps none apart. */
  get outliers(): Int32Array | null {
    const { layout, parts } = this.#plan;
    return parts.outliers < 0 ? null : new Int32Array(this.#buffer, this.#at(parts.outliers), layout.count);
  }

  /** The values of these columns, `[rows, outliers.length]`; null for a scheme that keeps none apart. */
  get outlierValues(): Float32Array | null {
    const { layout, parts } = this.#plan;
    const length = layout.units * layout.count;
    return parts.outlierValues < 0 ? null : new Float32Array(this.#buffer, this.#at(parts.outlierValues), length);
  }

  /** The scale of the whole tensor, by which those of its blocks were divided: an array of one; null where there is none. */
  get tensorScale(): Float32Array | null {
    const { tensorScale } = this.#plan.parts;
    return tensorScale < 0 ? null : new Float32Array(this.#buffer, this.#at(tensorScale), 1);
  }

  /** Shape of `scale` and `zeroPoint`. */
  get parameterShape(): readonly number[] {
    return this.#plan.layout.parameterShape;
  }

  /** Error statistics; null where `stats` was not asked for. */
  get stats(): ErrorStatistics | null {
    const { layout, parts } = this.#plan;
    if (parts.statistics < 0) return null;
    const records = new Float64Array(this.#buffer, this.#at(parts.statistics), layout.units * Size.StatisticsDoubles);
    return gatherStatistics(records, layout.units);
  }

  /** Bytes of codes and parameters. */
  get byteLength(): number {
    const { scheme, layout } = this.#plan;
    if (scheme.layout !== 'planar') return layout.codeBytes;
    const zeroBytes = scheme.symmetric ? 0 : zeroPointBytes(scheme);
    const apart = scheme.outliers === null ? 0 : layout.count * 4 * (1 + layout.units);
    return layout.codeBytes + layout.parameters * (scaleBytes(scheme) + zeroBytes) + apart;
  }

  /** Whether it has been given back. */
  get released(): boolean {
    return this.#lease.released;
  }

  /** Gives the memory back; a second time is ERR_QUANTLANE_DOUBLE_RELEASE. */
  release(): void {
    this.#lease.release();
  }

  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
  }

  /** @internal What was read and written. */
  get plan(): Plan {
    return this.#plan;
  }

  /** @internal Hands the memory to the runtime until the token is restored. */
  consume(): Ownership {
    return this.#lease.consume();
  }

  #at(part: number): number {
    this.#lease.assertOwned();
    return this.#lease.byteOffset + part;
  }
}
