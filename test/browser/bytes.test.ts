/** A real Chromium gives the bytes that the reference systems, and the runtime of Node.js, give. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QuantizedTensor, RuntimeOptions } from '#src/index.js';
import { copied, FORCED, valuesOf } from '../runtime/helpers.js';
import { chromiumPath } from '../support/chromium.js';
import { withRuntime } from '../support/runtime.js';
import { TORCH_COUNT, torchVectors } from '../support/torch-vectors.js';
import { callOf, schemeOf, VARIANTS } from '../support/variants.js';
import { allVectors, difference, VECTOR_COUNTS } from '../support/vectors.js';
import { type Call, carryOut, type Parts, TestBrowser } from './browser.js';

/** A page's runtime that takes memory which is not shared, as where a browser has no other. */
const WITHOUT_SHARING = `
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = function (limits) {
    if (limits.shared) throw new TypeError('no shared memory');
    return new Memory(limits);
  };
  globalThis.isUnshared = true;
`;

/** The places of a browser. */
const PLACES: readonly {
  readonly name: string;
  readonly isIsolated: boolean;
  readonly before?: string;
  readonly options: RuntimeOptions;
}[] = [
  { name: 'two lanes', isIsolated: true, options: { lanes: 2, ...FORCED } },
  { name: 'two lanes, scalar kernels', isIsolated: true, options: { lanes: 2, kernels: 'scalar', ...FORCED } },
  { name: 'one thread, in a page that is not isolated', isIsolated: false, options: { lanes: 2 } },
  {
    name: 'one thread without shared memory, in slices',
    isIsolated: false,
    before: WITHOUT_SHARING,
    options: { lanes: 2, ...FORCED },
  },
];

/** A call, and what each part of its result must be; undefined where the reference says nothing. */
interface Vector {
  readonly name: string;
  readonly call: Call;
  readonly expected: readonly (ArrayBufferView | undefined)[];
}

const NOTHING = new Uint8Array();

function vectors(): Vector[] {
  const listed = allVectors().map(({ name, dtype, shape, data, preset, options, parameters, expected }) => ({
    name,
    call: { tensor: { dtype, shape, data }, preset, options, call: parameters === undefined ? {} : { parameters } },
    expected: partsOf(expected.codes, expected.scale ?? NOTHING, expected.zeroPoint ?? NOTHING, expected.dequantized),
  }));
  const torch = torchVectors().map(({ name, dtype, shape, data, preset, options, observer, expected }) => ({
    name,
    call: { tensor: { dtype, shape, data }, preset, options, call: observer ? { range: observer.range() } : {} },
    expected: partsOf(expected.codes, expected.scale, expected.zeroPoint, expected.dequantized),
  }));
  return [...listed, ...torch];
}

function partsOf(
  codes: ArrayBufferView,
  scale: ArrayBufferView,
  zeroPoint: ArrayBufferView | undefined,
  values: ArrayBufferView | undefined,
): Vector['expected'] {
  return [codes, scale, zeroPoint, NOTHING, NOTHING, values];
}

/** Every preset with everything that may be chosen in it, on random values, and what Node.js makes of them. */
async function randomVectors(): Promise<Vector[]> {
  const shape = [7, 768];
  const tensor = { dtype: 'float32', shape, data: valuesOf(7 * 768, 11) } as const;
  return withRuntime({ lanes: 0, memory: '64MiB' }, async (runtime) => {
    const made: Vector[] = [];
    for (const { title: name, name: preset, options } of VARIANTS) {
      const scheme = schemeOf({ title: name, name: preset, options });
      const call = callOf(scheme);
      const q = await runtime.quantize(tensor, scheme, call);
      const values = await runtime.dequantize(q);
      made.push({ name, call: { tensor, preset, options, call }, expected: [...viewsOf(q), copied(values.data)] });
      values.release();
      q.release();
    }
    return made;
  });
}

function viewsOf({ data, scale, zeroPoint, outliers, outlierValues }: QuantizedTensor): Uint8Array[] {
  return [data, scale, zeroPoint, outliers, outlierValues].map(copied);
}

/** The vectors whose parts differ, and where. */
function wrongOf(all: readonly Vector[], results: readonly Parts[]): Record<string, string[]> {
  const wrong: Record<string, string[]> = {};
  for (const [index, { name, expected }] of all.entries()) {
    const found = expected.map((part, at) => (part === undefined ? '' : difference(results[index]![at]!, part)));
    if (found.some((text) => text !== '')) wrong[name] = found;
  }
  return wrong;
}

describe.skipIf(chromiumPath() === undefined)('in Chromium (skipped where none is installed)', () => {
  const all = [...vectors()];
  let browser: TestBrowser;

  beforeAll(async () => {
    browser = await TestBrowser.open();
    expect(all).toHaveLength(VECTOR_COUNTS.all + TORCH_COUNT);
    all.push(...(await randomVectors()));
    expect(all).toHaveLength(VECTOR_COUNTS.all + TORCH_COUNT + VARIANTS.length);
  });
  afterAll(() => browser.close());

  describe.each(PLACES)('$name', ({ isIsolated, before, options }) => {
    let page: Page;
    beforeAll(async () => {
      page = await browser.page(isIsolated, before);
    });

    test('gives the bytes of the reference systems and of Node.js', async () => {
      const calls = all.map(({ call }) => call);
      const { results, jobs, lanes, fallback } = await carryOut(page, options, calls);
      expect(wrongOf(all, results)).toEqual({});
      expect(results).toHaveLength(all.length);
      if (isIsolated) {
        expect({ fallback, lanes }).toMatchObject({ fallback: null, lanes: { configured: 2, restarts: 0, gone: 0 } });
        expect(jobs.lanes).toBeGreaterThanOrEqual(all.length);
      } else {
        expect(fallback).toContain('cross-origin isolated');
        expect({ jobs, lanes }).toMatchObject({ jobs: { lanes: 0 }, lanes: { configured: 0 } });
      }
    });
  });

  test('nothing was complained of', () => {
    expect(browser.complaints).toEqual([]);
  });
});
