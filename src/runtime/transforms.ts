/**
 * Transforms of values before they are quantized: rotation, SmoothQuant's migration, and transposition. Each gives a
 * tensor of its own, never its input again: a part that a lane did not finish is begun anew by another one.
 * @module
 */
import { fail, got } from '../errors.js';
import { type Arena, bytesOf, type InputDtype, TensorLease } from '../memory/index.js';
import { productOf } from '../numbers.js';
import { Mode, Op, Source } from '../scheme/codes.js';
import { Size, Word } from '../scheme/descriptor.js';
import { partOfRow } from '../scheme/layout.js';
import { DTYPE } from '../scheme/words.js';
import type { Calls } from './calls.js';
import { writePositive } from './given.js';
import { factorOf, largestPower } from './hadamard.js';
import { type JobKind, jobKind, NOWHERE, type WorkLayout } from './job.js';
import { checkDone } from './outcome.js';
import type { TensorInput } from './tensor.js';
import type { Watchable } from './watch.js';

/** How a tensor is transformed. */
export interface TransformOptions extends Watchable {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  /** The input lease stays the caller's. */
  readonly keep?: boolean;
}

/** How a tensor is rotated. */
export interface RotateOptions extends TransformOptions {
  /** Values that are rotated together; it divides the row, and is a size that a matrix can be made of. */
  readonly block?: number;
}

type Values = TensorLease<'float32'>;
type Scales = ArrayLike<number>;

/** A transform of a tensor of one type and shape. */
interface Transform {
  readonly kind: JobKind;
  /** Shape of what it gives. */
  readonly shape: readonly number[];
  /** One for every column. */
  readonly scales?: Scales;
}

/** A tensor by its type and shape. */
interface Operand {
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
}

/** Rows of a group of `Op.Transpose`. */
const GROUP = 1024;

/** The transforms of a runtime; `Runtime` says what each of them does. */
export class Transforms {
  readonly #calls: Calls;
  readonly #arena: Arena;

  constructor(calls: Calls, arena: Arena) {
    this.#calls = calls;
    this.#arena = arena;
  }

  /** See `Runtime.rotate`. */
  rotate(tensor: TensorInput, options: RotateOptions): Promise<Values> {
    return this.#run(tensor, options, (input) => rotation(input, options));
  }

  /** See `Runtime.smooth`, or for `Op.Multiply` `Runtime.fold`. */
  scale(op: Op.Divide | Op.Multiply, tensor: TensorInput, scales: Scales, options: TransformOptions): Promise<Values> {
    return this.#run(tensor, options, (input) => scaling(op, input, scales));
  }

  /** See `Runtime.transpose`. */
  transpose(tensor: TensorInput, options: TransformOptions): Promise<Values> {
    return this.#run(tensor, options, transposition);
  }

  /** The scales of the columns lie behind the result, in its lease. */
  #run(tensor: TensorInput, options: TransformOptions, plan: (operand: Operand) => Transform): Promise<Values> {
    const arena = this.#arena;
    return this.#calls.run(tensor, options, (input) => {
      const { kind, shape, scales } = plan(input);
      const columns = scales === undefined ? 0 : shape.at(-1)!;
      const scalesAt = Math.ceil(bytesOf('float32', shape) / 64) * 64;
      return {
        bytes: scalesAt + columns * 4,
        job: ({ byteOffset: codes }) => {
          const scale = codes + scalesAt;
          if (scales !== undefined) writePositive(new Float32Array(arena.buffer, scale, columns), scales, 'scales');
          return { kind, places: { ...NOWHERE, values: input.byteOffset, codes, scale } };
        },
        result: (outcome, lease) => {
          checkDone(outcome);
          return new TensorLease(lease, arena, 'float32', shape);
        },
      };
    });
  }
}

/** Equations 40 to 43. */
function rotation({ dtype, shape }: Operand, { block }: RotateOptions): Transform {
  const { rows, length } = rowsOf(shape);
  const size = block ?? (factorOf(length) ? length : largestPower(length));
  if (!(Number.isSafeInteger(size) && size > 0) || length % size !== 0) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a block that divides rows of ${length} values, got ${got(block)}`);
  }
  if (size === 1 && length > 1) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected rows that a block of at least 2 values divides, got rows of ${length}`);
  }
  const factor = factorOf(size);
  if (factor === undefined) {
    const text = `Expected a block of 2^k values, or of a known Hadamard matrix times 2^k, got ${size}`;
    throw fail('ERR_QUANTLANE_ARGUMENT', text);
  }
  const { order, prime } = factor;
  const part = partOfRow(length, size);
  const layout = { ...ofRows(Op.Rotate, (rows * length) / part, part), group: size, count: order, parts: prime };
  return { kind: kindOf(layout, dtype, 4 + order / 4), shape };
}

/** Equation 44, or for `Op.Multiply` 45. */
function scaling(op: Op.Divide | Op.Multiply, { dtype, shape }: Operand, scales: Scales): Transform {
  const { rows, length } = rowsOf(shape);
  return { kind: kindOf(ofRows(op, rows, length), dtype, 1), shape, scales };
}

/** The last two axes exchanged. */
function transposition({ dtype, shape }: Operand): Transform {
  if (shape.length < 2) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected at least two axes to exchange, got shape [${shape.join(', ')}]`);
  }
  const { elements } = rowsOf(shape);
  const [length, inner] = shape.slice(-2) as [number, number];
  const group = Math.min(GROUP, length);
  const strips = Math.ceil(inner / Size.StripColumns);
  const units = (elements / (length * inner)) * Math.ceil(length / group) * strips;
  const unitElements = group * Math.min(inner, Size.StripColumns);
  const layout = { op: Op.Transpose, elements, units, unitElements, length, group, count: 0, parts: 0, inner };
  return { kind: kindOf(layout, dtype, 3), shape: [...shape.slice(0, -2), inner, length] };
}

function rowsOf(shape: readonly number[]): { elements: number; rows: number; length: number } {
  const elements = productOf(shape);
  const length = shape.at(-1);
  if (length !== undefined && elements > 0) return { elements, rows: elements / length, length };
  throw fail('ERR_QUANTLANE_SHAPE', `Expected rows of at least one value, got shape [${shape.join(', ')}]`);
}

function ofRows(op: Op, rows: number, length: number): WorkLayout {
  const elements = rows * length;
  return { op, elements, units: rows, unitElements: length, length, group: 0, count: 0, parts: 0, inner: 0 };
}

/** @param weight nanoseconds that a value takes, compared with those of plain quantization */
function kindOf(layout: WorkLayout, dtype: InputDtype, weight: number): JobKind {
  const words = new Int32Array(Size.DescriptorWords);
  words[Word.Dtype] = DTYPE[dtype];
  return { ...jobKind(Mode.Quantize, Source.Given, layout, words.subarray(Size.SchemeWords), false), weight };
}
