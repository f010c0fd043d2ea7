/**
 * A lane that fails on demand. The first value of a batch tells how, the second is a gate where one is needed, the third
 * numbers the batches whose fault happens once. The faults are those of `Fault` in `test/runtime/faults.ts`.
 */
import { expose } from 'comlink';
import { bindKernels, createReference } from '../../../dist/src/kernels/index.js';
import { LaneControl } from '../../../dist/workers/control.js';
import { Lane } from '../../../dist/workers/loop.js';

/** Words of a descriptor: `Mode`, `First`, `Values` of `src/scheme/codes.ts`. */
const MODE = 8;
const FIRST = 10;
const VALUES = 12;

const ALWAYS_EXIT = 9001;
const EXIT_ONCE = 9002;
const TRAP = 9003;
const THROW_ONCE = 9004;
const SLOW = 9005;
const GATE = 9006;
const LATE_EXIT_ONCE = 9007;
const RANGE_EXIT_ONCE = 9008;
const GATE_EXIT = 9009;
const LOOP = 9010;
const GATE_FIRST = 9011;

/** Words of the arena that neither the ring nor a lease has: how often a gate was reached; 64 for what happened once. */
const HELD = 440;
const ONCE = 448;

class Faulty {
  constructor(kernel, memory) {
    this.name = kernel.name;
    this.kernel = kernel;
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
  }

  execute(address) {
    const at = address >> 2;
    const values = this.words[at + VALUES] >> 2;
    this.fail(this.floats[values], values, this.words[at + FIRST], this.words[at + MODE]);
    this.kernel.execute(address);
  }

  fail(fault, values, first, mode) {
    if (fault === ALWAYS_EXIT) process.exit(1);
    if (fault === TRAP) throw new Error('a trap');
    if (fault === SLOW) Atomics.wait(this.words, values, this.words[values], 20);
    if (fault === EXIT_ONCE && this.once(values)) process.exit(1);
    if (fault === LATE_EXIT_ONCE && first > 0 && this.once(values)) process.exit(1);
    if (fault === RANGE_EXIT_ONCE && mode === 2 && this.once(values)) process.exit(1);
    if (fault === THROW_ONCE && this.once(values)) {
      queueMicrotask(() => {
        throw new Error('a mistake outside of the kernel');
      });
    }
    if (fault === LOOP && this.once(values)) for (;;);
    if (fault !== GATE && fault !== GATE_EXIT && !(fault === GATE_FIRST && first === 0)) return;
    Atomics.add(this.words, HELD, 1);
    while (Atomics.load(this.words, values + 1) === 0) Atomics.wait(this.words, values + 1, 0, 1_000);
    if (fault === GATE_EXIT) process.exit(1);
  }

  /** True for the first to ask for this batch. */
  once(values) {
    return Atomics.exchange(this.words, ONCE + this.floats[values + 2], 1) === 0;
  }
}

/** As that of `workers/lane.ts`, with other kernels. */
export default function start({ lane: index, memory, kernels, port }) {
  const kernel = kernels === null ? createReference(memory.buffer) : bindKernels(kernels, memory);
  const lane = new Lane(index, memory, new Faulty(kernel, memory));
  expose(new LaneControl(lane), port);
  void lane.run().finally(() => port.close());
  return index;
}
