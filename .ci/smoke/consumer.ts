/** What a user of the package writes in TypeScript; it is compiled against the packed types and never run. */
import {
  buffer,
  createRuntime,
  defineScheme,
  type PresetName,
  perBlock,
  preset,
  type QuantizedTensor,
  QuantlaneError,
  quantize,
  type RuntimeMetrics,
  type ScaleArray,
  type Scheme,
} from 'quantlane';
import { from } from 'rxjs';

export async function main(rows: number, columns: number): Promise<RuntimeMetrics> {
  await using runtime = await createRuntime({ lanes: 2, memory: '256MiB' });
  const batch = runtime.lease('float32', [rows, columns]);
  const values: Float32Array<SharedArrayBuffer> = batch.data;
  values.fill(1);

  const name: PresetName = 'torchao-int8';
  using q = await runtime.quantize(batch, name, { stats: true, signal: AbortSignal.timeout(1000) });
  const scale: ScaleArray | null = q.scale;
  const noise: number | undefined = q.stats?.sqnr;
  console.log(q.data.length, scale?.length, noise, q.shape.length);

  const half = runtime.lease('float16', [rows, columns]);
  const bits: Uint16Array<SharedArrayBuffer> = half.data;
  bits.fill(0x3c00);
  const mine: Scheme = defineScheme({ ...preset('torchao-int8'), name: 'mine', granularity: perBlock(64) });
  const result: QuantizedTensor = runtime.quantizeSync(half, mine);
  result.release();

  // @ts-expect-error: an option that does not exist
  await createRuntime({ lane: 2 });
  // @ts-expect-error: a type of input that does not exist
  runtime.lease('int4', [1]);

  const stream = runtime.stream(source(), name, { concurrency: 4, overflow: buffer(8) });
  for await (const one of stream) one.release();
  stream.subscribe((one) => one.release());
  const operator = quantize(runtime, 'ggml-q8_0', { overflow: 'drop-oldest' });
  from([{ dtype: 'float32', shape: [1, 32], data: new Float32Array(32) } as const])
    .pipe(operator)
    .subscribe({ next: (one) => one.release(), error: (error: unknown) => console.error(codeOf(error)) });
  return runtime.metrics();
}

async function* source() {
  yield { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) } as const;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof QuantlaneError ? error.code : undefined;
}
