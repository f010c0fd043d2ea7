/** What goes wrong has a code, and gives everything back. */
import { describe, expect, test } from 'vitest';
import { createRuntime, PRESETS, preset, type QuantizedTensor, type Runtime } from '#src/index.js';
import { createLinear, type LinearOptions, weightScheme } from '#src/linear/index.js';
import { codeOf, rejection } from '../memory/helpers.js';
import { FORCED, leaseOf, valuesOf } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { expectLeases, LAYERS, rowsOf, valuesIn, weightOf } from './helpers.js';

const WEIGHT = weightOf('int8', 6, 16);

describe('a layer is not made', () => {
  const bad: readonly [string, Partial<LinearOptions>, string][] = [
    ['weights of one axis', { weight: { ...WEIGHT, shape: [96] } }, 'ERR_QUANTLANE_SHAPE'],
    ['weights of three axes', { weight: { ...WEIGHT, shape: [6, 8, 2] } }, 'ERR_QUANTLANE_SHAPE'],
    ['no weights', { weight: { dtype: 'float32', shape: [0, 4], data: new Float32Array() } }, 'ERR_QUANTLANE_SHAPE'],
    ['data of another length', { weight: { ...WEIGHT, shape: [6, 17] } }, 'ERR_QUANTLANE_SHAPE'],
    ['too many inputs', { weight: { ...WEIGHT, shape: [1, 65_537] } }, 'ERR_QUANTLANE_SHAPE'],
    ['a bias of another length', { bias: [1, 2, 3] }, 'ERR_QUANTLANE_SHAPE'],
    ['a bias that is none', { bias: 7 as never }, 'ERR_QUANTLANE_SHAPE'],
    ['an unknown kind', { weights: 'int5' as never }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a kind that every object has', { weights: 'toString' as never }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a group of 12', { weights: 'int4', groupSize: 12 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a group of 0', { weights: 'int8-groups', groupSize: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['groups of int8', { groupSize: 32 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['activations of 4 bits', { weights: 'int4', activations: 'torchao-int8' }, 'ERR_QUANTLANE_ARGUMENT'],
    ['no activations of int8', { activations: 'none' }, 'ERR_QUANTLANE_PRESET'],
    ['unknown activations', { activations: 'nonsense' }, 'ERR_QUANTLANE_PRESET'],
    ['float16 of float32', { weights: 'float16' }, 'ERR_QUANTLANE_DTYPE'],
    ['NaN', { weight: { ...WEIGHT, data: WEIGHT.data.map(() => Number.NaN) } }, 'ERR_QUANTLANE_NON_FINITE'],
    ['no tensor', { weight: { dtype: 'float32', shape: [2, 2], data: [1, 2, 3, 4] as never } }, 'ERR_QUANTLANE_DTYPE'],
  ];
  test.each(bad)('%s', async (_, options, code) => {
    await withRuntime({}, async (runtime) => {
      expect(await rejection(createLinear(runtime, { weight: WEIGHT, ...options }))).toBe(code);
    });
  });

  test('of codes that are no weights', async () => {
    await withRuntime({}, async (runtime) => {
      for (const scheme of ['torchao-int8-affine', 'onnx-dynamic', 'torch-int8-symmetric', 'bnb-int8']) {
        using weight = await runtime.quantize(WEIGHT, scheme);
        expect(await rejection(createLinear(runtime, { weight })), scheme).toBe('ERR_QUANTLANE_ARGUMENT');
      }
      using weight = await runtime.quantize(WEIGHT, weightScheme('int8'));
      expect(await rejection(createLinear(runtime, { weight, weights: 'int4' }))).toBe('ERR_QUANTLANE_ARGUMENT');
      expect(await rejection(createLinear(runtime, { weight, weights: 'float32' }))).toBe('ERR_QUANTLANE_DTYPE');
      expect(weight.released).toBe(false);
    });
  });

  test('of weights that do not fit', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      const weight = weightOf('float32', 256, 1024);
      // They fill the arena while they wait for room for their codes.
      expect(await rejection(createLinear(runtime, { weight }))).toBe('ERR_QUANTLANE_ARENA_STUCK');
    });
  });
});

test.each(PRESETS.map(({ name }) => [name] as const))('activations by %s work or are refused', async (name) => {
  await withRuntime({}, async (runtime) => {
    const { dtype, layout, granularity, outliers, zeroPointDtype, symmetric } = preset(name);
    const isByte = (dtype === 'int8' || dtype === 'uint8') && layout === 'planar' && outliers === null;
    const isRow = granularity.kind === 'perTensor' || granularity.kind === 'perToken';
    const isFactor = isByte && isRow && (symmetric || zeroPointDtype === 'codes');
    const made = createLinear(runtime, { weight: WEIGHT, activations: name });
    if (isFactor) (await made).release();
    else expect(await rejection(made)).toBe('ERR_QUANTLANE_ARGUMENT');
  });
});

describe.each(LAYERS.filter(({ weights }) => weights !== 'float16'))('$weights, $activations', (layer) => {
  const options = { ...layer, weight: weightOf(layer.weights, 6, 64) };

  test('rows of another length', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, options);
      for (const shape of [[3, 63], [64, 3], [0, 64], []]) {
        expect(await rejection(linear.forward(rowsOf(shape))), `[${shape}]`).toBe('ERR_QUANTLANE_SHAPE');
        expect(codeOf(() => linear.forwardSync(rowsOf(shape)))).toBe('ERR_QUANTLANE_SHAPE');
      }
      const lease = leaseOf(runtime, [3, 63], valuesOf(189));
      expect(await rejection(linear.forward(lease, { keep: true }))).toBe('ERR_QUANTLANE_SHAPE');
      expect(lease.released).toBe(false);
      expect(await rejection(linear.forward(lease))).toBe('ERR_QUANTLANE_SHAPE');
      expect(lease.released).toBe(true);
      expectLeases(runtime, 1);
    });
  });

  test('after the release', async () => {
    await withRuntime({}, async (runtime) => {
      const linear = await createLinear(runtime, options);
      linear.release();
      expect(linear.released).toBe(true);
      expect(await rejection(linear.forward(rowsOf([1, 64])))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      expect(codeOf(() => linear.forwardSync(rowsOf([1, 64])))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      expect(codeOf(() => linear.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
      linear[Symbol.dispose]();
    });
  });

  test('a release waits for what runs', async () => {
    await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
      const linear = await createLinear(runtime, options);
      const x = rowsOf([7, 64]);
      const expected = valuesIn(linear.forwardSync(x));
      const calls = [linear.forward(x), linear.forward(x)];
      linear.release();
      for (const call of calls) expect(valuesIn(await call)).toEqual(expected);
      expectLeases(runtime, 0);
    });
  });

  test('an abort', async () => {
    await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
      using linear = await createLinear(runtime, options);
      const reason = new Error('enough');
      await expect(linear.forward(rowsOf([2, 64]), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      for (const turns of [0, 1, 3]) {
        const controller = new AbortController();
        const call = linear.forward(rowsOf([40, 64]), { signal: controller.signal }).catch((error) => error);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        controller.abort(reason);
        const outcome = await call;
        if (outcome !== reason) outcome.release();
      }
      await runtime.drain();
      expectLeases(runtime, 1);
    });
  });

  test('a runtime that is closed', async () => {
    const runtime = await createRuntime({ lanes: 0, memory: '8MiB' });
    const linear = await createLinear(runtime, options);
    await runtime.close();
    expect(await rejection(linear.forward(rowsOf([1, 64])))).toBe('ERR_QUANTLANE_CLOSED');
    expect(await rejection(createLinear(runtime, options))).toBe('ERR_QUANTLANE_CLOSED');
    linear.release();
    expectLeases(runtime, 0);
  });

  test('an arena with no room for the result', async () => {
    await withRuntime({ memory: '256KiB' }, async (runtime) => {
      using linear = await createLinear(runtime, { ...options, weight: weightOf(layer.weights, 64, 8) });
      const x = rowsOf([1100, 8]);
      expect(await rejection(linear.forward(x))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expect(codeOf(() => linear.forwardSync(x))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expectLeases(runtime, 1);
    });
  });
});

describe('what is quantized', () => {
  async function codesFor(runtime: Runtime, scheme: string): Promise<QuantizedTensor> {
    return runtime.quantize(rowsOf([2, 16]), scheme);
  }

  test('for float products', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, { weight: WEIGHT, weights: 'float32' });
      using q = await codesFor(runtime, 'torchao-int8');
      expect(await rejection(linear.forward(q))).toBe('ERR_QUANTLANE_ARGUMENT');
      const half = { ...weightOf('bfloat16', 1, 16) };
      expect(await rejection(linear.forward(half))).toBe('ERR_QUANTLANE_DTYPE');
    });
  });

  test('to codes that are no factors', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, { weight: WEIGHT });
      for (const scheme of ['vllm-int8-azp', 'bnb-int8', 'quarot-int4', 'st-binary']) {
        using q = await codesFor(runtime, scheme);
        expect(await rejection(linear.forward(q)), scheme).toBe('ERR_QUANTLANE_ARGUMENT');
        expect(codeOf(() => linear.forwardSync(q))).toBe('ERR_QUANTLANE_ARGUMENT');
      }
    });
  });

  test('and released, or of another runtime', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, { weight: WEIGHT });
      const q = await codesFor(runtime, 'torchao-int8');
      q.release();
      expect(await rejection(linear.forward(q))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      await withRuntime({}, async (other) => {
        using foreign = await codesFor(other, 'torchao-int8');
        expect(await rejection(linear.forward(foreign))).toBe('ERR_QUANTLANE_ARGUMENT');
      });
    });
  });

  test('rows with NaN', async () => {
    await withRuntime({}, async (runtime) => {
      using linear = await createLinear(runtime, { weight: WEIGHT });
      const data = valuesOf(32).fill(Number.NaN, 20, 21);
      expect(await rejection(linear.forward({ dtype: 'float32', shape: [2, 16], data }))).toBe(
        'ERR_QUANTLANE_NON_FINITE',
      );
    });
  });
});
