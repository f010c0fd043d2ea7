/** The golden rows of every system, in every place. */
import { describe, expect, test } from 'vitest';
import {
  defineScheme,
  type NonFinitePolicy,
  PRESETS,
  type PresetOptions,
  preset,
  type Runtime,
  type Scheme,
} from '#src/index.js';
import { codeOf } from '../memory/helpers.js';
import { GOLDEN } from '../support/golden/index.js';
import type { GoldenRow } from '../support/golden/row.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { copied, FORCED, leaseOf } from './helpers.js';

const POLICIES: readonly NonFinitePolicy[] = ['error', 'saturate', 'propagate'];

/** Rows that the library must give: those of its presets with types of codes that they have. */
function isExpected({ preset: name, options }: GoldenRow): boolean {
  const row = PRESETS.find((each) => each.name === name);
  const dtype = options?.['dtype'];
  return row !== undefined && (dtype === undefined || (row.dtypes as readonly unknown[]).includes(dtype));
}

const ALL = Object.entries(GOLDEN).flatMap(([table, rows]) => rows.map((row) => ({ table, row })));
const EXPECTED = ALL.filter(({ row }) => isExpected(row));
const WAITING = ALL.filter(({ row }) => !isExpected(row)).map(({ row }) => row);

function titleOf({ preset: name, options, system }: GoldenRow): string {
  const text = options === undefined ? name : `${name} ${JSON.stringify(options)}`;
  return system === undefined ? text : `${text} as ${system}`;
}

function schemeOf({ preset: name, options, changes }: GoldenRow, nonFinite: NonFinitePolicy): Scheme {
  const scheme = preset(name, { ...(options as PresetOptions), nonFinite });
  return changes === undefined ? scheme : defineScheme({ ...scheme, ...changes });
}

/** What of a row's output is not as it should be; nothing where all is. */
async function problemsOf(runtime: Runtime, row: GoldenRow, nonFinite: NonFinitePolicy): Promise<string[]> {
  const { input, shape = [1, input.length], codes, scale, zeroPoint, call = {} } = row;
  const lease = leaseOf(runtime, shape, Float32Array.from(input));
  const quantized = await runtime.quantize(lease, schemeOf(row, nonFinite), call);
  const found = [
    typeof codes === 'string'
      ? compare('bytes', Buffer.from(copied(quantized.data)).toString('hex'), codes)
      : compare('codes', quantized.data.join(), codes?.join()),
    compare('scale', quantized.scale?.join(), scale && numbersAs(quantized.scale, scale).join()),
    compare('zero point', quantized.zeroPoint?.join(), zeroPoint?.join()),
  ];
  quantized.release();
  return found.filter((text) => text !== undefined);
}

function compare(name: string, actual: string | undefined, expected: string | undefined): string | undefined {
  return expected === undefined || actual === expected ? undefined : `${name} ${actual}, expected ${expected}`;
}

/** The numbers as the type of an array holds them; every NaN is the same. */
function numbersAs(like: ArrayLike<number> | null, numbers: readonly number[]): ArrayLike<number> & { join(): string } {
  return like instanceof Float32Array ? Float32Array.from(numbers) : numbers;
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the golden rows', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const wrong: Record<string, string[]> = {};
      let asserted = 0;
      for (const { table, row } of EXPECTED) {
        asserted++;
        const policies = row.nonFinite === undefined ? POLICIES : [row.nonFinite];
        for (const nonFinite of policies) {
          const found = await problemsOf(runtime, row, nonFinite);
          if (found.length > 0) wrong[`${table}: ${titleOf(row)}, ${nonFinite}`] = found;
        }
      }
      expect(wrong).toEqual({});
      expect(asserted).toBe(ALL.length - WAITING.length);
    });
  });
});

test('every preset has golden rows', () => {
  const known = new Set(ALL.map(({ row }) => row.preset));
  expect(PRESETS.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

test('no row says nothing', () => {
  expect(ALL.filter(({ row }) => row.codes === undefined && row.scale === undefined)).toEqual([]);
});

test('only rows of presets and types of codes that are not there wait', () => {
  const refusals = WAITING.map((row) => codeOf(() => preset(row.preset, row.options as PresetOptions)));
  expect(refusals.filter((code) => code !== 'ERR_QUANTLANE_PRESET' && code !== 'ERR_QUANTLANE_DTYPE')).toEqual([]);
});

if (WAITING.length > 0) test.skip(`no preset for ${[...new Set(WAITING.map(titleOf))].join(', ')}`, () => undefined);
