/**
 * Exponential, logarithm, sine and cosine in float64, by additions, multiplications and divisions in a fixed order. Those of
 * `Math` may differ in the last bit from one version of Node.js to the next; these give the same bits on all.
 * @module
 */

/** ln 2 and π/2 in two parts (fdlibm's): a count of up to 20 bits times the first one is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;

/** 1/n! for n from 0 to 19. */
const INVERSE_FACTORIALS: readonly number[] = inverseFactorials(20);

/** Terms of the series: the next one is below a last place. */
const TRIG_TERMS = 17;
const LOG_TERMS = 25;

/** e^x, within two last places of a normal result; below −708 it is 0. */
export function exp(x: number): number {
  if (!(x >= -708)) return Number.isNaN(x) ? x : 0;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  // Written out, for this is the hottest loop of a model: Σ rⁿ/n! by Horner's rule.
  let sum = ((1 / 6227020800) * r + 1 / 479001600) * r + 1 / 39916800;
  sum = ((sum * r + 1 / 3628800) * r + 1 / 362880) * r + 1 / 40320;
  sum = ((sum * r + 1 / 5040) * r + 1 / 720) * r + 1 / 120;
  sum = ((sum * r + 1 / 24) * r + 1 / 6) * r + 1 / 2;
  return ((sum * r + 1) * r + 1) * powerOfTwo(k);
}

/** The natural logarithm of a positive normal number: ln m + e · ln 2 with m around 1. */
export function log(x: number): number {
  let m = x;
  let e = 0;
  for (; m > Math.SQRT2; m /= 2) e++;
  for (; m < Math.SQRT1_2; m *= 2) e--;
  // ln m = 2 · artanh s
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = LOG_TERMS; n >= 1; n -= 2) sum = sum * s * s + 1 / n;
  return 2 * s * sum + e * LN2_LOW + e * LN2_HIGH;
}

/** Cosine and sine of an angle of at most a million. */
export function cosineAndSine(angle: number): readonly [number, number] {
  const k = Math.round(angle / (Math.PI / 2));
  const r = angle - k * HALF_PI_HIGH - k * HALF_PI_LOW;
  const cosine = alternating(r, TRIG_TERMS - 1);
  const sine = r * alternating(r, TRIG_TERMS, 1);
  switch (k & 3) {
    case 0:
      return [cosine, sine];
    case 1:
      return [-sine, cosine];
    case 2:
      return [-cosine, -sine];
    default:
      return [sine, -cosine];
  }
}

/** 1/first! − r²/(first+2)! + … up to r^(last − first)/last!. */
function alternating(r: number, last: number, first = 0): number {
  let sum = 0;
  for (let n = last; n >= first; n -= 2) sum = INVERSE_FACTORIALS[n]! - sum * r * r;
  return sum;
}

/** 2^k for k from −1,022 to 1,023, by its bits. */
function powerOfTwo(k: number): number {
  WORDS[1] = (k + 1023) << 20;
  return DOUBLE[0]!;
}

const DOUBLE = new Float64Array(1);
/** The halves of `DOUBLE`, the low one first, as on every machine that Node.js runs on. */
const WORDS = new Int32Array(DOUBLE.buffer);

function inverseFactorials(count: number): number[] {
  let factorial = 1;
  return Array.from({ length: count }, (_, n) => {
    factorial *= Math.max(n, 1);
    return 1 / factorial;
  });
}
