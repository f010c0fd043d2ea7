/** The vectors of PyTorch through the command line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quantizeCommand } from '#src/cli/quantize.js';
import { calibrationOf, writeCalibration } from '#src/ranges/index.js';
import { TORCH_COUNT, type TorchVector, torchVectors } from '../support/torch-vectors.js';
import { temporaryFolder } from './helpers.js';
import { expectVectors } from './round-trip.js';

const KERNELS = ['simd', 'scalar'] as const;
const PRESETS = [
  ...(['torch-dynamic', 'torch-int8-symmetric', 'torch-int8-affine', 'torch-uint8-affine'] as const),
  'torch-int8-per-channel',
] as const;

const folder = await temporaryFolder();
const vectors = torchVectors();
const isReduced = ({ options }: TorchVector): boolean => options.reduceRange ?? false;
const isCalibrated = ({ observer }: TorchVector): boolean => observer !== undefined;

/** Whether `quantize` has an option. */
function takes(option: string): boolean {
  return Object.hasOwn(quantizeCommand.args as object, option);
}

it('has them all', () => {
  expect(vectors).toHaveLength(TORCH_COUNT);
  expect(new Set(vectors.map(({ preset }) => preset))).toEqual(new Set(PRESETS));
});

describe.each(PRESETS)('%s', (preset) => {
  const mine = vectors.filter((vector) => vector.preset === preset);
  const [reduced, calibrated] = [mine.filter(isReduced), mine.filter(isCalibrated)];
  const plain = mine.filter((vector) => !isReduced(vector) && !isCalibrated(vector));

  it.each(KERNELS)('the range of the values, %s', async (kernels) => {
    expect(plain.length).toBeGreaterThan(0);
    await expectVectors(folder, plain, ['--kernels', kernels]);
  });

  if (reduced.length > 0) {
    it.runIf(takes('reduce-range'))('a reduced range', () => expectVectors(folder, reduced, ['--reduce-range']));
  }

  // One file holds the ranges of one method.
  for (const method of new Set(calibrated.map(({ observer }) => observer!.method))) {
    it.runIf(takes('calibration'))(`ranges of several batches: ${method}`, async () => {
      const cases = calibrated.filter(({ observer }) => observer!.method === method);
      const observers = cases.map(({ name, observer }) => [name, observer!] as const);
      const path = join(folder, `${preset}-${method}.json`);
      await writeFile(path, writeCalibration(calibrationOf(observers, { name: preset, options: {} })));
      await expectVectors(folder, cases, ['--calibration', path]);
    });
  }
});
