/**
 * Hadamard matrices by Paley's constructions, each symmetric (equations 42 and 43).
 * @module
 */

/** Entry (i, j), 1 or −1, of the matrix of order `prime` + 1 or 2 · (`prime` + 1). */
export function entryOf(order: number, prime: number, i: number, j: number): 1 | -1 {
  if (order === prime + 1) {
    if (i === 0 || j === 0) return 1;
    return character(i + j - 2, prime) === 1 ? 1 : -1;
  }
  const [a, b] = [i >> 1, j >> 1];
  const [u, v] = [i & 1, j & 1];
  if (a === b) return u === 0 && v === 0 ? 1 : -1;
  const sign = a === 0 || b === 0 ? 1 : character(a - b, prime);
  return (sign === 1) !== (u === 1 && v === 1) ? 1 : -1;
}

const characters = new Map<number, Int8Array>();

/** The quadratic character of a number modulo a prime: 0 for its multiples, 1 for squares, −1 for all others. */
function character(a: number, prime: number): number {
  let known = characters.get(prime);
  if (known === undefined) {
    known = Int8Array.from({ length: prime }, (_, residue) => euler(residue, prime));
    characters.set(prime, known);
  }
  return known[((a % prime) + prime) % prime]!;
}

/** Euler's criterion: a to the power of half of `prime` − 1. */
function euler(a: number, prime: number): number {
  let power = 1;
  for (let k = 0; k < (prime - 1) / 2; k++) power = (power * a) % prime;
  return power === prime - 1 ? -1 : power;
}
