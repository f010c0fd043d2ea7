/** Every preset with everything that may be chosen in it. */
import { PRESETS, type Preset, type PresetOptions, preset, type QuantizeOptions, type Scheme } from '#src/index.js';

/** A preset and options of it. */
export interface Variant {
  /** `torch-dynamic {"reduceRange":true}`. */
  readonly title: string;
  readonly name: string;
  readonly options: PresetOptions;
}

/** Every preset as it is, with each other type of codes, with a reduced range, and with each rule of scales. */
export const VARIANTS: readonly Variant[] = PRESETS.flatMap((row) => optionsOf(row).map((each) => variant(row, each)));

/** A call of a scheme on values about zero: parameters or a range where it wants them given. */
export function callOf({ parameters, symmetric }: Scheme): QuantizeOptions {
  if (parameters === 'given') return { parameters: { scale: 0.01, ...(!symmetric && { zeroPoint: 0 }) } };
  return parameters === 'dynamic' ? {} : { range: { min: -3, max: 3 } };
}

/** The scheme of a variant, with more options. */
export function schemeOf({ name, options }: Variant, more: PresetOptions = {}): Scheme {
  return preset(name, { ...options, ...more });
}

function variant({ name }: Preset, options: object): Variant {
  const text = Object.keys(options).length === 0 ? '' : ` ${JSON.stringify(options)}`;
  return { title: `${name}${text}`, name, options };
}

/** Rows may have rules of scales that this list of options does not know yet. */
function optionsOf(row: Preset & { readonly scaleRules?: object }): object[] {
  return [
    {},
    ...row.dtypes.slice(1).map((dtype) => ({ dtype })),
    ...(row.reduced === undefined ? [] : [{ reduceRange: true }]),
    ...Object.keys(row.scaleRules ?? {})
      .slice(1)
      .map((scaleRule) => ({ scaleRule })),
  ];
}
