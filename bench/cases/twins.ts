/**
 * Question: what do the vector kernels give over their scalar twins, for every preset, both ways?
 * @module
 */
import { createRuntime, PRESETS, preset, type QuantizeOptions, type Scheme } from '../../src/index.js';
import { type Bar, digits, faster, table } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, later, measure } from '../rounds.js';
import { assertSame, atOnce, filled } from '../work.js';

/** 64 KiB of values: little enough for the scalar kernels to be asked often, and in the second cache of a core. */
const SHAPE = [16, 1_024];
const LEAST = 6;
const KINDS = ['simd', 'scalar'] as const;

/** Finds the answer. */
export async function twins({ effort, report }: Context): Promise<Answer> {
  const both: Bar[] = [];
  const back: Bar[] = [];
  for (const { name } of PRESETS) {
    report(name);
    const scheme = preset(name);
    // Memory of their own for each: neither finds the other's values in cache.
    const runtimes = await Promise.all(KINDS.map((kernels) => createRuntime({ kernels, lanes: 0, memory: '2MiB' })));
    const options = callOf(scheme);
    const quantizing: Contender[] = [];
    const dequantizing: Contender[] = [];
    const found: { codes: ArrayBufferView; values: ArrayBufferView }[] = [];
    for (const [index, runtime] of runtimes.entries()) {
      const batch = filled(runtime, SHAPE);
      const codes = runtime.quantizeSync(batch, scheme, { ...options, keep: true });
      using values = await runtime.dequantize(codes);
      found.push({ codes: codes.data.slice(), values: values.data.slice() });
      quantizing.push(atOnce(KINDS[index]!, runtime, batch, scheme, options));
      dequantizing.push(later(KINDS[index]!, async () => (await runtime.dequantize(codes)).release()));
    }
    assertSame(`${name}, codes`, found[0]!.codes, found[1]!.codes);
    assertSame(`${name}, values`, found[0]!.values, found[1]!.values);
    const work = `${name}, ${SHAPE.join(' x ')}`;
    both.push(faster(await measure(quantizing, effort), `quantize ${work}`, 'simd', 'scalar', LEAST));
    back.push(faster(await measure(dequantizing, effort), `dequantize ${work}`, 'simd', 'scalar', LEAST));
    for (const runtime of runtimes) await runtime.close();
  }
  const rows = PRESETS.map(({ name }, index) => [name, `${told(both[index]!)}`, `${told(back[index]!)}`]);
  const text = table(['Preset', 'quantize', 'dequantize'], rows, [false, true, true]);
  return { bars: [slowest(both), slowest(back)], text, data: { quantize: both, dequantize: back } };
}

/** The bar that decides for all of them. */
function slowest(bars: readonly Bar[]): Bar {
  const least = bars.reduce((a, b) => (b.measured.value < a.measured.value ? b : a));
  return { ...least, rival: 'scalar twin', work: `slowest of ${bars.length} presets: ${least.work}` };
}

function told({ measured }: Bar): string {
  return `${digits(measured.value)} ×${measured.value < LEAST ? ' (below)' : ''}`;
}

/** A call of a scheme on such values: parameters or a range where it wants them given. */
function callOf({ parameters, symmetric }: Scheme): QuantizeOptions {
  if (parameters === 'given') return { parameters: { scale: 0.04, ...(!symmetric && { zeroPoint: 0 }) } };
  return parameters === 'dynamic' ? {} : { range: { min: -5, max: 5 } };
}
