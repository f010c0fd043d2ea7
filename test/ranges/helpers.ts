/**
 * Inputs of the tests of ranges: the observer vectors of PyTorch, and batches that any language makes to the same bits.
 */
import { readFileSync } from 'node:fs';
import { QuantlaneError } from '#src/errors.js';
import { HistogramObserver, MinMax, MovingAverage, type Range, type RangeObserver } from '#src/ranges/index.js';
import { perChannel } from '#src/scheme/index.js';

const { fround } = Math;

/** What an observer of PyTorch gave. */
export interface TorchCase {
  readonly name: string;
  readonly operator:
    | 'MinMaxObserver'
    | 'MovingAverageMinMaxObserver'
    | 'HistogramObserver'
    | 'PerChannelMinMaxObserver';
  readonly input: string;
  readonly dtype?: string;
  readonly qscheme?: string;
  readonly batches?: string;
  readonly axis?: number;
  readonly scale: readonly number[];
  readonly zero_point: readonly number[];
}

const TORCH = new URL('../vectors/torch/', import.meta.url);

/** Every case of PyTorch's observers. */
export function torchCases(): readonly TorchCase[] {
  return (JSON.parse(readFileSync(new URL('observers.json', TORCH), 'utf8')) as { cases: TorchCase[] }).cases;
}

/** An input of the cases, read as NumPy writes it. */
export function torchInput(name: string): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const file = readFileSync(new URL(`observed-${name}.x.npy`, TORCH));
  const start = 10 + file.readUInt16LE(8);
  const header = /'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\)/.exec(
    file.toString('latin1', 10, start),
  );
  if (header === null) throw new Error(`observed-${name}.x.npy: expected float32`);
  const shape = header[1]!.split(',').map(Number);
  return { shape, data: new Float32Array(Uint8Array.from(file.subarray(start)).buffer) };
}

/** The batches of a case: x alone, or x, x·0.5 + 0.125 and x·1.5. */
export function torchBatches({ input, batches }: TorchCase): readonly Float32Array[] {
  const { data } = torchInput(input);
  if (batches === undefined || batches === 'x') return [data];
  return [data, data.map((x) => fround(fround(x * 0.5) + 0.125)), data.map((x) => x * 1.5)];
}

/** The observer of a case, which has seen nothing. */
export function observerOf({ operator, axis }: TorchCase): RangeObserver {
  if (operator === 'MinMaxObserver') return new MinMax();
  if (operator === 'MovingAverageMinMaxObserver') return new MovingAverage();
  if (operator === 'HistogramObserver') return new HistogramObserver({ release: '1.13' });
  const granularity = perChannel(axis!);
  return new MinMax({ granularity: granularity as Extract<typeof granularity, { kind: 'perChannel' }> });
}

/** Scale and zero point that PyTorch forms of a range (`_calculate_qparams`), all in float32. */
export function torchParameters(
  { min, max }: Range,
  { dtype, qscheme }: TorchCase,
): { scale: number[]; zero: number[] } {
  const [low, high] = dtype === 'torch.quint8' ? [0, 255] : [-128, 127];
  const isAffine = qscheme?.endsWith('affine') ?? false;
  const scale: number[] = [];
  const zero: number[] = [];
  min.forEach((value, index) => {
    const [least, most] = [Math.min(value, 0), Math.max(max[index]!, 0)];
    const extent = isAffine ? fround(most - least) : Math.max(-least, most);
    const s = Math.max(fround(extent / (isAffine ? 255 : 127.5)), 2 ** -23);
    scale.push(s);
    if (isAffine) zero.push(Math.max(low, Math.min(low - roundHalfEven(fround(least / s)), high)));
    else zero.push(dtype === 'torch.quint8' ? 128 : 0);
  });
  return { scale, zero };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `count` values u³·a + b for u that runs through −1 … 1 in a fixed disorder; in Python: see golden.test.ts. */
export function batchOf(count: number, a: number, b: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => {
    const u = (((index * 7919) % 2003) - 1001) / 1001;
    return u * u * u * a + b;
  });
}

/** Three batches, the second one with the largest magnitude. */
export function batches(): readonly Float32Array[] {
  return [batchOf(5000, 4.1, 0), batchOf(3001, 6.83, 0.25), batchOf(4000, 2.57, -1.5)];
}

/** The code of the error that a call throws, or undefined. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof QuantlaneError) return error.code;
    throw error;
  }
  return undefined;
}
