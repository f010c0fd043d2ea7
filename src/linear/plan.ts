/**
 * A layer on paper: sizes, where its parts lie in its lease, and the kinds of its jobs.
 * @module
 */
import { fail } from '../errors.js';
import type { InputDtype } from '../memory/index.js';
import { productOf } from '../numbers.js';
import { type JobKind, jobKind, type WorkLayout } from '../runtime/job.js';
import { LinearForm, Mode, Op, type RowForm, Source } from '../scheme/codes.js';
import { Panel, Size, Word } from '../scheme/descriptor.js';
import type { Scheme } from '../scheme/index.js';
import { schemeWords } from '../scheme/index.js';
import { DTYPE_OF, groupSizeOf, kindOf, type WeightKind } from './kinds.js';

/** Inputs that an integer product may have: 128 · 255 · 65,536 is below 2^31. */
const MOST_INPUTS = 65_536;
/** Products that a unit does at most, unless a row has more; and rows, of which the kernels take three or four at a time. */
const UNIT_PRODUCTS = 2 ** 21;
const UNIT_ROWS = 12;

/** A layer on paper. */
export interface LinearPlan {
  readonly kind: WeightKind;
  readonly inputs: number;
  readonly outputs: number;
  /** Inputs that share a scale. */
  readonly group: number;
  /** Groups of an output. */
  readonly groups: number;
  /** Panels of outputs. */
  readonly panels: number;
  /** Where scales, sums and bias lie, in bytes from the start of the panels, and bytes of the whole. */
  readonly scales: number;
  readonly sums: number;
  readonly bias: number;
  readonly bytes: number;
}

/**
 * The plan of a layer with weights of `shape`.
 * @throws ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_ARGUMENT
 */
export function planLinear(kind: WeightKind, shape: readonly number[], chosen?: number): LinearPlan {
  const { bits, isInteger } = kindOf(kind);
  const size = groupSizeOf(kind, chosen);
  const [outputs, inputs] = shape;
  if (shape.length !== 2 || outputs === undefined || inputs === undefined || productOf(shape) === 0) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected weights of shape [outputs, inputs], got [${shape.join(', ')}]`);
  }
  if (isInteger && inputs > MOST_INPUTS) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected at most ${MOST_INPUTS} inputs, whose sums fit int32, got ${inputs}`);
  }
  const group = size === 0 ? inputs : Math.min(size, inputs);
  const groups = Math.ceil(inputs / group);
  const panels = Math.ceil(outputs / Panel.Outputs);
  // Codes come in fours or eights of inputs, as many as 32 bits hold.
  const step = bits < 16 ? 32 / bits : 1;
  const scales = align((panels * Panel.Outputs * Math.ceil(inputs / step) * step * bits) / 8);
  const table = align(panels * groups * Panel.Outputs * 4);
  const sums = scales + (bits < 16 ? table : 0);
  const bias = sums + (isInteger ? table : 0);
  const bytes = bias + align(panels * Panel.Outputs * 4);
  return { kind, inputs, outputs, group, groups, panels, scales, sums, bias, bytes };
}

/** The job that lays weights of a type out. */
export function weightsKind(plan: LinearPlan, dtype: InputDtype): JobKind {
  const { panels, inputs, outputs } = plan;
  const words = wordsOf(plan);
  words[Word.Dtype] = DTYPE_OF[dtype];
  const elements = outputs * inputs;
  return kindFor(plan, words, 4, {
    op: Op.LinearWeights,
    elements,
    units: panels,
    unitElements: inputs * Panel.Outputs,
    count: 0,
  });
}

/** Bytes of a row of codes that is laid out for the product. */
export function rowBytes({ inputs }: LinearPlan): number {
  return Math.ceil(inputs / 4) * 8;
}

/** The job that lays rows of codes of a scheme out; a stride of 0 stands for one scale of all rows. */
export function rowsKind(plan: LinearPlan, scheme: Scheme, rows: number, rowForm: RowForm): JobKind {
  const words = wordsOf(plan);
  const codes = schemeWords(scheme, 'float32');
  for (const word of [Word.Storage, Word.ScaleType, Word.ScaleStride]) words[word] = codes[word - Size.SchemeWords]!;
  if (scheme.granularity.kind === 'perTensor') words[Word.ScaleStride] = 0;
  words[Word.RowForm] = rowForm;
  const { inputs } = plan;
  const layout = { op: Op.LinearRows, elements: rows * inputs, units: rows, unitElements: inputs, count: rows };
  const kind = kindFor(plan, words, 1, layout);
  // The words of a kind begin behind the first one.
  kind.words[Word.Inner - 1] = rowBytes(plan);
  return kind;
}

/** The job that multiplies so many rows. */
export function productKind(plan: LinearPlan, rows: number, rowForm: RowForm): JobKind {
  const { kind, inputs, outputs, panels } = plan;
  const perRow = Panel.Outputs * inputs;
  const unitRows = Math.max(1, Math.floor(UNIT_PRODUCTS / perRow / UNIT_ROWS)) * UNIT_ROWS;
  const words = wordsOf(plan);
  words[Word.UnitRows] = unitRows;
  words[Word.RowForm] = rowForm;
  // What is counted are sixteens of products.
  const elements = Math.ceil((rows * inputs * outputs) / 16);
  const units = panels * Math.ceil(rows / unitRows);
  const unitElements = Math.ceil((Math.min(rows, unitRows) * perRow) / 16);
  const layout = { op: Op.LinearProduct, elements, units, unitElements, count: rows };
  return kindFor(plan, words, kindOf(kind).weight, layout);
}

function wordsOf({ kind }: LinearPlan): Int32Array {
  const words = new Int32Array(Size.DescriptorWords);
  words[Word.Form] = kindOf(kind).form;
  return words;
}

function kindFor(
  { inputs, outputs, group, groups }: LinearPlan,
  words: Int32Array,
  weight: number,
  layout: Pick<WorkLayout, 'op' | 'elements' | 'units' | 'unitElements' | 'count'>,
): JobKind {
  const whole = { ...layout, length: inputs, group, parts: groups, inner: outputs };
  return { ...jobKind(Mode.Quantize, Source.Given, whole, words.subarray(Size.SchemeWords), false), weight };
}

/** Whether weights are codes. */
export function hasCodes({ kind }: LinearPlan): boolean {
  return kindOf(kind).form <= LinearForm.Int4Groups;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
