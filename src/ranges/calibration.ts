/**
 * A calibration: the ranges of tensors, how they were found and for which preset, as a value and as a JSON file.
 * @module
 */
import { fail, got } from '../errors.js';
import { CODE_DTYPES, type PresetName, type PresetOptions, preset, SCALE_RULES } from '../scheme/index.js';
import { MAX_PARAMETERS } from './channels.js';
import { made } from './create.js';
import { Fields } from './fields.js';
import { MAX_GRID_BINS } from './grid.js';
import { type Bins, RANGE_METHODS, type Range, type RangeMethod, type RangeObserver } from './observer.js';
import { CALIBRATION_FORMAT, CALIBRATION_VERSION, MAX_CALIBRATION_TENSORS, MAX_NAME } from './schema.js';

/** The range of one tensor. */
export interface CalibratedTensor extends Range {
  /** Batches with at least one finite value. */
  readonly batches: number;
  /** Finite values. */
  readonly elements: number;
  /** Values that were left out because they are not finite. */
  readonly skipped: number;
  /** What was counted, where the method counts. */
  readonly histogram: Bins | null;
}

/** The preset that the ranges are meant for. */
export interface CalibratedPreset {
  readonly name: PresetName | (string & {});
  readonly options: PresetOptions;
}

/** The ranges of tensors by name. */
export interface Calibration {
  readonly method: RangeMethod;
  /** Options of the method with every default filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly preset: CalibratedPreset | null;
  readonly tensors: ReadonlyMap<string, CalibratedTensor>;
}

/**
 * The calibration that observers give, one a tensor.
 * @param observers - observers of one method with the same options, each with at least one batch
 * @param target - the preset that the ranges are meant for
 * @throws `ERR_QUANTLANE_ARGUMENT` for no observers, observers that differ, a name twice or too long, or no batch;
 *   what `preset` throws for `target`
 */
export function calibrationOf(
  observers: Iterable<readonly [string, RangeObserver]>,
  target: CalibratedPreset | null = null,
): Calibration {
  const tensors = new Map<string, CalibratedTensor>();
  let first: RangeObserver | undefined;
  for (const [name, observer] of observers) {
    first ??= observer;
    const [mine, others] = [summaryOf(observer), summaryOf(first)];
    if (mine !== others) throw wrong(`observers of one method and options: ${others}`, mine);
    if (!isName(name) || tensors.has(name)) throw wrong(`names of 1 to ${MAX_NAME} characters, each once`, got(name));
    const { batches, elements, skipped } = observer;
    tensors.set(name, { ...observer.range(), batches, elements, skipped, histogram: observer.histogram() });
  }
  if (first === undefined) throw wrong('at least one observer', 'none');
  if (target !== null) preset(target.name, target.options);
  return { method: first.method, options: first.options, preset: target, tensors };
}

/** The text of a calibration file; its numbers are the float32 exactly. */
export function writeCalibration({ method, options, preset: target, tensors }: Calibration): string {
  const entries = Array.from(tensors, ([name, tensor]) => [name, entryOf(tensor)] as const);
  return `${JSON.stringify({
    format: CALIBRATION_FORMAT,
    version: CALIBRATION_VERSION,
    method,
    options,
    preset: target,
    tensors: Object.fromEntries(entries),
  })}\n`;
}

/**
 * The calibration of a file. Every field is checked; of a file that is wrong anywhere nothing is used.
 * @throws `ERR_QUANTLANE_FORMAT` that says where
 */
export function readCalibration(text: string): Calibration {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('ERR_QUANTLANE_FORMAT', 'Expected JSON as calibration, got other text', { cause });
  }
  const fields = new Fields('ERR_QUANTLANE_FORMAT', 'calibration', json);
  fields.choice('format', [CALIBRATION_FORMAT]);
  const version = fields.integer('version');
  if (version !== CALIBRATION_VERSION) throw fields.wrong(`${CALIBRATION_VERSION}`, `${version}`, 'version');
  fields.only('format', 'version', 'method', 'options', 'preset', 'tensors');
  const method = fields.choice<RangeMethod>('method', RANGE_METHODS);
  const { options } = made(method, fields.object('options'));
  return { method, options, preset: presetIn(fields), tensors: tensorsIn(fields.object('tensors'), method) };
}

function presetIn(fields: Fields): CalibratedPreset | null {
  if (fields.isNull('preset')) return null;
  const target = fields.object('preset').only('name', 'options');
  const name = target.text('name', MAX_NAME);
  const chosen = target.object('options').only('dtype', 'axis', 'blockSize', 'scaleRule', 'reduceRange', 'nonFinite');
  const options: PresetOptions = {
    ...(chosen.has('dtype') && { dtype: chosen.choice('dtype', CODE_DTYPES) }),
    ...(chosen.has('axis') && { axis: chosen.integer('axis', { least: -8, most: 7 }) }),
    ...(chosen.has('blockSize') && { blockSize: chosen.integer('blockSize', { least: 1, most: 2 ** 31 - 1 }) }),
    ...(chosen.has('scaleRule') && { scaleRule: chosen.choice('scaleRule', SCALE_RULES) }),
    ...(chosen.has('reduceRange') && { reduceRange: chosen.flag('reduceRange') }),
    ...(chosen.has('nonFinite') && { nonFinite: chosen.choice('nonFinite', ['error', 'saturate', 'propagate']) }),
  };
  try {
    preset(name, options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail('ERR_QUANTLANE_FORMAT', `Expected a known preset as calibration.preset: ${reason}`, { cause });
  }
  return { name, options };
}

function tensorsIn(fields: Fields, method: RangeMethod): ReadonlyMap<string, CalibratedTensor> {
  const names = fields.keys();
  if (names.length === 0 || names.length > MAX_CALIBRATION_TENSORS) {
    throw fields.wrong(`1 to ${MAX_CALIBRATION_TENSORS} tensors`, `${names.length}`);
  }
  const tensors = new Map<string, CalibratedTensor>();
  for (const name of names) {
    if (!isName(name)) throw fields.wrong(`names of 1 to ${MAX_NAME} characters`, got(name));
    tensors.set(name, tensorIn(fields.object(name), method));
  }
  return tensors;
}

function tensorIn(fields: Fields, method: RangeMethod): CalibratedTensor {
  fields.only('min', 'max', 'batches', 'elements', 'skipped', 'histogram');
  const min = fields.floats('min', 1, MAX_PARAMETERS);
  const max = fields.floats('max', min.length, min.length);
  const at = min.findIndex((value, index) => value > max[index]!);
  if (at >= 0) throw fields.wrong('min not above max', `${min[at]} above ${max[at]} at ${at}`);
  const batches = fields.integer('batches', { least: 1 });
  const elements = fields.integer('elements', { least: batches });
  const skipped = fields.integer('skipped');
  const histogram = fields.isNull('histogram') ? null : histogramIn(fields.object('histogram'), method, elements);
  return { min, max, batches, elements, skipped, histogram };
}

function histogramIn(fields: Fields, method: RangeMethod, elements: number): Bins {
  const isSpread = method === 'histogram';
  const counts = fields.only('edges', 'counts').counts('counts', 1, MAX_GRID_BINS, isSpread);
  const edges = fields.floats('edges', counts.length + 1, counts.length + 1);
  for (let edge = 1; edge < edges.length; edge++) {
    if (!(edges[edge]! > edges[edge - 1]!))
      throw fields.wrong('edges that increase', `${edges[edge]} at ${edge}`, 'edges');
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!isSpread && total !== elements) throw fields.wrong(`${elements} values in all`, `${total}`, 'counts');
  return { edges, counts };
}

function entryOf({ min, max, batches, elements, skipped, histogram }: CalibratedTensor): object {
  return {
    min: Array.from(min),
    max: Array.from(max),
    batches,
    elements,
    skipped,
    histogram: histogram && { edges: Array.from(histogram.edges), counts: Array.from(histogram.counts) },
  };
}

/** Whether a string can name a tensor: `__proto__` would be lost in the hands of a careless reader. */
function isName(name: unknown): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME && name !== '__proto__';
}

function summaryOf({ method, options }: RangeObserver): string {
  return JSON.stringify({ method, options });
}

function wrong(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${actual}`);
}
