/**
 * Question: what do the vector kernels give over their scalar twins, for every preset, both ways?
 * @module
 */
import { createRuntime, PRESETS, preset, type QuantizeOptions, type Scheme } from '../../src/index.js';
import { type Bar, digits, faster, verdict } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { type Contender, type Effort, measure, now } from '../rounds.js';
import { assertSame, atOnce, filled } from '../work.js';

/** What the bar is about; then a token, of which the calls themselves are a part, is only told. */
const SHAPES = [
  { shape: [128, 512], least: 6 },
  { shape: [1, 4_096], least: undefined },
] as const;
const KINDS = ['simd', 'scalar'] as const;

/** Both ways of one preset on values of one shape. */
interface Both {
  readonly quantize: Bar;
  readonly dequantize: Bar;
}

/** Finds the answer. */
export async function twins({ effort, report }: Context): Promise<Answer> {
  const found = SHAPES.map((): Both[] => []);
  for (const { name } of PRESETS) {
    for (const [index, { shape, least }] of SHAPES.entries()) {
      report(`${name}, ${shape.join(' x ')}`);
      found[index]!.push(await compare(name, shape, least, effort));
    }
  }
  const bars = found.flatMap((each) => [
    slowest(each.map(({ quantize }) => quantize)),
    slowest(each.map(({ dequantize }) => dequantize)),
  ]);
  const rows = PRESETS.map(({ name }, index) => [
    name,
    ...found.flatMap((each) => [told(each[index]!.quantize), told(each[index]!.dequantize)]),
  ]);
  const head = SHAPES.flatMap(({ shape }) => ['quantize', 'dequantize'].map((way) => `${way} ${shape.join(' x ')}`));
  const text = table(['Preset', ...head], rows);
  return { bars, text, data: found };
}

/** The vector kernels against the scalar ones. */
async function compare(
  name: string,
  shape: readonly number[],
  least: number | undefined,
  effort: Effort,
): Promise<Both> {
  const scheme = preset(name);
  // Memory of their own for each: neither finds the other's values in cache.
  const runtimes = await Promise.all(KINDS.map((kernels) => createRuntime({ kernels, lanes: 0, memory: '2MiB' })));
  const options = callOf(scheme);
  const quantizing: Contender[] = [];
  const dequantizing: Contender[] = [];
  const found: { codes: ArrayBufferView; values: ArrayBufferView }[] = [];
  for (const [index, runtime] of runtimes.entries()) {
    const batch = filled(runtime, shape);
    const codes = runtime.quantizeSync(batch, scheme, { ...options, keep: true });
    using values = runtime.dequantizeSync(codes);
    found.push({ codes: codes.data.slice(), values: values.data.slice() });
    quantizing.push(atOnce(KINDS[index]!, runtime, batch, scheme, options));
    dequantizing.push(now(KINDS[index]!, () => runtime.dequantizeSync(codes).release()));
  }
  assertSame(`${name}, codes`, found[0]!.codes, found[1]!.codes);
  assertSame(`${name}, values`, found[0]!.values, found[1]!.values);
  const work = `${name}, ${shape.join(' x ')}`;
  const quantize = faster(await measure(quantizing, effort), `quantize ${work}`, 'simd', 'scalar', least);
  const dequantize = faster(await measure(dequantizing, effort), `dequantize ${work}`, 'simd', 'scalar', least);
  for (const runtime of runtimes) await runtime.close();
  return { quantize, dequantize };
}

/** The bar that decides for all of them. */
function slowest(bars: readonly Bar[]): Bar {
  const least = bars.reduce((a, b) => (b.measured.value < a.measured.value ? b : a));
  return { ...least, rival: 'scalar twin', work: `slowest of ${bars.length} presets: ${least.work}` };
}

function told(bar: Bar): string {
  return `${digits(bar.measured.value)} ×${verdict(bar).startsWith('missed') ? ' (below)' : ''}`;
}

/** A call of a scheme on such values: parameters or a range where it wants them given. */
function callOf({ parameters, symmetric }: Scheme): QuantizeOptions {
  if (parameters === 'given') return { parameters: { scale: 0.04, ...(!symmetric && { zeroPoint: 0 }) } };
  return parameters === 'dynamic' ? {} : { range: { min: -5, max: 5 } };
}
