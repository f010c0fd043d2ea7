/**
 * Sessions of streams: every result must come once, in order, with the right bytes.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isObservable, type Observable } from 'rxjs';
import { type QuantizedTensor, quantize, type StreamOptions, type TensorInput } from '../../src/index.js';
import { codeOf, textOf } from './ledger.js';
import type { Scene } from './scene.js';
import { type Supply, supplyOf } from './sources.js';
import type { Specimen } from './specimen.js';

/** How a stream ended. */
type Ending = 'complete' | 'left' | { readonly error: unknown };

/** Works batches off as a stream; after an error it goes on with a new one behind it. */
export async function streamSession(scene: Scene): Promise<void> {
  const batches = scene.batches(scene.random.between(20, 240));
  const supply = supplyOf(scene);
  let first = 0;
  while (first < batches.length) first = await new Passage(scene, supply, batches, first).run();
}

/** One stream from its first batch to its end. */
class Passage {
  readonly #scene: Scene;
  readonly #supply: Supply;
  readonly #batches: readonly Specimen[];
  readonly #kills: number;
  /** Batches that were dropped, and which batch is which. */
  readonly #dropped = new Set<number>();
  readonly #indices = new Map<TensorInput, number>();
  /** The batch whose turn it is, and the one that the source brings next. */
  #next: number;
  #brought: number;

  constructor(scene: Scene, supply: Supply, batches: readonly Specimen[], first: number) {
    this.#scene = scene;
    this.#supply = supply;
    this.#batches = batches;
    this.#next = first;
    this.#brought = first;
    this.#kills = scene.stage.kills();
  }

  /** Works the stream off; the index of the batch to go on with. */
  async run(): Promise<number> {
    const { random, stage, kind } = this.#scene;
    const { counts } = stage.ledger;
    counts.streams++;
    const stop = new AbortController();
    const reason = new Error('given up');
    const deadline = random.chance(0.1) ? random.between(5, 50) : undefined;
    const options: StreamOptions = {
      concurrency: random.between(1, 8),
      overflow: this.#supply.overflow,
      onDrop: (batch, { code }) => this.#drop(batch, code, deadline !== undefined),
      signal: stop.signal,
      ...(deadline !== undefined && { deadline }),
      ...(random.chance(0.1) && { maxBytes: random.between(1, 64) * 65_536 }),
    };
    const source = this.#supply.source(this.#batches, this.#next, (index, tensor) => {
      this.#brought = index + 1;
      this.#indices.set(tensor, index);
    });
    const remaining = this.#batches.length - this.#next;
    const leaveAt = random.chance(0.1) ? random.between(1, remaining) : Number.POSITIVE_INFINITY;
    const isAborted = random.chance(0.05);
    if (isAborted) void pause(random.below(30)).then(() => stop.abort(reason));
    const results =
      isObservable(source) && random.chance(0.7)
        ? (source as Observable<TensorInput>).pipe(quantize(stage.runtime, kind.name, options))
        : stage.runtime.stream(source, kind.name, options);
    const isIterated = Symbol.asyncIterator in results && random.chance(0.5);
    const ending = isIterated
      ? await this.#iterate(results as AsyncIterable<QuantizedTensor>, leaveAt)
      : await this.#subscribe(results, leaveAt);
    return this.#judgeEnding(ending, reason);
  }

  async #iterate(results: AsyncIterable<QuantizedTensor>, leaveAt: number): Promise<Ending> {
    let taken = 0;
    try {
      for await (const result of results) {
        this.#take(result);
        if (++taken >= leaveAt) return 'left';
      }
      return 'complete';
    } catch (error) {
      return { error };
    }
  }

  #subscribe(results: Observable<QuantizedTensor>, leaveAt: number): Promise<Ending> {
    return new Promise((resolve) => {
      let taken = 0;
      const subscription = results.subscribe({
        next: (result) => {
          this.#take(result);
          if (++taken < leaveAt) return;
          resolve('left');
          subscription.unsubscribe();
        },
        error: (error) => resolve({ error }),
        complete: () => resolve('complete'),
      });
    });
  }

  #take(result: QuantizedTensor): void {
    this.#skip();
    const specimen = this.#batches[this.#next++];
    const where = `${this.#supply.name}, batch ${this.#next - 1}`;
    if (specimen !== undefined) return this.#scene.judge(result, specimen, where);
    result.release();
    this.#scene.stage.ledger.violate(`${where}: one result too many`);
  }

  /** Passes over batches that were dropped. */
  #skip(): void {
    while (this.#dropped.has(this.#next)) this.#next++;
  }

  #drop(batch: TensorInput, code: string, mayBeLate: boolean): void {
    const { ledger } = this.#scene.stage;
    const index = this.#indices.get(batch);
    const isLate = code === 'ERR_QUANTLANE_DEADLINE';
    const mayOverflow = this.#supply.isPush && typeof this.#supply.overflow === 'string';
    const isExpected = isLate ? mayBeLate : mayOverflow && code === 'ERR_QUANTLANE_OVERFLOW';
    ledger.check(isExpected && index !== undefined, () => `${this.#supply.name}: a batch was dropped: ${code}`);
    if (index === undefined) return;
    ledger.check(!this.#dropped.has(index), () => `${this.#supply.name}: batch ${index} was dropped twice`);
    this.#dropped.add(index);
    if (isLate) ledger.counts.late++;
    else ledger.counts.dropped++;
  }

  #judgeEnding(ending: Ending, reason: Error): number {
    const { ledger } = this.#scene.stage;
    const { name, isPush, overflow } = this.#supply;
    this.#skip();
    const end = this.#batches.length;
    if (ending === 'left') {
      ledger.counts.cancelled++;
      return end;
    }
    if (ending === 'complete') {
      ledger.check(this.#next === end, () => `${name}: ended with ${end - this.#next} of ${end} results missing`);
      return end;
    }
    const { error } = ending;
    if (error === reason) {
      ledger.counts.cancelled++;
      return end;
    }
    if (codeOf(error) === 'ERR_QUANTLANE_OVERFLOW') {
      const mayFail = isPush && overflow !== 'drop-oldest' && overflow !== 'drop-newest';
      ledger.check(mayFail, () => `${name}: ${textOf(error)}`);
      ledger.counts.overflows++;
      return this.#brought;
    }
    const specimen = this.#batches[this.#next];
    if (specimen === undefined) ledger.violate(`${name}: failed after its last batch: ${textOf(error)}`);
    else this.#scene.judgeError(error, specimen, this.#kills, `${name}, batch ${this.#next}`);
    // What the source brought behind the batch that failed is given up with the stream.
    return Math.max(this.#brought, this.#next + 1);
  }
}
