import { expect } from 'vitest';
import { bindKernels, bindReference, compileKernels, compileRelaxed, type Kernel } from '#src/kernels/index.js';
import { Size, Word } from '../../src/scheme/descriptor.js';

const module = await compileKernels();
const relaxed = (await compileRelaxed())?.module ?? null;

/** Bytes around every region that nothing may write to. */
const GUARD = 64;
const GUARD_BYTE = 0xa5;

/** What `execute` may write in a descriptor. */
const WRITABLE = [Word.BadCount, Word.BadFirst, Word.High, Word.Low];

/** One kernel with a memory of its own. */
interface Side {
  readonly kernel: Kernel;
  readonly bytes: Buffer;
  readonly view: DataView;
}

/**
 * Two memories of the same content, one for each kernel. Regions are laid out between guard bytes; `run` executes
 * descriptors on both, expects the same bytes in both, and nothing changed but outputs.
 */
export class Sandbox {
  readonly #simd: Side;
  readonly #scalar: Side;
  #top = GUARD;
  #outputs: [number, number][] = [];
  /** Bytes at the end that are scratch. */
  #scratch = 0;

  constructor(bytes = 1 << 23) {
    const pages = bytes / 65536;
    const [simd, scalar] = [1, 2].map(() => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
    this.#simd = side(bindKernels(module, simd!, relaxed), simd!);
    this.#scalar = side(bindReference(scalar!), scalar!);
    for (const { bytes } of this.#sides) bytes.fill(GUARD_BYTE);
  }

  get #sides(): readonly Side[] {
    return [this.#simd, this.#scalar];
  }

  /** Forgets all regions. */
  clear(): void {
    for (const { bytes } of this.#sides) bytes.fill(GUARD_BYTE, 0, this.#top);
    this.#top = GUARD;
    this.#outputs = [];
    this.#scratch = 0;
  }

  /** Address of a region that holds `content`, `misalign` bytes past a multiple of 64. */
  input(content: Uint8Array, misalign = 0): number {
    const address = this.#reserve(content.length, misalign);
    for (const { bytes } of this.#sides) bytes.set(content, address);
    return address;
  }

  /** Address of a region of `size` guard bytes which may be written. */
  output(size: number, misalign = 0): number {
    const address = this.#reserve(size, misalign);
    this.#outputs.push([address, address + size]);
    return address;
  }

  /** Address of a region whose content is nobody's business. */
  scratch(size: number): number {
    this.#scratch += Math.ceil(size / 64) * 64;
    const address = this.#simd.bytes.length - this.#scratch;
    expect(this.#top).toBeLessThanOrEqual(address);
    return address;
  }

  /** Lets a region that holds content be written too. */
  allow(address: number, size: number): void {
    this.#outputs.push([address, address + size]);
  }

  /** Address of `count` descriptors one after the other, ready to be filled. */
  descriptors(count: number): number {
    const address = this.#reserve(count * Size.Descriptor, 0);
    for (const { bytes } of this.#sides) bytes.fill(0, address, address + count * Size.Descriptor);
    for (let i = 0; i < count; i++) {
      const at = address + i * Size.Descriptor;
      this.fill(
        at,
        new Map([
          [Word.BadFirst, -1],
          [Word.Low, -2147483648],
        ]),
      );
      for (const word of WRITABLE) this.#outputs.push([at + word * 4, at + word * 4 + 4]);
    }
    return address;
  }

  /** Writes words of the descriptor at `address`. */
  fill(address: number, words: ReadonlyMap<Word, number>): void {
    for (const { view } of this.#sides)
      for (const [word, value] of words) view.setInt32(address + word * 4, value, true);
  }

  /** Executes `descriptors` in this order with both kernels. */
  run(...descriptors: readonly number[]): void {
    const before = Buffer.from(this.#simd.bytes.subarray(0, this.#top));
    for (const { kernel } of this.#sides) for (const descriptor of descriptors) kernel.execute(descriptor);
    const simd = this.#simd.bytes.subarray(0, this.#top);
    const scalar = this.#scalar.bytes.subarray(0, this.#top);
    if (!simd.equals(scalar)) throw new Error(`the kernels differ: ${this.#difference(simd, scalar)}`);
    let from = 0;
    for (const [start, end] of [...this.#outputs, [this.#top, this.#top]].sort((a, b) => a[0]! - b[0]!)) {
      if (!before.subarray(from, start).equals(simd.subarray(from, start))) {
        throw new Error(`written outside the outputs: ${this.#difference(before, simd, from)}`);
      }
      from = end!;
    }
  }

  /** A copy of the result: `size` bytes at `address`. */
  read(address: number, size: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#simd.bytes.subarray(address, address + size));
  }

  /** A word of the descriptor at `address`. */
  word(address: number, word: Word): number {
    return this.#simd.view.getInt32(address + word * 4, true);
  }

  #reserve(size: number, misalign: number): number {
    const address = Math.ceil((this.#top + GUARD) / 64) * 64 + misalign;
    this.#top = address + size + GUARD;
    expect(this.#top).toBeLessThanOrEqual(this.#simd.bytes.length - this.#scratch);
    return address;
  }

  /** Where two memories first differ, for a message. */
  #difference(a: Buffer, b: Buffer, from = 0): string {
    let at = from;
    while (a[at] === b[at]) at++;
    const region = this.#outputs.findIndex(([start, end]) => at >= start && at < end);
    const place = region < 0 ? 'no output' : `output ${region} byte ${at - this.#outputs[region]![0]}`;
    return `at ${at} (${place}) ${a.toString('hex', at & ~3, (at & ~3) + 8)} and ${b.toString('hex', at & ~3, (at & ~3) + 8)}`;
  }
}

function side(kernel: Kernel, memory: WebAssembly.Memory): Side {
  return { kernel, bytes: Buffer.from(memory.buffer), view: new DataView(memory.buffer) };
}
