/**
 * Codes of any planar scheme, counted in at most 256 bins.
 * @module
 */
import { bytesIn } from '../memory/index.js';
import { CODE_FACTS, type CodeDtype, codeValue, isIntegerCode, isPacked, type Scheme } from '../scheme/index.js';

/** The most bins. */
export const MAX_BINS = 256;

/** Bytes that are read together, and how often at most, evenly spread over a batch. */
const RUN_BYTES = 1024;
const RUNS = 64;

/** The bins of each type of codes that was asked for. */
const known = new Map<CodeDtype, CodeBins>();

/** Which codes of a type are counted in which bin. */
export class CodeBins {
  /** What the first code of each bin stands for before scale and zero point, in ascending order, NaN last. */
  readonly values: readonly number[];
  /** Bits of a code, and those of them that its bin follows from. */
  readonly #bits: number;
  readonly #mask: number;
  /** The bin of each code, or of its upper byte. */
  readonly #bins: Uint8Array;

  private constructor(dtype: CodeDtype) {
    const { bits, storage, float } = CODE_FACTS[dtype];
    const isInteger = isIntegerCode(dtype);
    const isSigned = storage.startsWith('int');
    const width = bits === 16 ? 8 : float === undefined ? bits : 1 + float.exponent + float.mantissa;
    const codes = Array.from({ length: 2 ** width }, (_, code) => code);
    const meaning = (code: number): number => {
      if (!isInteger) return codeValue(dtype, code);
      const signed = isSigned && code >= 2 ** (width - 1) ? code - 2 ** width : code;
      return bits === 16 ? signed * 256 : signed;
    };
    const places = codes.map((code) => [rank(meaning(code)), code] as const);
    // Zero has two codes in some floats: that of −0 comes first.
    places.sort((a, b) => a[0] - b[0] || Number(Object.is(b[0], -0)) - Number(Object.is(a[0], -0)));
    this.#bits = bits;
    this.#mask = 2 ** width - 1;
    this.#bins = new Uint8Array(MAX_BINS);
    for (const [bin, [, code]] of places.entries()) this.#bins[code] = bin;
    this.values = places.map(([, code]) => meaning(code));
  }

  /** The bins of a scheme's codes; null for blocks of a foreign layout, in which codes do not lie by themselves. */
  static of({ dtype, layout }: Scheme): CodeBins | null {
    if (layout !== 'planar') return null;
    const bins = known.get(dtype) ?? new CodeBins(dtype);
    known.set(dtype, bins);
    return bins;
  }

  /**
   * Counts codes: all of up to 65,536 bytes, and of more that many in evenly spread runs.
   * @param data the array of codes of a quantized tensor
   * @param elements how many codes there are: of those that share the last byte some may be none
   * @param counts a number for each bin
   */
  count(data: ArrayBufferView, elements: number, { dtype, packing }: Scheme, counts: Float64Array): void {
    const bytes = bytesIn(data);
    const perByte = isPacked(dtype) ? 8 / this.#bits : 1;
    const whole = Math.min(bytes.length, Math.floor((elements * this.#bits) / 8));
    const rest = perByte === 1 ? 0 : elements % perByte;
    if (whole <= RUN_BYTES * RUNS) {
      this.#run(bytes, 0, whole, counts);
      // The codes of a byte that is not full begin at the end that the scheme says.
      for (let code = 0; code < rest; code++) {
        this.#code(bytes[whole]! >> ((packing === 'low-first' ? code : perByte - 1 - code) * this.#bits), counts);
      }
      return;
    }
    for (let run = 0; run < RUNS; run++) {
      // Runs begin at even bytes, so that none cuts a code of 16 bits.
      const from = 2 * Math.floor((run * (whole - RUN_BYTES)) / (RUNS - 1) / 2);
      this.#run(bytes, from, from + RUN_BYTES, counts);
    }
  }

  #run(bytes: Uint8Array, from: number, to: number, counts: Float64Array): void {
    if (this.#bits === 16) {
      // The upper byte of two is the second one.
      for (let at = from + 1; at < to; at += 2) this.#code(bytes[at]!, counts);
      return;
    }
    for (let at = from; at < to; at++) {
      for (let shift = 0; shift < 8; shift += this.#bits) this.#code(bytes[at]! >> shift, counts);
    }
  }

  /** Counts the code in the low bits of a number. */
  #code(bits: number, counts: Float64Array): void {
    counts[this.#bins[bits & this.#mask]!]!++;
  }
}

/** A number to sort values by. */
function rank(value: number): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
