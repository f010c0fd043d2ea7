/**
 * The runtime as a cache uses it: memory, and kernels on the caller's thread at once.
 * @module
 */
import type { Lease } from '../memory/index.js';
import type { Engine, Runtime } from '../runtime/index.js';
import { type JobKind, jobKind, NOWHERE, type Places } from '../runtime/job.js';
import { checkDone } from '../runtime/outcome.js';
import { Mode, Op, Source } from '../scheme/codes.js';
import { Size } from '../scheme/descriptor.js';
import { Page } from './page.js';

/** No scheme: float32 in and out. */
const NO_SCHEME = new Int32Array(Size.DescriptorWords - Size.SchemeWords);

/** Memory and kernels of a runtime. */
export class Machine {
  /** All shared memory, by its element types. */
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #engine: Engine;

  constructor(runtime: Runtime) {
    this.#engine = runtime.engine;
    const { buffer } = this.#engine.arena;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** @throws ERR_QUANTLANE_CLOSED once the runtime is closed */
  assertOpen(): void {
    this.#engine.assertOpen();
  }

  /** A page of so many bytes; errors are those of `Runtime.lease`. */
  page(bytes: number): Page {
    return new Page(this.#engine.arena.lease(bytes));
  }

  /** What `use` gives with so many bytes of memory, which are given back at once. */
  with<T>(bytes: number, use: (address: number) => T): T {
    const lease: Lease = this.#engine.arena.lease(bytes);
    try {
      return use(lease.byteOffset);
    } finally {
      lease.release();
    }
  }

  /** Carries out a job now. */
  run(kind: JobKind, places: Partial<Places>): void {
    checkDone(this.#engine.scheduler.runNow({ kind, places: { ...NOWHERE, ...places } }));
  }

  /** Rotates `rows` rows of `length` float32 where they lie (equation 40). */
  rotate(address: number, rows: number, length: number): void {
    const elements = rows * length;
    const sizes = { length, group: length, count: 1, parts: 0, inner: 0 };
    const kind = plainKind(Op.Rotate, { elements, units: rows, unitElements: length, ...sizes }, 4);
    this.run(kind, { values: address, codes: address });
  }
}

/** The kind of a job on float32 that no scheme belongs to. */
export function plainKind(op: Op, layout: Omit<JobKind['layout'], 'op'>, weight: number): JobKind {
  return { ...jobKind(Mode.Quantize, Source.Given, { op, ...layout }, NO_SCHEME, false), weight };
}
