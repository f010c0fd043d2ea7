/**
 * A self-test: kernels of one kind against the scalar ones, on memory of their own.
 * @module
 */
import { clearRange } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { Size, Word } from '../scheme/descriptor.js';
import { layoutOf, PRESETS, preset, schemeWords } from '../scheme/index.js';
import { bindKernels, compileKernels } from './bind.js';
import type { Kernel } from './kernel.js';
import { createReference } from './reference.js';

/** What a self-test found. */
export interface SelfTestReport {
  /** Whether every byte was equal. */
  readonly ok: boolean;
  /** Presets compared. */
  readonly presets: readonly string[];
  /** Presets with a byte that differs. */
  readonly failed: readonly string[];
}

const ROWS = 5;
const COLUMNS = 256;
const VALUES = 4096;
const CODES = VALUES + ROWS * COLUMNS * 4;
const SCALES = CODES + ROWS * COLUMNS * 2;
const ZEROS = SCALES + 512;
const END = ZEROS + 512;

/** Compares kernels of `kind` with the scalar ones on every preset with parameters of its own. */
export async function selfTest(kind: 'simd' | 'scalar'): Promise<SelfTestReport> {
  const module = await compileKernels();
  const presets = PRESETS.map((row) => row.name).filter((name) => preset(name).parameters === 'dynamic');
  const expected = presets.map((name) => run(name, (memory) => createReference(memory.buffer)));
  const bind = (memory: WebAssembly.Memory): Kernel =>
    kind === 'simd' ? bindKernels(module, memory) : createReference(memory.buffer);
  const failed = presets.filter((name, index) => !isSame(run(name, bind), expected[index]!));
  return { ok: failed.length === 0, presets, failed };
}

/** All bytes that a preset writes for the same values. */
function run(name: string, bind: (memory: WebAssembly.Memory) => Kernel): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const values = new Float32Array(memory.buffer, VALUES, ROWS * COLUMNS);
  // A linear congruential generator: any values of many sizes will do.
  let seed = 1;
  for (let index = 0; index < values.length; index++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    values[index] = seed * 2 ** -28 * (1 + (index % 7));
  }
  const scheme = preset(name);
  const layout = layoutOf(scheme, [ROWS, COLUMNS]);
  const words = new Int32Array(memory.buffer, 0, Size.DescriptorWords);
  words.set(schemeWords(scheme, 'float32'), Size.SchemeWords);
  words[Word.BadFirst] = -1;
  words[Word.Low] = -0x80000000;
  words[Word.Op] = layout.op;
  words[Word.Mode] = Mode.Quantize;
  words[Word.Source] = Source.Data;
  words[Word.Last] = layout.units;
  words[Word.Values] = VALUES;
  words[Word.Codes] = CODES;
  words[Word.Scale] = scheme.layout === 'planar' ? SCALES : CODES;
  words[Word.ZeroPoint] = scheme.symmetric ? 0 : ZEROS;
  words[Word.Length] = layout.length;
  words[Word.Group] = layout.group;
  words[Word.Count] = layout.count;
  words[Word.Parts] = layout.parts;
  words[Word.Inner] = layout.inner;
  if (!scheme.rangeIncludesZero) clearRange(words, 0, true);
  bind(memory).execute(0);
  return new Uint8Array(memory.buffer).slice(CODES, END);
}

function isSame(actual: Uint8Array, expected: Uint8Array): boolean {
  return actual.length === expected.length && actual.every((byte, index) => byte === expected[index]);
}
