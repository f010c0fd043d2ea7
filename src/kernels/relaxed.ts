/**
 * The kernels with relaxed SIMD instructions, where the engine has them.
 *
 * What such an instruction gives may depend on the processor, but not for operands like those of the kernels (see
 * `assembly/linear/relaxed`). So whether they are used, and how, decides only how fast a product is.
 * @module
 */
import { readBytes } from '../host.js';
import { RowForm } from '../scheme/codes.js';
import { compile } from './bind.js';

/** Products with relaxed instructions. */
export interface Relaxed {
  readonly module: WebAssembly.Module;
  /** How rows must lie for the instructions that the processor does fast. */
  readonly rowForm: RowForm;
}

const MODULE = new URL('../kernels/kernels-relaxed.wasm', import.meta.url);
/** What `probe` answers where pairs saturate: there a dot product of four is several instructions. */
const SATURATED = 65_534;

let found: Promise<Relaxed | null> | undefined;

/**
 * The relaxed kernels, compiled at the first call; null where the engine has no such instructions.
 * @throws ERR_QUANTLANE_KERNEL where the module is missing or broken
 */
export function compileRelaxed(): Promise<Relaxed | null> {
  found ??= find().catch((error) => {
    found = undefined;
    throw error;
  });
  return found;
}

async function find(): Promise<Relaxed | null> {
  // A missing file is an error of `compile`, not a missing feature.
  const bytes = await readBytes(MODULE).catch(() => undefined);
  if (bytes !== undefined && !WebAssembly.validate(bytes)) return null;
  const module = await compile(MODULE);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const probe = new WebAssembly.Instance(module, { env: { memory } }).exports['probe'] as () => number;
  return { module, rowForm: probe() === SATURATED ? RowForm.Nibbles : RowForm.Sevens };
}
