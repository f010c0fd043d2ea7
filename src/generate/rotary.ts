/**
 * Rotary embeddings in the half-split convention of Hugging Face: value i of the first half of a head and value i of the
 * second half are turned by position · frequency(i).
 * @module
 */
import { cosineAndSine, exp, log } from './functions.js';
import type { RotaryConfig, RotaryScaling } from './rotary-config.js';

/** Turns queries and keys by their positions. */
export class Rotary {
  readonly #frequencies: Float64Array;
  /** Cosines and sines as float32, [positions, headDim / 2], of as many positions as were asked for. */
  #cosines = new Float32Array(0);
  #sines = new Float32Array(0);

  /** @param headDim values of a head; even */
  constructor(config: RotaryConfig, headDim: number) {
    const step = (-2 * log(config.base)) / headDim;
    this.#frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => scaled(exp(step * i), config.scaling));
  }

  /**
   * Turns every head of a row where it lies: a·cos − b·sin and b·cos + a·sin, in float64, rounded to float32 once.
   * @param values rows of heads
   * @param start the first value of the first head
   * @param position of the token, from 0
   */
  turn(values: Float32Array, start: number, heads: number, position: number): void {
    const half = this.#frequencies.length;
    this.#reach(position + 1);
    const cosines = this.#cosines;
    const sines = this.#sines;
    for (let head = 0; head < heads; head++) {
      const first = start + head * 2 * half;
      for (let i = 0; i < half; i++) {
        const cosine = cosines[position * half + i]!;
        const sine = sines[position * half + i]!;
        const a = values[first + i]!;
        const b = values[first + half + i]!;
        values[first + i] = a * cosine - b * sine;
        values[first + half + i] = b * cosine + a * sine;
      }
    }
  }

  /** Extends the tables to at least so many positions. */
  #reach(positions: number): void {
    const half = this.#frequencies.length;
    const known = this.#cosines.length / half;
    if (positions <= known) return;
    const cosines = new Float32Array(Math.max(positions, 2 * known, 64) * half);
    const sines = new Float32Array(cosines.length);
    cosines.set(this.#cosines);
    sines.set(this.#sines);
    for (let at = known * half; at < cosines.length; at++) {
      [cosines[at], sines[at]] = cosineAndSine(Math.floor(at / half) * this.#frequencies[at % half]!);
    }
    this.#cosines = cosines;
    this.#sines = sines;
  }
}

/** A frequency of a model that was stretched, as `modeling_rope_utils.py` of Hugging Face's transformers scales it. */
function scaled(frequency: number, scaling: RotaryScaling): number {
  if (scaling.type === 'default') return frequency;
  if (scaling.type === 'linear') return frequency / scaling.factor;
  const { factor, lowFactor, highFactor, original } = scaling;
  const turns = (original * frequency) / (2 * Math.PI);
  // 0 for the low frequencies, 1 for the high ones, in between a mixture.
  const share = Math.min(Math.max((turns - lowFactor) / (highFactor - lowFactor), 0), 1);
  return (1 - share) * (frequency / factor) + share * frequency;
}
