/**
 * The sizes of Hadamard matrices that can be made: powers of two, and those times an order of Paley's constructions.
 * @module
 */

/** How a Hadamard matrix is made: `order` times a power of two. */
export interface Factor {
  /** Order of the factor that is no power of two; 1 where there is none. */
  readonly order: number;
  /** The prime that it is made of; 0 where there is none. */
  readonly prime: number;
}

/** Orders go up to this: a value takes as many additions, and the residues of a prime below fit the kernels. */
const MAX_ORDER = 256;

/** How the matrix of size `n` is made, with the smallest order there is; undefined where it cannot be. */
export function factorOf(n: number): Factor | undefined {
  const odd = n / largestPower(n);
  if (odd === 1) return { order: 1, prime: 0 };
  for (let order = 4 * odd; order <= MAX_ORDER && n % order === 0; order *= 2) {
    // Orders are multiples of 4, so a prime one below is 3 modulo 4.
    if (isPrime(order - 1)) return { order, prime: order - 1 };
    const half = order / 2 - 1;
    if (half % 4 === 1 && isPrime(half)) return { order, prime: half };
  }
  return undefined;
}

/** The largest power of two that divides `n`, from 1. */
export function largestPower(n: number): number {
  let power = 1;
  while (n % (2 * power) === 0) power *= 2;
  return power;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}
