/**
 * What the sessions of a soak share, and how they judge a result or an error.
 * @module
 */
import type { QuantizedTensor, StreamingRuntime, TensorInput } from '../../src/index.js';
import { codeOf, type Ledger, textOf } from './ledger.js';
import type { Random } from './random.js';
import { bytesOf, type Kind, type Specimen, type Specimens } from './specimen.js';

/** A runtime under load. */
export interface Stage {
  readonly runtime: StreamingRuntime;
  readonly specimens: Specimens;
  readonly ledger: Ledger;
  /** Threads ended from outside so far. */
  kills(): number;
  /** The part of poison among batches. */
  readonly poisonRate: number;
}

/** One session's view of a runtime under load, with chance and a kind of batch of its own. */
export class Scene {
  readonly stage: Stage;
  readonly random: Random;
  readonly kind: Kind;
  readonly #regular: readonly Specimen[];

  /** @param count regular batches, which the session serves in turns */
  constructor(stage: Stage, random: Random, count: number) {
    this.stage = stage;
    this.random = random;
    this.kind = random.pick(stage.specimens.kinds);
    this.#regular = Array.from({ length: count }, () => stage.specimens.make(random, this.kind));
  }

  /** `count` batches: the regular ones in turns, and poison among them. */
  batches(count: number): Specimen[] {
    const { specimens, poisonRate } = this.stage;
    return Array.from({ length: count }, (_, index) =>
      this.random.chance(poisonRate)
        ? specimens.makePoison(this.random, this.kind)
        : this.#regular[index % this.#regular.length]!,
    );
  }

  /** The batch as a caller brings it: in ordinary memory, or in a lease as soon as there is room. */
  async bring({ tensor }: Specimen): Promise<TensorInput> {
    // A new object, so that each batch of a stream is known again.
    if (this.random.chance(0.5)) return { ...tensor };
    const lease = await this.stage.runtime.acquire(tensor.dtype, tensor.shape);
    lease.data.set(tensor.data);
    return lease;
  }

  /** The same at once, in a lease only where there is room now. */
  bringNow({ tensor }: Specimen): TensorInput {
    const { runtime } = this.stage;
    if (this.random.chance(0.5) || !runtime.hasRoom(tensor.dtype, tensor.shape)) return { ...tensor };
    const lease = runtime.lease(tensor.dtype, tensor.shape);
    lease.data.set(tensor.data);
    return lease;
  }

  /** Compares a result with the right one, and releases it. */
  judge(quantized: QuantizedTensor, specimen: Specimen, where: string): void {
    const { ledger } = this.stage;
    const bytes = bytesOf(quantized);
    quantized.release();
    const { gone, configured } = this.stage.runtime.metrics().lanes;
    // On the caller's thread, where all runs when every lane was given up, it does no harm.
    if (specimen.right === undefined) ledger.check(gone === configured, () => `${where}: a poison batch has a result`);
    else if (!bytes.equals(specimen.right)) ledger.violate(`${where}: ${this.#name(specimen)} has other bytes`);
    else ledger.deliver(specimen.elements);
  }

  /**
   * Judges the rejection of a batch. Poison must be rejected, and an innocent batch may be only where two threads were
   * ended from outside while it was in work.
   */
  judgeError(error: unknown, specimen: Specimen, kills: number, where: string): void {
    const { ledger } = this.stage;
    const isPoison = codeOf(error) === 'ERR_QUANTLANE_POISON_BATCH';
    if (isPoison && specimen.right === undefined) ledger.counts.poisoned++;
    else if (isPoison && this.stage.kills() - kills >= 2) ledger.counts.unlucky++;
    else ledger.violate(`${where}: ${this.#name(specimen)} was rejected: ${textOf(error)}`);
  }

  #name({ tensor, right }: Specimen): string {
    const text = `${this.kind.name}, ${tensor.dtype} [${tensor.shape.join(', ')}]`;
    return right === undefined ? `poison (${text})` : text;
  }
}
