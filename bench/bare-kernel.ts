/**
 * The vector kernel alone, on one descriptor: what is left when nothing is leased, planned, counted or awaited.
 * @module
 */
import { bindKernels, compileKernels } from '../src/kernels/index.js';
import { Arena, clearOutcome, RING_BYTES, Ring } from '../src/memory/index.js';
import { jobKind, NOWHERE, writeJob } from '../src/runtime/job.js';
import { Mode, Source } from '../src/scheme/codes.js';
import { Word } from '../src/scheme/descriptor.js';
import { layoutOf, preset, schemeWords } from '../src/scheme/index.js';
import { type Contender, now } from './rounds.js';

/** A kernel with its values, codes and scales. */
export interface BareKernel {
  readonly values: Float32Array;
  readonly codes: Int8Array;
  /** Carries the descriptor out once more. */
  readonly run: () => void;
}

/**
 * The kernel of a symmetric int8 preset with parameters from the data, on memory of its own.
 * @param tensors of the shape, whose turn comes one after the other: what lies in the cache is in both where the rival
 * goes through as many
 */
export async function bareKernel(name: string, shape: readonly number[], tensors = 1): Promise<BareKernel> {
  const scheme = preset(name);
  const layout = layoutOf(scheme, shape);
  const count = layout.elements;
  const bytes = (count * 5 + layout.parameters * 8) * tensors + 4_096;
  const arena = new Arena({ bytes, reserved: RING_BYTES });
  const kernel = bindKernels(await compileKernels(), arena.memory);
  const [values, codes, scale] = [count * 4, count, layout.parameters * 8].map(
    (size) => arena.lease(size * tensors).byteOffset,
  );
  const kind = jobKind(Mode.Quantize, Source.Data, layout, schemeWords(scheme, 'float32'), false);
  const ring = new Ring(arena.buffer);
  const address = ring.inPlace(0);
  writeJob({ kind, places: { ...NOWHERE, values: values!, codes: codes!, scale: scale! } }, ring.words, address >> 2);
  let next = 0;
  return {
    values: new Float32Array(arena.buffer, values, count * tensors),
    codes: new Int8Array(arena.buffer, codes, count * tensors),
    run: () => {
      clearOutcome(ring.words, address);
      ring.words[(address >> 2) + Word.Values] = values! + next * count * 4;
      ring.words[(address >> 2) + Word.Codes] = codes! + next * count;
      next = (next + 1) % tensors;
      kernel.execute(address);
    },
  };
}

/** The kernel as a contender. */
export function bare(name: string, { run }: BareKernel): Contender {
  return now(name, run);
}
