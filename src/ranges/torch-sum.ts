/**
 * The sum of float32 numbers in the order in which PyTorch adds them on a CPU with 8 lanes: `cascade_sum` of
 * aten/src/ATen/native/cpu/SumKernel.cpp for one contiguous row.
 * @module
 */

const { fround } = Math;

/** Lanes of a vector. */
const LANES = 8;

/** Vectors that are added side by side, and so the numbers of a step. */
const ROWS = 4;
const STEP = LANES * ROWS;

/** Levels of the cascade. */
const LEVELS = 4;

/** The sum as float32; 0 for none. */
export function torchSum(values: Float32Array): number {
  const vectors = Math.floor(values.length / LANES);
  const rows = Math.floor(vectors / ROWS);
  const sums = cascade(values, rows);
  // Vectors that fill no step go to the first row.
  for (let vector = rows * ROWS; vector < vectors; vector++) {
    for (let lane = 0; lane < LANES; lane++) sums[lane] = sums[lane]! + values[vector * LANES + lane]!;
  }
  for (let row = 1; row < ROWS; row++) {
    for (let lane = 0; lane < LANES; lane++) sums[lane] = sums[lane]! + sums[row * LANES + lane]!;
  }
  let sum = 0;
  for (let index = vectors * LANES; index < values.length; index++) sum = fround(sum + values[index]!);
  for (let lane = 0; lane < LANES; lane++) sum = fround(sum + sums[lane]!);
  return sum;
}

/** Sums of `steps` steps, each of its 32 numbers in a sum of its own (`multi_row_sum`). */
function cascade(values: Float32Array, steps: number): Float32Array {
  const power = Math.max(4, Math.floor(ceilLog2(steps) / LEVELS));
  const size = 2 ** power;
  const levels = Array.from({ length: LEVELS }, () => new Float32Array(STEP));
  const lowest = levels[0]!;
  let step = 0;
  const addStep = (): void => {
    for (let place = 0; place < STEP; place++) lowest[place] = lowest[place]! + values[step * STEP + place]!;
    step += 1;
  };
  while (step + size <= steps) {
    for (let count = 0; count < size; count++) addStep();
    for (let level = 1; level < LEVELS; level++) {
      addInto(levels[level]!, levels[level - 1]!);
      levels[level - 1]!.fill(0);
      // The next level is full after as many steps as this one holds.
      if (Math.floor(step / 2 ** (level * power)) % size !== 0) break;
    }
  }
  while (step < steps) addStep();
  for (let level = 1; level < LEVELS; level++) addInto(lowest, levels[level]!);
  return lowest;
}

function addInto(target: Float32Array, source: Float32Array): void {
  for (let place = 0; place < STEP; place++) target[place] = target[place]! + source[place]!;
}

/** Smallest power whose 2^power is at least `count`; 0 for 0 and 1. */
function ceilLog2(count: number): number {
  let power = 0;
  while (2 ** power < count) power++;
  return power;
}
