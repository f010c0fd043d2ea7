/** Families of finite float32 values, each of which is hard in another way; the same ones for the same seed. */

/** Every family. */
export const FAMILIES = [
  ...(['normal', 'outliers', 'ties', 'zeros', 'signed-zeros', 'positive', 'negative', 'constant'] as const),
  ...(['tiny', 'subnormal', 'huge', 'bits'] as const),
] as const;

/** A family of values. */
export type Family = (typeof FAMILIES)[number];

/** Uniform numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` values of a family. */
export function valuesOfFamily(family: Family, count: number, seed: number): Float32Array {
  if (family === 'bits') return finiteBits(count, seed);
  const random = randomOf(seed);
  const normal = () => (random() + random() + random() - 1.5) * 2;
  const one = normal() * 10;
  const next: Record<Exclude<Family, 'bits'>, () => number> = {
    normal,
    outliers: () => normal() * (random() < 0.02 ? 300 : 1),
    // Halves about zero, the largest of which is often the end of the range.
    ties: () => Math.round((random() - 0.5) * 510) / 2,
    zeros: () => 0,
    'signed-zeros': () => [0, -0, normal()][Math.floor(random() * 3)]!,
    positive: () => 3 + random() * 5,
    negative: () => -3 - random() * 5,
    constant: () => one,
    tiny: () => normal() * 2 ** -100,
    subnormal: () => normal() * 2 ** -128,
    huge: () => normal() * 2 ** 125,
  };
  return Float32Array.from({ length: count }, next[family]);
}

/** Values of a normal distribution with mean 0 and deviation 1. */
export function gaussian(count: number, seed: number): Float32Array {
  const random = randomOf(seed);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}

/** Any finite bits, subnormals and −0 among them. */
function finiteBits(count: number, seed: number): Float32Array {
  const random = randomOf(seed);
  const bits = () => {
    const any = Math.floor(random() * 2 ** 32);
    // An exponent of all ones becomes another one.
    return (any & 0x7f800000) === 0x7f800000 ? any & 0xbfffffff : any;
  };
  return new Float32Array(Uint32Array.from({ length: count }, bits).buffer);
}
