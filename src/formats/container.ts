/**
 * How quantized tensors lie in a safetensors file. For a tensor `x`:
 *
 * ```text
 * x             codes; for blocks of a foreign layout bytes, [rows, bytes per row]
 * x.scale       where the scales are not in the blocks
 * x.zero_point  where the scheme has zero points
 * x.outliers, x.outlier_values  where outliers are kept apart: their columns, and [rows, columns] values
 * metadata      quantlane.version (of the command line), quantlane.preset, quantlane.tensor.x: what is needed to read x back
 * ```
 * @module
 */
import { fail, QuantlaneError } from '../errors.js';
import { elementsOf, type InputDtype, isInputDtype } from '../memory/index.js';
import {
  arrayDtype,
  type CodeDtype,
  layoutOf,
  type NonFinitePolicy,
  type PresetOptions,
  preset,
  type ScaleRule,
  type Scheme,
  zeroPointDtype,
} from '../scheme/index.js';
import { quote } from './refusals.js';
import { isFileDtype, type TensorDeclaration, type TensorEntry, type TensorFile, tensorBytes } from './tensor-file.js';

/** What is needed to read a quantized tensor back. */
export interface Note {
  readonly preset: string;
  readonly dtype: CodeDtype;
  /** Axis of channels or blocks, where one was chosen. */
  readonly axis?: number;
  readonly blockSize?: number;
  /** Magnitude of an outlier, where one was chosen. */
  readonly threshold?: number;
  readonly scaleRule?: ScaleRule;
  /** There where it was chosen. */
  readonly reduceRange?: true;
  readonly nonFinite: NonFinitePolicy;
  /** Shape of the values. */
  readonly shape: readonly number[];
  /** Type of the values that were quantized. */
  readonly inputDtype: InputDtype;
}

/** A quantized tensor of a file. */
export interface Stored {
  readonly name: string;
  readonly note: Note;
  readonly scheme: Scheme;
  readonly codes: TensorEntry;
  readonly scale: TensorEntry | undefined;
  readonly zeroPoint: TensorEntry | undefined;
  readonly outliers: TensorEntry | undefined;
  readonly outlierValues: TensorEntry | undefined;
}

/** The tensors of a file that a quantized tensor is made of. */
export function entriesOf({ codes, scale, zeroPoint, outliers, outlierValues }: Stored): TensorEntry[] {
  return [codes, scale, zeroPoint, outliers, outlierValues].filter((entry) => entry !== undefined);
}

const PREFIX = 'quantlane.tensor.';

/** The note of a tensor that is quantized with a preset. */
export function noteOf(scheme: Scheme, options: PresetOptions, shape: readonly number[], inputDtype: InputDtype): Note {
  const { axis, blockSize, reduceRange, scaleRule, threshold } = options;
  return {
    preset: scheme.name,
    dtype: scheme.dtype,
    ...(axis === undefined ? {} : { axis }),
    ...(blockSize === undefined ? {} : { blockSize }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(scaleRule === undefined ? {} : { scaleRule }),
    ...(reduceRange === true ? { reduceRange } : {}),
    nonFinite: scheme.nonFinite,
    shape,
    inputDtype,
  };
}

/** The tensors that a quantized tensor becomes, where outliers are kept apart with so many columns of them. */
export function declarationsOf(
  name: string,
  scheme: Scheme,
  shape: readonly number[],
  columns = 0,
): TensorDeclaration[] {
  const { codeShape, parameterShape, units } = layoutOf(scheme, shape);
  if (scheme.layout !== 'planar') return [{ name, dtype: 'uint8', shape: codeShape }];
  const declarations: TensorDeclaration[] = [
    { name, dtype: isFileDtype(scheme.dtype) ? scheme.dtype : arrayDtype(scheme.dtype), shape: codeShape },
    { name: `${name}.scale`, dtype: scheme.scaleDtype, shape: parameterShape },
  ];
  if (!scheme.symmetric) {
    declarations.push({ name: `${name}.zero_point`, dtype: zeroPointDtype(scheme), shape: parameterShape });
  }
  if (scheme.outliers !== null) {
    declarations.push(
      { name: `${name}.outliers`, dtype: 'int32', shape: [columns] },
      { name: `${name}.outlier_values`, dtype: 'float32', shape: [units, columns] },
    );
  }
  return declarations;
}

/** Bytes of everything that a quantized tensor becomes. */
export function storedBytes(scheme: Scheme, shape: readonly number[], columns = 0): number {
  return declarationsOf('', scheme, shape, columns).reduce((sum, one) => sum + tensorBytes(one.dtype, one.shape), 0);
}

/**
 * The metadata of a file.
 * @param version of the package, where it is known
 */
export function metadataOf(
  presetName: string,
  notes: ReadonlyMap<string, Note>,
  version?: string,
): Record<string, string> {
  const metadata: Record<string, string> = version === undefined ? {} : { 'quantlane.version': version };
  metadata['quantlane.preset'] = presetName;
  for (const [name, note] of notes) metadata[PREFIX + name] = JSON.stringify(note);
  return metadata;
}

/**
 * The quantized tensors of a file, in the order of its tensors; none where quantlane did not write it.
 * @throws ERR_QUANTLANE_FORMAT where a note is not what was written, or does not fit its tensors
 */
export function storedIn(file: TensorFile, label: string): Stored[] {
  const stored: Stored[] = [];
  const byName = new Map(file.tensors.map((entry) => [entry.name, entry]));
  for (const key of Object.keys(file.metadata)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    try {
      stored.push(storedOf(name, file.metadata[key]!, byName));
    } catch (cause) {
      if (!(cause instanceof QuantlaneError)) throw cause;
      throw fail('ERR_QUANTLANE_FORMAT', `${label}: tensor ${quote(name)}: ${cause.message}`, { cause });
    }
  }
  return stored.sort((a, b) => a.codes.offset - b.codes.offset);
}

function storedOf(name: string, text: string, byName: ReadonlyMap<string, TensorEntry>): Stored {
  const note = parseNote(text);
  const { preset: presetName, shape, inputDtype: _, ...options } = note;
  const scheme = preset(presetName, options);
  elementsOf(shape);
  const columns = byName.get(`${name}.outliers`)?.shape[0];
  const parts = new Map<string, TensorEntry>();
  for (const declared of declarationsOf(name, scheme, shape, columns)) {
    const entry = byName.get(declared.name);
    if (entry?.dtype === declared.dtype && entry.shape.join() === declared.shape.join()) {
      parts.set(declared.name.slice(name.length), entry);
      continue;
    }
    const actual = entry === undefined ? 'none' : `${entry.dtype} [${entry.shape.join(', ')}]`;
    const expected = `${declared.dtype} [${declared.shape.join(', ')}] as ${quote(declared.name)}`;
    throw wrong(`Expected ${expected}, got ${actual}`);
  }
  return {
    name,
    note,
    scheme,
    codes: parts.get('')!,
    scale: parts.get('.scale'),
    zeroPoint: parts.get('.zero_point'),
    outliers: parts.get('.outliers'),
    outlierValues: parts.get('.outlier_values'),
  };
}

function parseNote(text: string): Note {
  let note: Partial<Record<keyof Note, unknown>>;
  try {
    note = JSON.parse(text);
  } catch {
    throw wrong(`Expected a note in JSON, got ${quote(text)}`);
  }
  const isRight =
    typeof note === 'object' &&
    note !== null &&
    typeof note.preset === 'string' &&
    typeof note.dtype === 'string' &&
    typeof note.nonFinite === 'string' &&
    (note.axis === undefined || Number.isSafeInteger(note.axis)) &&
    (note.blockSize === undefined || Number.isSafeInteger(note.blockSize)) &&
    (note.threshold === undefined || typeof note.threshold === 'number') &&
    (note.scaleRule === undefined || typeof note.scaleRule === 'string') &&
    (note.reduceRange === undefined || note.reduceRange === true) &&
    Array.isArray(note.shape) &&
    isInputDtype(note.inputDtype);
  if (!isRight) throw wrong(`Expected a note { preset, dtype, nonFinite, shape, inputDtype }, got ${quote(text)}`);
  return note as unknown as Note;
}

function wrong(text: string): Error {
  return fail('ERR_QUANTLANE_FORMAT', text);
}
