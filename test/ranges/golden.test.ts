/**
 * Searches of histograms against numbers made with NumPy 2.4.6 from the formulas of the sources: `numpy.histogram` and
 * the steps of calibrate.py (ONNX Runtime), float32 steps of calib/histogram.py (NVIDIA Model Optimizer). The batches
 * are, in Python,
 *
 *     i = numpy.arange(count); u = ((i * 7919) % 2003 - 1001) / 1001.0; (u*u*u*a + b).astype(numpy.float32)
 *
 * for (5000, 4.1, 0), (3001, 6.83, 0.25), (4000, 2.57, −1.5), and "relu" the larger of these and 0.
 */
import { describe, expect, test } from 'vitest';
import { createObserver, type RangeMethod, type RangeObserver } from '#src/ranges/index.js';
import { numpySum } from '#src/ranges/numpy-sum.js';
import { torchSum } from '#src/ranges/torch-sum.js';
import { batches, batchOf } from './helpers.js';

const INPUTS = {
  signed: batches(),
  relu: batches().map((batch) => batch.map((value) => Math.max(value, 0))),
};

function observe(method: RangeMethod, options: object, input: keyof typeof INPUTS): RangeObserver {
  const observer = createObserver(method, options);
  for (const batch of INPUTS[input]) observer.observe(batch);
  return observer;
}

function rangeOf(observer: RangeObserver): [number, number] {
  const { min, max } = observer.range();
  return [min[0]!, max[0]!];
}

describe('the bins of the sources', () => {
  test.each([
    ['signed', [42, 49, 68, 251, 255, 69, 49, 37]],
    ['relu', [0, 0, 0, 0, 7424, 69, 49, 37]],
  ] as const)('of ONNX Runtime, %s', (input, middle) => {
    const observer = observe('percentile', { form: 'onnxruntime', symmetric: false, grid: 'first-batch' }, input);
    const { edges, counts } = observer.histogram()!;
    expect([counts.length, edges[0], edges.at(-1)]).toEqual([3538, -7.082910060882568, 7.082910060882568]);
    expect(Array.from(counts.slice(counts.length / 2 - 4, counts.length / 2 + 4))).toEqual(middle);
  });

  test.each(['signed', 'relu'] as const)('of TensorRT, %s', (input) => {
    const { edges, counts } = observe('mse', { grid: 'first-batch' }, input).histogram()!;
    expect([counts.length, edges[0], edges.at(-1)]).toEqual([3537, 0, 7.080907821655273]);
  });
});

describe('percentile', () => {
  test.each([
    ['signed', 99.999, -6.579999923706055, 7.0789055824279785],
    ['signed', 99, -5.793652534484863, 6.310156345367432],
    ['signed', 90, -3.4473633766174316, 3.111034870147705],
    ['relu', 99.999, 0, 7.0789055824279785],
    ['relu', 99, 0, 6.310156345367432],
    ['relu', 90, 0, 3.111034870147705],
  ] as const)('of ONNX Runtime, %s, %f', (input, percentile, low, high) => {
    const options = { form: 'onnxruntime', symmetric: false, percentile, grid: 'first-batch' };
    expect(rangeOf(observe('percentile', options, input))).toEqual([low, high]);
  });

  test.each([
    ['signed', 99.99, 7.078906059265137],
    ['signed', 99, 6.059912204742432],
    ['signed', 50, 1.195165991783142],
    ['signed', 100, 7.078906059265137],
    ['relu', 99.99, 7.078906059265137],
    ['relu', 99, 5.569433689117432],
    ['relu', 50, 0],
  ] as const)('of TensorRT, %s, %f', (input, percentile, amax) => {
    const range = rangeOf(observe('percentile', { percentile, grid: 'first-batch' }, input));
    expect(range).toEqual([input === 'relu' ? 0 : -amax, amax]);
  });

  test.each([
    ['signed', 6.0546875],
    ['relu', 5.5625],
  ] as const)('on dyadic bins, %s', (input, amax) => {
    expect(rangeOf(observe('percentile', { percentile: 99, bins: 512 }, input))[1]).toBe(amax);
  });
});

describe('squared error', () => {
  test.each([
    ['signed', { grid: 'first-batch' }, 7.053881645202637],
    ['signed', { grid: 'first-batch', bits: 4 }, 5.576440334320068],
    ['signed', { grid: 'first-batch', unsigned: true }, 7.079906940460205],
    ['signed', { bins: 512, bits: 4 }, 5.57421875],
    ['relu', { grid: 'first-batch' }, 7.049877643585205],
    ['relu', { grid: 'first-batch', bits: 4 }, 6.0709228515625],
    ['relu', { grid: 'first-batch', unsigned: true }, 7.057885646820068],
    ['relu', { bins: 512, bits: 4 }, 6.06640625],
  ] as const)('%s, %j', (input, options, amax) => {
    expect(rangeOf(observe('mse', options, input))).toEqual([input === 'relu' ? 0 : -amax, amax]);
  });
});

describe('entropy', () => {
  test.each([
    ['signed', { grid: 'first-batch', bins: 512 }, 6.958788871765137],
    ['signed', { bins: 512 }, 6.9453125],
    ['relu', { grid: 'first-batch', bins: 512 }, 6.958788871765137],
    ['relu', { bins: 512 }, 6.9609375],
  ] as const)('of TensorRT, %s, %j', (input, options, amax) => {
    expect(rangeOf(observe('entropy', options, input))).toEqual([input === 'relu' ? 0 : -amax, amax]);
  });

  test.each([
    ['signed', { grid: 'first-batch' }, 222, -4.09999942779541, 4.1640625],
    ['signed', { grid: 'first-batch', bins: 512 }, 886, -6.166015625, 6.18203067779541],
    ['signed', { bins: 256 }, 454, -6.0625, 6.09375],
    ['relu', { grid: 'first-batch' }, 222, 0, 4.1640625],
    ['relu', { grid: 'first-batch', bins: 512 }, 886, 0, 6.166014671325684],
    ['relu', { bins: 256 }, 454, 0, 6.03125],
  ] as const)('of ONNX Runtime, %s, %j', (input, options, bins, low, high) => {
    const observer = observe('entropy', { form: 'onnxruntime', ...options }, input);
    expect(observer.histogram()!.counts).toHaveLength(bins);
    expect(rangeOf(observer)).toEqual([low, high]);
  });
});

describe('sums', () => {
  // numpy.sum of u³ as float32 and as float64, and the float32 sum in torch's order.
  test.each([
    [0, 0, 0, 0],
    [5, 0.9166522026062012, 0.916652283276668, 0.9166522026062012],
    [9, 1.2185453176498413, 1.2185452982508076, 1.2185451984405518],
    [130, -2.5585951805114746, -2.5585952997562376, -2.558595657348633],
    [1000, 2.0819976329803467, 2.0819973757984798, 2.081995964050293],
    [20011, 1.053708791732788, 1.0537111035024618, 1.0537129640579224],
    [5000, 1.2678555250167847, 1.2678556272834085, 1.2678554058074951],
  ])('of %i numbers', (count, single, double, torch) => {
    const values = batchOf(count, 1, 0);
    const exact = Float64Array.from({ length: count }, (_, index) => {
      const u = (((index * 7919) % 2003) - 1001) / 1001;
      return u * u * u;
    });
    expect(numpySum(values)).toBe(single);
    expect(numpySum(exact)).toBe(double);
    expect(torchSum(values)).toBe(torch);
  });
});
