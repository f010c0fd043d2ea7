/**
 * A lane as that of `workers/lane`, but that a batch which begins with `POISON` ends its thread, and that it
 * never comes to the end of one that begins with `ENDLESS`.
 * @module
 */
import { type Endpoint, expose } from 'comlink';
import { bindKernels, createReference, type Kernel } from '../../src/kernels/index.js';
import { Op } from '../../src/scheme/codes.js';
import { Word } from '../../src/scheme/descriptor.js';
import { LaneControl } from '../../workers/control.js';
import type { Session } from '../../workers/lane.js';
import { Lane } from '../../workers/loop.js';

/** The first four bytes of poison batches: finite as float32, and as two values of float16 or bfloat16. */
export const POISON = 0x5a5a4b3c;
export const ENDLESS = 0x5a5a4b3d;

/** Kernels that do not survive a poison batch. */
class Mortal implements Kernel {
  readonly name: Kernel['name'];
  readonly #kernel: Kernel;
  readonly #words: Int32Array;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.name = kernel.name;
    this.#kernel = kernel;
    this.#words = new Int32Array(memory.buffer);
  }

  execute(address: number): void {
    const at = address >> 2;
    const op: Op = this.#words[at + Word.Op]!;
    // What is packed are codes, which may be any bytes.
    const first = op === Op.Pack ? 0 : this.#words[this.#words[at + Word.Values]! >> 2];
    if (first === POISON) process.exit(1);
    while (first === ENDLESS);
    this.#kernel.execute(address);
  }
}

/** Starts a lane on this thread; settles with its index when it is ready. */
export default function start({ lane: index, memory, kernels, port }: Session): number {
  const kernel = kernels === null ? createReference(memory.buffer) : bindKernels(kernels, memory);
  const lane = new Lane(index, memory, new Mortal(kernel, memory));
  expose(new LaneControl(lane), port as unknown as Endpoint);
  void lane.run().finally(() => port.close());
  return index;
}
