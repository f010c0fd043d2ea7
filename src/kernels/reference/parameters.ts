/**
 * Scale, multiplier and zero point. Every operation is one of float32, in the order that the scheme names; the numbers
 * of the equations are those of docs/quantization.md.
 * @module
 */
import { Apply, Quantity, ScaleForm, ScaleType, Source, Word, ZeroPointRule } from '../../scheme/codes.js';
import type { Descriptor } from './descriptor.js';
import { type Memory, storageBytes } from './memory.js';
import { roundHalfEven } from './rounding.js';

const { fround } = Math;

/** The parameters of one group of values. */
export class Parameters {
  /** The scale before it is rounded to its stored type. */
  scale = 0;
  /** The scale as the consumer reads it. */
  storedScale = 0;
  /** What a value is multiplied with, or divided by under `Apply.Divide`. */
  multiplier = 0;
  zeroPoint = 0;
  /** The ends of the range, which infinities saturate to. */
  largest = 0;
  smallest = 0;

  /** Sets the parameters from a range that contains zero (equations 6 to 13); any NaN makes both ends NaN. */
  derive(d: Descriptor, high: number, low: number): void {
    const isNan = Number.isNaN(high) || Number.isNaN(low);
    this.largest = isNan ? Number.NaN : high;
    this.smallest = isNan ? Number.NaN : low + 0;
    const divisor = d.real(Word.Divisor);
    const floor = d.real(Word.Floor);
    const floorOn = d.int(Word.FloorOn);
    let extent = d.int(Word.Symmetric) ? Math.max(this.largest, -this.smallest) : fround(this.largest - this.smallest);
    if (floorOn === Quantity.Extent && extent < floor) extent = floor;
    this.scale = scaleOf(d.int(Word.ScaleForm), extent, divisor);
    if (floorOn === Quantity.Scale && this.scale < floor) this.scale = floor;
    this.multiplier = multiplierOf(d.int(Word.Apply), this.scale, extent, divisor);
    const zeroTest = d.int(Word.ZeroTest);
    if ((zeroTest === Quantity.Extent && extent === 0) || (zeroTest === Quantity.Scale && this.scale === 0)) {
      this.scale = d.real(Word.ZeroScale);
      this.multiplier = d.real(Word.ZeroMultiplier);
    }
    this.storedScale = this.scale;
    this.zeroPoint = this.#deriveZeroPoint(d);
  }

  /** Equations 11 and 12, clamped to the codes, then rounded; what is NaN becomes the largest code. */
  #deriveZeroPoint(d: Descriptor): number {
    const rule = d.int(Word.ZeroPointRule);
    if (rule === ZeroPointRule.None) return 0;
    const lowCode = d.int(Word.LowCode);
    const highCode = d.int(Word.HighCode);
    let z: number;
    if (rule === ZeroPointRule.RoundLast) {
      z = fround(lowCode - fround(this.smallest / this.scale));
    } else {
      const low = fround(this.smallest * this.multiplier);
      const high = fround(this.largest * this.multiplier);
      const sum = fround(fround(lowCode + low) + fround(highCode + high));
      z = sum > 0 ? fround(lowCode - low) : fround(highCode - high);
    }
    if (Number.isNaN(z)) return highCode;
    return roundHalfEven(Math.min(Math.max(z, lowCode), highCode));
  }

  /** Writes scale and zero point of parameter `index`. */
  store(d: Descriptor, memory: Memory, index: number): void {
    const at = d.address(Word.Scale) + index * d.address(Word.ScaleStride);
    if (d.int(Word.ScaleType) === ScaleType.Float32) {
      memory.setFloat32(at, this.scale);
    } else {
      memory.setFloat16(at, this.scale);
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
    this.scale = d.int(Word.ScaleType) === ScaleType.Float32 ? memory.getFloat32(at) : memory.getFloat16(at);
    this.storedScale = this.scale;
    this.multiplier = d.int(Word.Apply) === Apply.Divide ? this.scale : fround(1 / this.scale);
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
    this.derive(d, Math.max(0, high), Math.min(-0, low));
    this.store(d, memory, index);
  }
}

/** Equation 9. */
function scaleOf(form: ScaleForm, extent: number, divisor: number): number {
  if (form === ScaleForm.Divide) return fround(extent / divisor);
  if (form === ScaleForm.Reciprocal) return fround(extent * fround(1 / divisor));
  return fround(1 / fround(divisor / extent));
}

/** Equation 2. */
function multiplierOf(apply: Apply, scale: number, extent: number, divisor: number): number {
  if (apply === Apply.Divide) return scale;
  if (apply === Apply.Reciprocal) return fround(1 / scale);
  return fround(divisor / extent);
}
