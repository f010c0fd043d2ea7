/**
 * Whether the server can do work: its lanes answer, and what is asked of them goes on.
 *
 * A look at the lanes never waits for them. Each is asked to answer, and the next look finds out whether it has. Looks are
 * counted rather than time alone, for a process may have slept.
 * @module
 */
import type { LaneHandle, Runtime, RuntimeMetrics } from '../runtime/index.js';

/** Looks in a row that find no sign of life before there is a problem. */
const LOOKS = 4;
/** Looks are no closer than this, in milliseconds, but for deadlines that are. */
const MOST_INTERVAL_MS = 1_000;

/** A lane that was asked to answer. */
interface Asked {
  readonly lane: LaneHandle;
  hasAnswered: boolean;
  /** Looks since then that found no answer. */
  looks: number;
}

/** Something that is expected to go on. */
class Progress {
  /** Undefined where there was nothing to be done. */
  #mark: string | undefined;
  #looks = 0;

  /** Looks in a row that found something to be done and the same mark. */
  look(isBusy: boolean, mark: string): number {
    const now = isBusy ? mark : undefined;
    this.#looks = isBusy && now === this.#mark ? this.#looks + 1 : 0;
    this.#mark = now;
    return this.#looks;
  }
}

/** Watches a runtime. */
export class Health {
  readonly #runtime: Runtime;
  readonly #deadline: number;
  readonly #most: number;
  readonly #asked: (Asked | undefined)[] = [];
  readonly #lanes = new Progress();
  readonly #memory = new Progress();
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #stuck: string | undefined;

  /** @param deadline milliseconds without a sign of life after which there is a problem */
  constructor(runtime: Runtime, deadline: number) {
    this.#runtime = runtime;
    this.#deadline = deadline;
    this.#interval = Math.min(MOST_INTERVAL_MS, deadline / LOOKS);
    this.#most = Math.ceil(deadline / this.#interval);
  }

  /** Looks from now on. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), this.#interval).unref();
  }

  /** Why no work can be done; undefined where it can. It costs next to nothing. */
  get problem(): string | undefined {
    if (!this.#runtime.engine.isOpen) return 'the runtime is closed';
    const { configured, alive } = this.#runtime.metrics().lanes;
    if (configured > 0 && alive === 0) return 'no lane is alive';
    const wedged = this.wedged;
    if (alive > 0 && wedged.length === alive) return `lanes do not answer within ${this.#deadline} ms: ${wedged}`;
    return this.#stuck;
  }

  /** Lanes that do not answer, by index. */
  get wedged(): readonly number[] {
    const lanes = this.#runtime.lanes.filter((lane) => lane?.isAlive);
    const isWedged = (lane: LaneHandle) => {
      const asked = this.#asked[lane.index];
      return asked?.lane === lane && !asked.hasAnswered && asked.looks >= this.#most;
    };
    return lanes.filter(isWedged).map(({ index }) => index);
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const lane of this.#runtime.lanes) if (lane !== undefined) this.#ask(lane);
    this.#stuck = this.#findStuck(this.#runtime.metrics());
  }

  #ask(lane: LaneHandle): void {
    const last = this.#asked[lane.index];
    if (last?.lane === lane && !last.hasAnswered) {
      last.looks++;
      return;
    }
    if (!lane.isAlive) return;
    const asked: Asked = { lane, hasAnswered: false, looks: 0 };
    this.#asked[lane.index] = asked;
    lane.ping().then(
      () => {
        asked.hasAnswered = true;
      },
      // It has ended: another one has another handle.
      () => undefined,
    );
  }

  #findStuck({ jobs, arena, calls }: RuntimeMetrics): string | undefined {
    // A job that a wedged lane holds is not stuck before the others: they go on.
    const lanes = this.#lanes.look(jobs.running > this.wedged.length, `${jobs.parts}`);
    const memory = this.#memory.look(arena.waiting > 0, `${calls} ${arena.leases} ${arena.inUse}`);
    if (lanes > this.#most) return `no job on the lanes went on within ${this.#deadline} ms`;
    if (memory > this.#most) return `no memory came back within ${this.#deadline} ms, for which requests wait`;
    return undefined;
  }
}
