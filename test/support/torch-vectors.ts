/**
 * The vectors of PyTorch as calls of the library: which preset with which options gives the codes of a case, and with
 * which range where an observer saw several batches.
 */
import { readFileSync } from 'node:fs';
import { defineScheme, type GivenParameters, type GivenRange, preset, type Scheme } from '#src/index.js';
import { floats, type Integers, integers, readNpy } from './vectors.js';

/** A case of PyTorch. */
export interface TorchVector {
  /** `torch/minmax-int8-affine-normal`. */
  readonly name: string;
  readonly scheme: Scheme;
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The range that a moving average of several batches ends with. */
  readonly range?: GivenRange;
  /** Scale and zero point of a histogram, which is not a rule of a scheme. */
  readonly parameters?: GivenParameters;
  readonly expected: {
    readonly codes: Integers;
    readonly scale: Float32Array | Float64Array;
    /** Absent for a symmetric scheme, where PyTorch stores 0. */
    readonly zeroPoint?: Integers;
    readonly dequantized: Float32Array;
  };
}

/** How many cases there are. */
export const TORCH_COUNT = 78;

interface Entry {
  readonly name: string;
  readonly input: string;
  readonly operator: string;
  readonly dtype?: string;
  readonly reduce_range?: boolean;
  readonly scale: readonly number[];
  readonly zero_point: readonly number[];
}

const { fround } = Math;

/** Every case, in the order of its list. */
export function torchVectors(): TorchVector[] {
  const list = new URL('../vectors/torch/quantized.json', import.meta.url);
  return (JSON.parse(readFileSync(list, 'utf8')) as { cases: Entry[] }).cases.map(vectorOf);
}

function vectorOf(entry: Entry): TorchVector {
  const { name, input } = entry;
  const values = readNpy('torch', `observed-${input}.x`);
  const data = floats(values);
  const codes = integers(readNpy('torch', `${name}.y`));
  const dequantized = floats(readNpy('torch', `${name}.dequantized`));
  const scheme = schemeOf(entry);
  const Zeros = codes.constructor as Int8ArrayConstructor;
  if (scheme.symmetric && entry.zero_point.some((zero) => zero !== 0))
    throw new Error(`${name}: expected zero points 0`);
  return {
    name: `torch/${name}`,
    scheme,
    shape: values.shape,
    data,
    ...(entry.operator === 'MovingAverageMinMaxObserver' ? { range: averageOf(data) } : {}),
    ...(entry.operator === 'HistogramObserver'
      ? { parameters: { scale: entry.scale, zeroPoint: entry.zero_point } }
      : {}),
    expected: {
      codes,
      scale: scheme.scaleDtype === 'float64' ? Float64Array.from(entry.scale) : Float32Array.from(entry.scale),
      ...(scheme.symmetric ? {} : { zeroPoint: Zeros.from(entry.zero_point) }),
      dequantized,
    },
  };
}

function schemeOf({ name, operator, reduce_range: reduceRange = false }: Entry): Scheme {
  if (operator === 'quantize_per_tensor_dynamic') return preset('torch-dynamic', { reduceRange });
  if (operator === 'PerChannelMinMaxObserver') return preset('torch-int8-per-channel');
  const kind = ['int8-symmetric', 'int8-affine', 'uint8-affine'].find((part) => name.includes(`-${part}-`));
  const scheme = preset(`torch-${kind}`);
  return operator === 'HistogramObserver' ? defineScheme({ ...scheme, parameters: 'given' }) : scheme;
}

/** The range after the batches x, x · 0.5 + 0.125 and x · 1.5, averaged with the constant 0.01; all in float32. */
function averageOf(x: Float32Array): GivenRange {
  const batches = [x, x.map((value) => fround(value * 0.5) + 0.125), x.map((value) => value * 1.5)];
  let [min, max] = [0, 0];
  for (const [index, batch] of batches.entries()) {
    const [low, high] = [Math.min(...batch), Math.max(...batch)];
    min = index === 0 ? low : fround(min + fround(fround(0.01) * fround(low - min)));
    max = index === 0 ? high : fround(max + fround(fround(0.01) * fround(high - max)));
  }
  return { min, max };
}
