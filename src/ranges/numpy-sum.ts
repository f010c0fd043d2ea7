/**
 * The sum of numbers in the order in which NumPy adds a contiguous row (`pairwise_sum`,
 * numpy/_core/src/umath/loops_utils.h.src): halves down to 128 numbers, those in eight sums side by side.
 * @module
 */

/** Numbers that are added without halving. */
const BLOCK = 128;

/** The sum, rounded after each addition to the type of the numbers; 0 for none. */
export function numpySum(values: Float64Array | Float32Array): number {
  const round = values instanceof Float32Array ? Math.fround : (value: number): number => value;
  const sum = (start: number, length: number): number => {
    if (length < 8) {
      // NumPy begins with −0, so that a sum of −0 is −0.
      let total = -0;
      for (let index = start; index < start + length; index++) total = round(total + values[index]!);
      return total;
    }
    if (length > BLOCK) {
      const half = Math.floor(length / 2);
      const left = half - (half % 8);
      return round(sum(start, left) + sum(start + left, length - left));
    }
    const eight = Array.from(values.subarray(start, start + 8));
    const whole = length - (length % 8);
    for (let index = 8; index < whole; index++) eight[index % 8] = round(eight[index % 8]! + values[start + index]!);
    const [a, b, c, d, e, f, g, h] = eight as [number, number, number, number, number, number, number, number];
    let total = round(round(round(a + b) + round(c + d)) + round(round(e + f) + round(g + h)));
    for (let index = whole; index < length; index++) total = round(total + values[start + index]!);
    return total;
  };
  return values.length === 0 ? 0 : sum(0, values.length);
}
