/** Batches that make the lanes of `test/support/lanes/faulty.mjs` fail. */
import type { Runtime, TensorLease } from '#src/index.js';
import { until, valuesOf } from './helpers.js';

/** The word of the arena where the lanes count how often a gate was reached. */
const HELD = 440;

/** How a lane fails: the first value of the batch. */
export const Fault = {
  /** Its thread ends, whichever lane takes the batch. */
  AlwaysExit: 9001,
  /** Its thread ends, once. */
  ExitOnce: 9002,
  /** The kernel throws. */
  Trap: 9003,
  /** It throws outside of the kernel, once, and its thread ends. */
  ThrowOnce: 9004,
  /** It sleeps for 20 ms before the batch. */
  Slow: 9005,
  /** It waits until the gate is opened. */
  Gate: 9006,
  /** Its thread ends, once, in a part that is not the first. */
  LateExitOnce: 9007,
  /** Its thread ends, once, while the range is taken. */
  RangeExitOnce: 9008,
  /** It waits until the gate is opened, and then its thread ends. */
  GateExit: 9009,
  /** It loops for ever, once. */
  Loop: 9010,
  /** It waits until the gate is opened, in the first part only. */
  GateFirst: 9011,
} as const;

/** Module of a lane, by its name; some are there as `cjs` too. */
export function lanes(name: string, ending: 'mjs' | 'cjs' = 'mjs'): URL {
  return new URL(`../support/lanes/${name}.${ending}`, import.meta.url);
}

/** A batch with a fault, and the gate of it. */
export interface FaultyBatch {
  readonly lease: TensorLease<'float32'>;
  /** The values, to compute the right result from. */
  readonly values: Float32Array;
  /** Settles when a lane waits at a gate, of this or another batch of the runtime. */
  held(): Promise<void>;
  /** Lets lanes that wait at the gate go on. */
  open(): void;
}

/** Leases a batch with a fault; batches of one runtime have different seeds below 64. */
export function faultyBatch(runtime: Runtime, fault: number, shape: readonly number[], seed = 1): FaultyBatch {
  const lease = runtime.lease('float32', shape);
  const values = valuesOf(lease.elements, seed);
  // The gate opens with the smallest float32: it is not 0, and as a value it is next to nothing.
  values.set([fault, 2 ** -149, seed % 64]);
  lease.data.set(values);
  lease.data[1] = 0;
  const words = new Int32Array(lease.data.buffer, lease.byteOffset, 2);
  const open = () => {
    Atomics.store(words, 1, 1);
    Atomics.notify(words, 1);
  };
  const held = () => until(() => Atomics.load(new Int32Array(words.buffer), HELD) > 0, 'a lane at the gate');
  return { lease, values, held, open };
}
