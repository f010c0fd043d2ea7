/**
 * How often each code occurs.
 * @module
 */
import { CodeUsage, type QuantizedTensor } from 'quantlane/browser/standalone';

/** Codes that are counted before the page gets its turn. */
const SLICE = 2 ** 18;

/** Counts, from the smallest code on. */
export interface CodeCounts {
  /** What is counted: codes, bits of small floats, or bytes of blocks. */
  readonly of: string;
  readonly lo: number;
  readonly counts: ArrayLike<number>;
}

/** Counts the codes of a tensor. Of formats whose codes lie in blocks the bytes are counted. */
export async function countCodes(q: QuantizedTensor, signal: AbortSignal): Promise<CodeCounts> {
  const { data, scheme } = q;
  const is16 = data instanceof Int16Array || data instanceof Uint16Array;
  const isSigned = data instanceof Int8Array || data instanceof Int16Array;
  const size = is16 ? 65_536 : 256;
  const usage = new CodeUsage(isSigned ? -size / 2 : 0, (isSigned ? size / 2 : size) - 1);
  for (let at = 0; at < data.length; at += SLICE) {
    usage.add(data.subarray(at, at + SLICE));
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
  }
  const [lo] = usage.codes;
  if (scheme.layout !== 'planar') return { of: 'Bytes of the blocks', lo, counts: usage.counts };
  const bits = bitsOf(scheme.dtype);
  if (bits < 8) return { of: `Codes of ${bits} bits`, lo: 0, counts: split(usage.counts, bits) };
  return { of: /float/.test(scheme.dtype) ? 'Codes, by their bits' : 'Codes', lo, counts: usage.counts };
}

/** Bits of a code: those that share a byte have fewer than 8. */
function bitsOf(dtype: string): number {
  if (/^u?int2$/.test(dtype)) return 2;
  return /^u?int4$|^float4|^nf4$|^fp4$/.test(dtype) ? 4 : 8;
}

/** Counts of the codes that share bytes, from the counts of these bytes. */
function split(counts: ArrayLike<number>, bits: number): number[] {
  const codes = new Array<number>(2 ** bits).fill(0);
  for (let byte = 0; byte < counts.length; byte++) {
    for (let shift = 0; shift < 8; shift += bits) codes[(byte >> shift) & (codes.length - 1)]! += counts[byte]!;
  }
  return codes;
}
