/**
 * Question: how fast do int8 codes become float32 again, against ONNX Runtime's DequantizeLinear on one thread?
 * @module
 */
import { createRuntime } from '../../src/index.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import type { OnnxModel } from '../onnx-model.js';
import { feed, openSession, rival } from '../onnx-session.js';
import { later, measure } from '../rounds.js';
import { assertSame, filled } from '../work.js';

const PRESET = 'torch-int8-symmetric';
const COUNT = 1_048_576;
const RIVAL = 'ONNX Runtime, 1 thread';

/** Finds the answer. */
export async function dequantize({ effort, report }: Context): Promise<Answer> {
  report('dequantize');
  const runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
  const codes = runtime.quantizeSync(filled(runtime, [COUNT]), PRESET);
  const model: OnnxModel = {
    opset: 13,
    nodes: [{ operator: 'DequantizeLinear', inputs: ['x', 'scale'], outputs: ['y'] }],
    inputs: { x: 'int8' },
    outputs: { y: 'float32' },
    constants: { scale: codes.scale![0] as number },
  };
  const session = await openSession(model, 1);
  // Ordinary memory, as such a caller has it; Node 20 gives ONNX Runtime no other.
  const feeds = { x: feed(Int8Array.from(codes.data as Int8Array)) };
  {
    using values = await runtime.dequantize(codes);
    assertSame('values', values.data, (await session.run(feeds))['y']!.data as Float32Array);
  }
  const again = later('quantlane', async () => (await runtime.dequantize(codes)).release());
  const times = await measure([rival(RIVAL, session, feeds), again], effort);
  await session.release();
  await runtime.close();
  const work = `dequantize ${PRESET}, ${COUNT.toLocaleString('en')} values, in place`;
  return { bars: [faster(times, work, 'quantlane', RIVAL, 2)] };
}
