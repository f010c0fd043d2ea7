/** A layer gives the same bits wherever it runs and whatever other rows there are, and nearly the values of floats. */
import { describe, expect, test } from 'vitest';
import { createLinear, type LinearOptions } from '#src/linear/index.js';
import { FORCED, leaseOf, valuesOf } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { ALL_PLACES, exactly, expectLeases, LAYERS, rowsOf, valuesIn, weightOf } from './helpers.js';

const [ROWS, INPUTS, OUTPUTS] = [13, 100, 37];
const BIAS = valuesOf(OUTPUTS, 8);

const titled = LAYERS.map((layer) => [JSON.stringify(layer), layer] as const);

function optionsOf(layer: (typeof LAYERS)[number]): LinearOptions {
  return { ...layer, weight: weightOf(layer.weights, OUTPUTS, INPUTS), bias: BIAS };
}

describe('the same bits everywhere, and at once', () => {
  const results = new Map<string, Float32Array>();

  test.each(ALL_PLACES)('$name', async ({ name: _name, ...place }) => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const [title, layer] of titled) {
        using linear = await createLinear(runtime, optionsOf(layer));
        expect(linear).toMatchObject({ inputs: INPUTS, outputs: OUTPUTS, weights: layer.weights, released: false });
        const x = rowsOf([ROWS, INPUTS]);
        const y = await linear.forward(x);
        expect(y).toMatchObject({ dtype: 'float32', shape: [ROWS, OUTPUTS] });
        const values = valuesIn(y);
        const first = results.get(title) ?? values;
        results.set(title, first);
        expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(first.buffer)), title).toBe(0);
        expect(valuesIn(linear.forwardSync(x))).toEqual(values);
        const leased = leaseOf(runtime, [ROWS, INPUTS], x.data);
        expect(valuesIn(await linear.forward(leased, { keep: true }))).toEqual(values);
        expect(valuesIn(await linear.forward(leased))).toEqual(values);
        expect(leased.released).toBe(true);
        expectLeases(runtime, 1);
      }
      expect(results.size).toBe(LAYERS.length);
    });
  });
});

describe.each(titled)('%s', (_, layer) => {
  test('are nearly those of floats', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, {
        ...optionsOf(layer),
        weight: weightOf('float32', OUTPUTS, INPUTS),
        ...(linear16(layer) && { weights: 'float32' }),
      });
      const x = rowsOf([ROWS, INPUTS]);
      const expected = exactly(x.data, weightOf('float32', OUTPUTS, INPUTS).data, INPUTS, BIAS);
      const found = valuesIn(await linear.forward(x));
      const signal = expected.reduce((sum, value) => sum + value ** 2, 0);
      const noise = expected.reduce((sum, value, at) => sum + (value - found[at]!) ** 2, 0);
      const least = linear.weights.startsWith('int8') ? 25 : linear.weights === 'int4' ? 13 : 110;
      expect(10 * Math.log10(signal / noise)).toBeGreaterThan(least);
    });
  });

  test('alone as in a batch', async () => {
    // One range of the whole tensor depends on all of its rows.
    if (layer.activations === 'onnx-dynamic' || layer.activations === 'torch-dynamic') return;
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, optionsOf(layer));
      const x = rowsOf([ROWS, INPUTS]);
      const together = valuesIn(await linear.forward(x));
      for (let row = 0; row < ROWS; row++) {
        const data = x.data.slice(row * INPUTS, (row + 1) * INPUTS);
        const alone = valuesIn(await linear.forward({ dtype: 'float32', shape: [INPUTS], data }));
        expect(alone).toEqual(together.slice(row * OUTPUTS, (row + 1) * OUTPUTS));
      }
    });
  });
});

function linear16({ weights }: (typeof LAYERS)[number]): boolean {
  return weights === 'float16' || weights === 'bfloat16';
}

test('leading axes are rows', async () => {
  await withRuntime({}, async (runtime) => {
    using linear = await createLinear(runtime, optionsOf({ weights: 'int8' }));
    const x = rowsOf([2, 3, INPUTS]);
    const y = await linear.forward(x);
    expect(y.shape).toEqual([2, 3, OUTPUTS]);
    const flat = valuesIn(await linear.forward({ ...x, shape: [6, INPUTS] }));
    expect(valuesIn(y)).toEqual(flat);
  });
});

test('what is quantized once is shared by several layers, and stays', async () => {
  await withRuntime({}, async (runtime) => {
    const x = rowsOf([3, INPUTS]);
    using q = await runtime.quantize(x, 'torchao-int8');
    for (const seed of [1, 2, 3]) {
      const weight = weightOf('int8', 20 + seed, INPUTS, seed);
      using linear = await createLinear(runtime, { weight, activations: 'torchao-int8' });
      const expected = valuesIn(await linear.forward(x));
      expect(valuesIn(await linear.forward(q))).toEqual(expected);
      expect(valuesIn(linear.forwardSync(q))).toEqual(expected);
    }
    expect(q.released).toBe(false);
  });
});

test('16-bit weights and rows are widened first', async () => {
  await withRuntime({}, async (runtime) => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const weight = weightOf(dtype, OUTPUTS, INPUTS);
      using native = await createLinear(runtime, { weight, weights: dtype });
      using wide = await createLinear(runtime, { weight, weights: 'float32' });
      expect(native.byteLength).toBeLessThan(wide.byteLength);
      const x = rowsOf([4, INPUTS]);
      expect(valuesIn(await native.forward(x))).toEqual(valuesIn(await wide.forward(x)));
      using codes = await createLinear(runtime, { weight });
      const half = { dtype, shape: [2, INPUTS], data: weight.data.slice(0, 2 * INPUTS) } as const;
      expect(valuesIn(await codes.forward(half)).every(Number.isFinite)).toBe(true);
    }
  });
});

test('many rows and outputs, on lanes that share them', async () => {
  const options = { weight: weightOf('int8', 300, 640), weights: 'int8' } as const;
  const x = rowsOf([70, 640]);
  const inPlace = await withRuntime({}, async (runtime) => {
    using linear = await createLinear(runtime, options);
    return valuesIn(linear.forwardSync(x));
  });
  await withRuntime({ lanes: 2 }, async (runtime) => {
    using linear = await createLinear(runtime, options);
    const calls = [1, 2, 3].map(() => linear.forward(x));
    for (const call of calls) expect(valuesIn(await call)).toEqual(inPlace);
    expect(runtime.metrics().jobs.lanes).toBeGreaterThan(0);
  });
});

test('NaN and infinities go through float products', async () => {
  await withRuntime({}, async (runtime) => {
    const weight = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 0) } as const;
    using linear = await createLinear(runtime, { weight, weights: 'float32' });
    const rows = Float32Array.of(Number.POSITIVE_INFINITY, 1, 1, Number.NaN, 2, 3);
    const y = valuesIn(await linear.forward({ dtype: 'float32', shape: [3, 2], data: rows }));
    expect([...y]).toEqual([Number.POSITIVE_INFINITY, Number.NaN, 2]);
  });
});
