/**
 * How exact the dynamic presets are on the activations of a language model. Every number is the same on every machine.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { openTensors, type TensorFile } from '../../src/formats/index.js';
import { createRuntime, PRESETS, preset, type Runtime, type Scheme } from '../../src/index.js';
import { type Column, table } from './markdown.js';

/** What a preset makes of all tensors. */
interface Quality {
  readonly name: string;
  /** Bits of codes, scales and zero points for a value. */
  readonly bits: number;
  /** Signal to quantization noise in dB; infinite where every value comes back. */
  readonly sqnr: number;
  /** Largest absolute error. */
  readonly maxError: number;
}

const FILE = fileURLToPath(new URL('../../../examples/activations.safetensors', import.meta.url));

const COLUMNS: readonly Column<Quality>[] = [
  { head: 'Preset', cell: ({ name }) => `\`${name}\`` },
  { head: 'Bits a value', cell: ({ bits }) => bits.toFixed(2), isNumber: true },
  { head: 'SQNR, dB', cell: ({ sqnr }) => (Number.isFinite(sqnr) ? sqnr.toFixed(2) : 'exact'), isNumber: true },
  { head: 'Largest error', cell: ({ maxError }) => String(Number(maxError.toPrecision(3))), isNumber: true },
];

/** The table, the smallest codes first, and what is left out of it. */
export async function qualityTable(): Promise<string> {
  await using file = await openTensors(FILE);
  await using runtime = await createRuntime({ lanes: 0, memory: '64MiB' });
  const measured: Quality[] = [];
  const skipped = new Map<string, string[]>();
  for (const { name } of PRESETS) {
    const scheme = preset(name);
    const reason = misfit(scheme, file) ?? (await lossOf(runtime, scheme));
    if (reason === undefined) measured.push(await qualityOf(runtime, file, scheme));
    else skipped.set(reason, [...(skipped.get(reason) ?? []), `\`${name}\``]);
  }
  measured.sort((a, b) => a.bits - b.bits || b.sqnr - a.sqnr);
  const left = Array.from(skipped, ([reason, names]) => `- Left out, because ${reason}: ${names.join(', ')}`);
  return `${table(COLUMNS, measured)}\n\n${left.join('\n')}`;
}

/** Why a preset is not measured. */
function misfit({ parameters, layout, granularity }: Scheme, file: TensorFile): string | undefined {
  if (parameters !== 'dynamic') return 'parameters are given';
  if (layout === 'planar' || granularity.kind !== 'perBlock') return undefined;
  const { size } = granularity;
  const isWhole = file.tensors.every(({ shape }) => shape.at(-1)! % size === 0);
  return isWhole ? undefined : `not every row is a multiple of ${size}`;
}

/** What a preset does not keep of a row: its length, where twice the values have the same bytes. */
async function lossOf(runtime: Runtime, scheme: Scheme): Promise<string | undefined> {
  const [one, two] = await Promise.all([bytesOf(runtime, scheme, 1), bytesOf(runtime, scheme, 2)]);
  return one.equals(two) ? 'only the direction of a row comes back' : undefined;
}

/** The bytes of codes and parameters of some values times a factor. */
async function bytesOf(runtime: Runtime, scheme: Scheme, factor: number): Promise<Buffer> {
  const shape = [4, 256];
  const data = Float32Array.from({ length: 1024 }, (_, at) => Math.sin(at) * factor);
  using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, scheme);
  const arrays = [quantized.data, quantized.scale ?? new Uint8Array(), quantized.zeroPoint ?? new Uint8Array()];
  return Buffer.concat(arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

/** One preset on every tensor as it was captured. */
async function qualityOf(runtime: Runtime, file: TensorFile, scheme: Scheme): Promise<Quality> {
  let [values, bytes, signal, noise, maxError] = [0, 0, 0, 0, 0];
  for (const entry of file.tensors) {
    using lease = runtime.lease('float32', entry.shape);
    const data = lease.data;
    await file.read(entry, 0, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    using quantized = await runtime.quantize(lease, scheme, { keep: true });
    using back = await runtime.dequantize(quantized);
    for (const [at, value] of data.entries()) {
      const error = Math.abs(value - back.data[at]!);
      signal += value * value;
      noise += error * error;
      maxError = Math.max(maxError, error);
    }
    values += data.length;
    bytes += quantized.byteLength;
  }
  return { name: scheme.name, bits: (bytes * 8) / values, sqnr: 10 * Math.log10(signal / noise), maxError };
}
