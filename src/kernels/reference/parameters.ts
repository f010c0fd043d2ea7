/**
 * Scale, multiplier and zero point, in the precision and the order of operations that the scheme names; the numbers of
 * the equations are those of docs/quantization.md.
 * @module
 */
import { fromHalf, toHalf } from '../../memory/index.js';
import {
  Apply,
  Arithmetic,
  PowerRule,
  Quantity,
  ScaleForm,
  ScaleType,
  Source,
  Storage,
  ZeroPointRule,
} from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';
import { type Memory, storageBytes } from './memory.js';
import { byteOfScale, powerBelow, powerExponent, scaleOfByte } from './scales.js';
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

  /** The value of the lowest code, which is taken off before scaling; 0 but for schemes with a minimum. */
  minimum = 0;

  /** Sets the parameters from a range (equations 6 to 13, 19 to 24 and 28 to 30); any NaN makes both ends NaN. */
  derive(d: Descriptor, memory: Memory, high: number, low: number): void {
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
    const most = d.real(Word.MostMultiplier);
    let bottom = this.smallest;
    let top = this.largest;
    let extent = d.int(Word.Symmetric) ? Math.max(top, -bottom) : f(top - bottom);
    if (floorOn === Quantity.Extent && extent < floor) extent = floor;
    let scale = scaleOf(d.int(Word.ScaleForm), extent, divisor, most, f);
    if (arithmetic === Arithmetic.Mixed) scale = fround(scale);
    const isTiny = test === Quantity.Reciprocal && Math.abs(fround(1 / fround(scale))) === Infinity;
    const isOnScale = floorOn === Quantity.Scale || floorOn === Quantity.ScaleAndRange;
    if (isOnScale && !isTiny && scale < floor) {
      if (floorOn === Quantity.ScaleAndRange) [bottom, top] = stretched(bottom, top, floor, divisor, fround(scale));
      scale = floor;
    }
    const whole = tensorScaleOf(d, memory);
    if (d.int(Word.PowerRule) !== PowerRule.None) {
      this.#derivePower(d, extent, scale);
    } else {
      if (whole !== 1) scale = fround(scale / whole);
      this.scale = scale;
      const used = d.int(Word.UsesStored) ? asStored(d, scale) : fround(scale);
      this.multiplier = multiplierOf(d, used, extent, fround(1 / whole), f);
      this.wideMultiplier = 1 / scale;
    }
    const isZero = (test === Quantity.Extent && extent === 0) || (test === Quantity.Scale && fround(scale) === 0);
    if (isTiny || isZero) {
      this.scale = d.wideReal(Word.ZeroScale);
      this.multiplier = d.real(Word.ZeroMultiplier);
      this.wideMultiplier = this.multiplier;
    }
    this.storedScale = fround(fround(asStored(d, fround(this.scale)) * d.real(Word.Step)) * whole);
    this.minimum = 0;
    if (d.int(Word.ZeroPointRule) === ZeroPointRule.Minimum) {
      this.minimum = this.smallest;
      this.zeroPoint = d.int(Word.LowCode);
      return;
    }
    const given = d.int(Word.ZeroZero);
    if ((isTiny || isZero) && given !== BY_RULE) this.zeroPoint = given;
    else this.zeroPoint = deriveZeroPoint(d, { bottom, top, scale: this.scale, multiplier: this.multiplier });
  }

  /** Scale and multiplier where the scale is a power of two (equation 29). */
  #derivePower(d: Descriptor, extent: number, scale: number): void {
    const rule = d.int(Word.PowerRule);
    if (rule === PowerRule.MultiplierFloor) {
      const multiplier = Math.min(fround(d.real(Word.Divisor) / extent), d.real(Word.MostMultiplier));
      this.multiplier = powerBelow(multiplier);
      this.scale = fround(1 / this.multiplier);
      this.wideMultiplier = this.multiplier;
      return;
    }
    const base = rule === PowerRule.ScaleCeil ? scale : extent;
    if (!Number.isFinite(base)) {
      this.scale = Number.NaN;
      this.multiplier = Number.NaN;
      this.wideMultiplier = Number.NaN;
      return;
    }
    const shift = rule === PowerRule.ScaleCeil ? 0 : d.int(Word.PowerBase);
    const exponent = powerExponent(rule, base, d.int(Word.Mantissa)) - shift;
    this.scale = 2 ** Math.min(Math.max(exponent, -127), 127);
    const step = this.scale * d.real(Word.Step);
    this.wideMultiplier = 1 / step;
    this.multiplier = fround(d.int(Word.Apply) === Apply.Divide ? step : this.wideMultiplier);
  }

  /** Writes scale and zero point of parameter `index`. */
  store(d: Descriptor, memory: Memory, index: number): void {
    memory.setScale(d.int(Word.ScaleType), d.address(Word.Scale) + index * d.address(Word.ScaleStride), this.scale);
    const zeros = d.address(Word.ZeroPoint);
    if (zeros === 0) return;
    const storage = d.int(Word.ZeroPointStorage);
    const zeroPoint = storage === Storage.Float32 ? this.minimum : this.zeroPoint;
    memory.setZeroPoint(storage, zeros + index * storageBytes(storage), zeroPoint);
  }

  /** Reads scale and zero point of parameter `index`. Their range is unknown, so infinities have no end to go to. */
  load(d: Descriptor, memory: Memory, index: number): void {
    this.scale = memory.getScale(d.int(Word.ScaleType), d.address(Word.Scale) + index * d.address(Word.ScaleStride));
    const single = fround(this.scale);
    this.storedScale = fround(fround(single * d.real(Word.Step)) * tensorScaleOf(d, memory));
    this.multiplier = multiplies(d) ? fround(1 / single) : single;
    this.wideMultiplier = 1 / this.scale;
    this.largest = Infinity;
    this.smallest = -Infinity;
    this.minimum = 0;
    this.zeroPoint = d.int(Word.ZeroPointRule) === ZeroPointRule.Minimum ? d.int(Word.LowCode) : 0;
    const zeros = d.address(Word.ZeroPoint);
    if (zeros === 0) return;
    const storage = d.int(Word.ZeroPointStorage);
    const stored = memory.getZeroPoint(storage, zeros + index * storageBytes(storage));
    if (storage === Storage.Float32) this.minimum = stored;
    else this.zeroPoint = stored;
  }

  /** Reads the parameters of `index`, or derives them from its given range and writes them. */
  resolve(d: Descriptor, memory: Memory, index: number): void {
    if (d.int(Word.Source) === Source.Given) {
      this.load(d, memory, index);
      return;
    }
    const high = memory.getEnd(d.address(Word.RangeHigh), index);
    const low = memory.getEnd(d.address(Word.RangeLow), index);
    if (d.int(Word.WithoutZero)) this.derive(d, memory, high, low);
    else this.derive(d, memory, Math.max(0, high), Math.min(-0, low));
    this.store(d, memory, index);
  }
}

/** The scale of the whole tensor, 1 where there is none. */
function tensorScaleOf(d: Descriptor, memory: Memory): number {
  const address = d.address(Word.TensorScale);
  return address === 0 ? 1 : memory.getFloat32(address);
}

/** Whether values are multiplied, not divided. */
function multiplies(d: Descriptor): boolean {
  const apply = d.int(Word.Apply);
  return apply === Apply.Reciprocal || apply === Apply.Direct;
}

/** A scale rounded to its stored type. */
function asStored(d: Descriptor, scale: number): number {
  const type = d.int(Word.ScaleType);
  if (type === ScaleType.Float16) return fromHalf(toHalf(fround(scale)));
  return type === ScaleType.E4m3 ? scaleOfByte(type, byteOfScale(type, scale)) : fround(scale);
}

/** Equation 9. */
function scaleOf(form: ScaleForm, extent: number, divisor: number, most: number, f: Precision): number {
  if (form === ScaleForm.Divide) return f(extent / divisor);
  if (form === ScaleForm.Reciprocal) return f(extent * f(1 / divisor));
  return f(1 / Math.min(f(divisor / extent), most));
}

/** Equation 10: always a float32. */
function multiplierOf(d: Descriptor, scale: number, extent: number, inverse: number, f: Precision): number {
  const most = d.real(Word.MostMultiplier);
  if (d.int(Word.Apply) === Apply.Reciprocal) return Math.min(fround(inverse / scale), most);
  if (d.int(Word.Apply) === Apply.Direct) return Math.min(fround(f(d.real(Word.Divisor) / extent)), most);
  return scale;
}

/** The range, stretched as a floor raises its scale from `before` (equation 21). */
function stretched(bottom: number, top: number, floor: number, divisor: number, before: number): [number, number] {
  const whole = fround(floor * divisor);
  if (bottom === 0) return [bottom, whole];
  if (top === 0) return [-whole, top];
  const factor = fround(floor / before);
  return [fround(bottom * factor), fround(top * factor)];
}
