/**
 * The vector kernel alone, on one descriptor: what is left when nothing is leased, planned, counted or awaited.
 * @module
 */
import { bindKernels, compileKernels } from '../src/kernels/index.js';
import { Arena, clearOutcome, RING_BYTES, Ring } from '../src/memory/index.js';
import { jobKind, NOWHERE, writeJob } from '../src/runtime/job.js';
import { Mode, Source } from '../src/scheme/codes.js';
import { layoutOf, preset, schemeWords } from '../src/scheme/index.js';
import { type Contender, now } from './rounds.js';

/** A kernel with its values, codes and scales. */
export interface BareKernel {
  readonly values: Float32Array;
  readonly codes: Int8Array;
  /** Carries the descriptor out once more. */
  readonly run: () => void;
}

/** The kernel of a symmetric int8 preset with parameters from the data, on memory of its own. */
export async function bareKernel(name: string, shape: readonly number[]): Promise<BareKernel> {
  const scheme = preset(name);
  const layout = layoutOf(scheme, shape);
  const count = layout.elements;
  const arena = new Arena({ bytes: count * 5 + layout.parameters * 8 + 4_096, reserved: RING_BYTES });
  const kernel = bindKernels(await compileKernels(), arena.memory);
  const [values, codes, scale] = [count * 4, count, layout.parameters * 8].map(
    (bytes) => arena.lease(bytes).byteOffset,
  );
  const kind = jobKind(Mode.Quantize, Source.Data, layout, schemeWords(scheme, 'float32'), false);
  const ring = new Ring(arena.buffer);
  const address = ring.inPlace(0);
  writeJob({ kind, places: { ...NOWHERE, values: values!, codes: codes!, scale: scale! } }, ring.words, address >> 2);
  return {
    values: new Float32Array(arena.buffer, values, count),
    codes: new Int8Array(arena.buffer, codes, count),
    run: () => {
      clearOutcome(ring.words, address);
      kernel.execute(address);
    },
  };
}

/** The kernel as a contender. */
export function bare(name: string, { run }: BareKernel): Contender {
  return now(name, run);
}
