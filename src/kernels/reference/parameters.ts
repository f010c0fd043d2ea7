/**
 * Scale, multiplier and zero point, in the precision and the order of operations that the scheme names; the numbers of
 * the equations are those of docs/quantization.md.
 * @module
 */
import { Apply, Quantity, ScaleForm, ScaleType, Source } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import { Arithmetic } from '../../scheme/precision.js';
import type { Descriptor } from './descriptor.js';
import { type Memory, storageBytes } from './memory.js';
import { deriveZeroPoint } from './zero-point.js';

const { fround } = Math;

/** Of `Word.ZeroZero`: the zero point is that of the rule. */
const BY_RULE = -2147483648;

/** A rounding of every operation: to float32, or none, for float64. */
type Precision = (value: number) => number;
const wide: Precision = (value) => value;

/** The parameters of one group of values. */
export class Parameters {
  /** The scale, a float32 but for wide arithmetic, before it is rounded to its stored type. */
  scale = 0;
  /** The scale as the consumer reads it. */
  storedScale = 0;
  /** What a value is multiplied with, or divided by under `Apply.Divide`. */
  multiplier = 0;
  /** What a value is multiplied with under `Added.BeforeWide`. */
  wideMultiplier = 0;
  zeroPoint = 0;
  /** The ends of the range, which infinities saturate to. */
  largest = 0;
  smallest = 0;

  /** Sets the parameters from a range (equations 6 to 13 and 19 to 24); any NaN makes both ends NaN. */
  derive(d: Descriptor, high: number, low: number): void {
    const isNan = Number.isNaN(high) || Number.isNaN(low);
    // A range without any value is still inside out.
    const isEmpty = high === Number.NEGATIVE_INFINITY && low === Number.POSITIVE_INFINITY;
    this.largest = isNan ? Number.NaN : isEmpty ? 0 : high;
    this.smallest = isNan ? Number.NaN : isEmpty ? 0 : low + 0;
    const arithmetic = d.int(Word.Arithmetic);
    const f = arithmetic === Arithmetic.Float32 ? fround : wide;
    const divisor = d.real(Word.Divisor);
    const floor = d.real(Word.Floor);
    const floorOn = d.int(Word.FloorOn);
    const test = d.int(Word.ZeroTest);
    let bottom = this.smallest;
    let top = this.largest;
    let extent = d.int(Word.Symmetric) ? Math.max(top, -bottom) : f(top - bottom);
    if (floorOn === Quantity.Extent && extent < floor) extent = floor;
    let scale = scaleOf(d.int(Word.ScaleForm), extent, divisor, f);
    if (arithmetic === Arithmetic.Mixed) scale = fround(scale);
    const isTiny = test === Quantity.Reciprocal && Math.abs(fround(1 / fround(scale))) === Infinity;
    const isOnScale = floorOn === Quantity.Scale || floorOn === Quantity.ScaleAndRange;
    if (isOnScale && !isTiny && scale < floor) {
      if (floorOn === Quantity.ScaleAndRange) [bottom, top] = stretched(bottom, top, floor, divisor, fround(scale));
      scale = floor;
    }
    this.scale = scale;
    this.multiplier = multiplierOf(d.int(Word.Apply), fround(scale), extent, divisor, f);
    this.wideMultiplier = 1 / scale;
    const isZero = (test === Quantity.Extent && extent === 0) || (test === Quantity.Scale && fround(scale) === 0);
    if (isTiny || isZero) {
      this.scale = d.wideReal(Word.ZeroScale);
      this.multiplier = d.real(Word.ZeroMultiplier);
      this.wideMultiplier = this.multiplier;
    }
    this.storedScale = fround(this.scale);
    const zero = d.int(Word.ZeroZero);
    if ((isTiny || isZero) && zero !== BY_RULE) this.zeroPoint = zero;
    else this.zeroPoint = deriveZeroPoint(d, { bottom, top, scale: this.scale, multiplier: this.multiplier });
  }

  /** Writes scale and zero point of parameter `index`. */
  store(d: Descriptor, memory: Memory, index: number): void {
    const at = d.address(Word.Scale) + index * d.address(Word.ScaleStride);
    const type = d.int(Word.ScaleType);
    if (type === ScaleType.Float32) {
      memory.setFloat32(at, this.scale);
    } else if (type === ScaleType.Float64) {
      memory.setFloat64(at, this.scale);
    } else {
      memory.setFloat16(at, fround(this.scale));
      this.storedScale = memory.getFloat16(at);
    }
    const zeros = d.address(Word.ZeroPoint);
    if (zeros === 0) return;
    const storage = d.int(Word.ZeroPointStorage);
    memory.setInteger(storage, zeros + index * storageBytes(storage), this.zeroPoint);
  }

  /** Reads scale and zero point of parameter `index`. Their range is unknown, so infinities have no end to go to. */
  load(d: Descriptor, memory: Memory, index: number): void {
    const at = d.address(Word.Scale) + index * d.address(Word.ScaleStride);
    const type = d.int(Word.ScaleType);
    if (type === ScaleType.Float64) this.scale = memory.getFloat64(at);
    else this.scale = type === ScaleType.Float32 ? memory.getFloat32(at) : memory.getFloat16(at);
    this.storedScale = fround(this.scale);
    this.multiplier = d.int(Word.Apply) === Apply.Divide ? this.storedScale : fround(1 / this.storedScale);
    this.wideMultiplier = 1 / this.scale;
    this.largest = Infinity;
    this.smallest = -Infinity;
    const zeros = d.address(Word.ZeroPoint);
    const storage = d.int(Word.ZeroPointStorage);
    this.zeroPoint = zeros === 0 ? 0 : memory.getInteger(storage, zeros + index * storageBytes(storage));
  }

  /** Reads the parameters of `index`, or derives them from its given range and writes them. */
  resolve(d: Descriptor, memory: Memory, index: number): void {
    if (d.int(Word.Source) === Source.Given) {
      this.load(d, memory, index);
      return;
    }
    const high = memory.getFloat32(d.address(Word.RangeHigh) + index * 4);
    const low = memory.getFloat32(d.address(Word.RangeLow) + index * 4);
    if (d.int(Word.WithoutZero)) this.derive(d, high, low);
    else this.derive(d, Math.max(0, high), Math.min(-0, low));
    this.store(d, memory, index);
  }
}

/** Equation 9. */
function scaleOf(form: ScaleForm, extent: number, divisor: number, f: Precision): number {
  if (form === ScaleForm.Divide) return f(extent / divisor);
  if (form === ScaleForm.Reciprocal) return f(extent * f(1 / divisor));
  return f(1 / f(divisor / extent));
}

/** Equation 10: always a float32. */
function multiplierOf(apply: Apply, scale: number, extent: number, divisor: number, f: Precision): number {
  if (apply === Apply.Divide) return scale;
  if (apply === Apply.Reciprocal) return fround(1 / scale);
  return fround(f(divisor / extent));
}

/** The range, stretched as a floor raises its scale from `before` (equation 21). */
function stretched(bottom: number, top: number, floor: number, divisor: number, before: number): [number, number] {
  const whole = fround(floor * divisor);
  if (bottom === 0) return [bottom, whole];
  if (top === 0) return [-whole, top];
  const factor = fround(floor / before);
  return [fround(bottom * factor), fround(top * factor)];
}
