/**
 * Question: does half the input cost less than the whole? int8 codes of rows from float16 and bfloat16, against the same
 * work from float32.
 * @module
 */
import { createRuntime, type InputDtype } from '../../src/index.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { measure } from '../rounds.js';
import { activations, assertSame, atOnce } from '../work.js';

const PRESET = 'vllm-int8-per-token';
/** 256 KiB of float32: in the second cache of a core. */
const SHAPE = [16, 4_096];

/** Times as fast as from float32, at least. */
const BARS: readonly (readonly [InputDtype, number])[] = [
  ['float16', 0.8],
  ['bfloat16', 1],
];

/** Finds the answer. */
export async function halves({ effort, report }: Context): Promise<Answer> {
  report('halves');
  const runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
  // Values that all three types hold, so that their codes must be the same.
  const values = activations(new Float32Array(SHAPE[0]! * SHAPE[1]!)).map((x) => Math.round(x * 16) / 16);
  const bits = { float32: values, float16: Uint16Array.from(values, halfBits), bfloat16: brainBits(values) };
  const contenders = (['float32', 'float16', 'bfloat16'] as const).map((dtype) => {
    const batch = runtime.lease(dtype, SHAPE);
    batch.data.set(bits[dtype]);
    using codes = runtime.quantizeSync(batch, PRESET, { keep: true });
    using expected = runtime.quantizeSync({ dtype: 'float32', shape: SHAPE, data: values }, PRESET);
    assertSame(dtype, codes.data, expected.data);
    return atOnce(dtype, runtime, batch, PRESET);
  });
  const times = await measure(contenders, effort);
  await runtime.close();
  const work = (dtype: string): string => `${PRESET} from ${dtype}, ${SHAPE.join(' x ')}, quantizeSync`;
  return { bars: BARS.map(([dtype, least]) => faster(times, work(dtype), dtype, 'float32', least)) };
}

/** Bits of a float16; for multiples of 1/16 below 2,048 / 16, which are all normal there or 0. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1_024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

/** The upper halves of float32. */
function brainBits(values: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (bits) => bits >>> 16);
}
