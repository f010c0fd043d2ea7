/**
 * An explicit-state model checker: visits every state that a system can get into, breadth first, so that the trace to a
 * violation is a shortest one.
 */

/** A step that a system can take in a state. */
export interface Move<S> {
  /** What happens, for traces. */
  readonly name: string;
  /**
   * Whether it happens by itself sooner or later. What is done to a system, such as an abort or a crash, may never come,
   * so the system may not wait for it.
   */
  readonly isOwn: boolean;
  /** The state after it. */
  next(): S;
}

/** What is checked. */
export interface System<S> {
  readonly start: S;
  /** Integers that are the same for the same states only. */
  key(state: S): readonly number[];
  moves(state: S): Move<S>[];
  /** Which property the state violates, and how; undefined where none. */
  violation(state: S): string | undefined;
  /** Which property it violates that the system rests in this state; undefined where it may. */
  restViolation(state: S): string | undefined;
}

/** What was found. */
export interface Report {
  readonly states: number;
  readonly moves: number;
  /** States in which the system may rest. */
  readonly ends: number;
  /** The violation with the steps that lead to it. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
}

/** Visits every state up to `limit` of them. */
export function explore<S>(system: System<S>, limit = 2_000_000): Report {
  const seen = new Map<number, number>([[hashOf(system.key(system.start)), 0]]);
  const parents = [0];
  const names = [''];
  /** Own moves, as pairs of states: from, to. */
  const edges: number[] = [];
  const ends: number[] = [];
  let frontier: S[] = [system.start];
  let first = 0;
  let moves = 0;

  const report = (violation: string | undefined, at: number): Report => {
    const trace: string[] = [];
    for (let state = at; state !== 0; state = parents[state]!) trace.unshift(names[state]!);
    return { states: seen.size, moves, ends: ends.length, violation, trace: violation === undefined ? [] : trace };
  };

  while (frontier.length > 0) {
    const following: S[] = [];
    const next = first + frontier.length;
    for (const [offset, state] of frontier.entries()) {
      const index = first + offset;
      const wrong = system.violation(state);
      if (wrong !== undefined) return report(wrong, index);
      let isAtRest = true;
      for (const { name, isOwn, next: take } of system.moves(state)) {
        const to = attempt(take);
        if (to instanceof Error) return report(`${to.message}, in: ${name}`, index);
        const key = hashOf(system.key(to));
        moves++;
        let found = seen.get(key);
        if (found === undefined) {
          found = seen.size;
          seen.set(key, found);
          parents.push(index);
          names.push(name);
          following.push(to);
        }
        if (isOwn) {
          isAtRest = false;
          edges.push(index, found);
        }
      }
      if (isAtRest) {
        const restless = system.restViolation(state);
        if (restless !== undefined) return report(restless, index);
        ends.push(index);
      }
    }
    if (seen.size > limit) throw new Error(`more than ${limit} states`);
    first = next;
    frontier = following;
  }
  const lost = firstWithoutEnd(seen.size, edges, ends);
  return lost === undefined ? report(undefined, 0) : report('progress: the system can never come to rest', lost);
}

/** The state after a move, or why there is none. */
function attempt<S>(take: () => S): S | Error {
  try {
    return take();
  } catch (error) {
    return error as Error;
  }
}

/** The first state from which its own moves lead to no end. */
function firstWithoutEnd(states: number, edges: readonly number[], ends: readonly number[]): number | undefined {
  const into = Array.from({ length: states }, (): number[] => []);
  for (let edge = 0; edge < edges.length; edge += 2) into[edges[edge + 1]!]!.push(edges[edge]!);
  const reaches = new Uint8Array(states);
  const open = [...ends];
  for (const end of ends) reaches[end] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const from of into[state]!) {
      if (reaches[from] === 1) continue;
      reaches[from] = 1;
      open.push(from);
    }
  }
  const lost = reaches.indexOf(0);
  return lost < 0 ? undefined : lost;
}

/**
 * Integers in 53 bits. Among half a million states the chance that any two are taken for one is about 1 in 70,000.
 */
function hashOf(values: readonly number[]): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (const value of values) {
    low = Math.imul(low ^ value, 0xcc9e2d51);
    low ^= low >>> 15;
    high = Math.imul(high ^ (value + low), 0x85ebca6b);
    high ^= high >>> 13;
  }
  return (high >>> 0) * 2 ** 21 + (Math.imul(low, 0xc2b2ae35) >>> 11);
}
