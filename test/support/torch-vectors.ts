/**
 * The vectors of PyTorch as calls of the library: which preset with which options gives the codes of a case, and from
 * the ranges of which observer where one saw several batches.
 */
import { readFileSync } from 'node:fs';
import { type PresetName, type PresetOptions, preset } from '#src/index.js';
import type { RangeObserver } from '#src/ranges/index.js';
import { observerOf, type TorchCase, torchBatches } from '../ranges/helpers.js';
import { floats, type Integers, integers, readNpy } from './vectors.js';

/** A case of PyTorch. */
export interface TorchVector {
  /** `torch/minmax-int8-affine-normal`. */
  readonly name: string;
  readonly preset: PresetName;
  readonly options: PresetOptions;
  readonly dtype: 'float32';
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** What saw the batches before this one; its range is not that of the values. */
  readonly observer?: RangeObserver;
  readonly expected: {
    readonly codes: Integers;
    readonly codeShape: readonly number[];
    readonly scale: Float32Array | Float64Array;
    /** Absent for a symmetric scheme, where PyTorch stores 0. */
    readonly zeroPoint?: Integers;
    readonly parameterShape: readonly number[];
    readonly dequantized: Float32Array;
  };
}

/** How many cases there are. */
export const TORCH_COUNT = 78;

/** A case of the list: one of an observer, or of the dynamic operator. */
type Entry = Omit<TorchCase, 'operator'> & {
  readonly operator: TorchCase['operator'] | 'quantize_per_tensor_dynamic';
  readonly reduce_range?: boolean;
};

/** Every case, in the order of its list. */
export function torchVectors(): TorchVector[] {
  const list = new URL('../vectors/torch/quantized.json', import.meta.url);
  return (JSON.parse(readFileSync(list, 'utf8')) as { cases: Entry[] }).cases.map(vectorOf);
}

function vectorOf(entry: Entry): TorchVector {
  const { name, input } = entry;
  const values = readNpy('torch', `observed-${input}.x`);
  const codes = integers(readNpy('torch', `${name}.y`));
  const dequantized = floats(readNpy('torch', `${name}.dequantized`));
  const chosen = presetOf(entry);
  const scheme = preset(chosen.preset, chosen.options);
  const observer = observed(entry, values.shape);
  const Zeros = codes.constructor as Int8ArrayConstructor;
  if (scheme.symmetric && entry.zero_point.some((zero) => zero !== 0))
    throw new Error(`${name}: expected zero points 0`);
  return {
    name: `torch/${name}`,
    ...chosen,
    dtype: 'float32',
    shape: values.shape,
    data: floats(values),
    ...(observer !== undefined && { observer }),
    expected: {
      codes,
      codeShape: values.shape,
      scale: scheme.scaleDtype === 'float64' ? Float64Array.from(entry.scale) : Float32Array.from(entry.scale),
      ...(scheme.symmetric ? {} : { zeroPoint: Zeros.from(entry.zero_point) }),
      parameterShape: entry.operator === 'PerChannelMinMaxObserver' ? [entry.scale.length] : [],
      dequantized,
    },
  };
}

function presetOf({
  name,
  operator,
  reduce_range: reduceRange = false,
}: Entry): Pick<TorchVector, 'preset' | 'options'> {
  if (operator === 'quantize_per_tensor_dynamic') return { preset: 'torch-dynamic', options: { reduceRange } };
  if (operator === 'PerChannelMinMaxObserver') return { preset: 'torch-int8-per-channel', options: {} };
  const kinds = ['int8-symmetric', 'int8-affine', 'uint8-affine'] as const;
  return { preset: `torch-${kinds.find((part) => name.includes(`-${part}-`))!}`, options: {} };
}

/** The observer of a case after its batches; undefined where the only batch is that which is quantized. */
function observed(entry: Entry, shape: readonly number[]): RangeObserver | undefined {
  if (entry.operator !== 'MovingAverageMinMaxObserver' && entry.operator !== 'HistogramObserver') return undefined;
  const observer = observerOf(entry as TorchCase);
  for (const batch of torchBatches(entry as TorchCase)) observer.observe(batch, 'float32', shape);
  return observer;
}
