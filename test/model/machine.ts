/**
 * Runs real code one access to shared memory at a time.
 *
 * JavaScript cannot stop a function in its middle and go on later, but it can run it again: what a function has done so
 * far is decided by what its accesses gave it. So a section of code is known by the values that its accesses returned;
 * to take one more step it is run anew, those accesses return what they returned before and change nothing, the next one
 * is carried out, and the one after that ends the run by an exception.
 *
 * An access that no other process can notice or influence at that time is no step of its own, which leaves fewer
 * interleavings to visit: see `isVisible`.
 */

/** A word of the shared memory, by its index, and who accesses it how. */
export interface Access {
  readonly kind: 'load' | 'store' | 'exchange' | 'add' | 'notify' | 'wait' | 'read' | 'write';
  readonly index: number;
  readonly value: number;
  /** What a compare-and-exchange expects; how many a notify wakes. */
  readonly other: number;
}

/** Shared memory, seen by one process. */
export interface View {
  /** Carries an access out; what it returns. */
  access(access: Access): number;
  /** Whether another process can tell when the access happens, or influence it. */
  isVisible(access: Access): boolean;
}

/** What became of a step: the section goes on with a longer log, or has ended. */
export type Step<T> = { readonly log: readonly number[] } | { readonly result: T };

const PAUSE = Symbol('the next access');
/** Accesses of one section after which it is taken to run for ever. */
const MAX_ACCESSES = 300;

/** Carries out the accesses of the section that runs. */
let handle: ((access: Access) => number) | undefined;
/** Replaces the log of the section that runs, where it is not being repeated. */
let rewrite: ((log: (before: readonly number[]) => number[]) => void) | undefined;

/**
 * The section would behave alike if its accesses had returned only these values: what came before is forgotten, so that
 * states that differ in nothing else are one.
 */
export function forget(log: (before: readonly number[]) => number[]): void {
  rewrite?.(log);
}

/** Takes one step of a section whose accesses so far returned `log`. */
export function takeStep<T>(section: () => T, log: readonly number[], view: View): Step<T> {
  let values = [...log];
  let position = 0;
  let hasStepped = false;
  handle = (access) => {
    if (position < values.length) return values[position++]!;
    if (values.length > MAX_ACCESSES) throw new Error('termination: a section of code does not end');
    if (view.isVisible(access)) {
      if (hasStepped) throw PAUSE;
      hasStepped = true;
    }
    values.push(view.access(access));
    return values[position++]!;
  };
  rewrite = (change) => {
    if (position < values.length) return;
    values = change(values);
    position = values.length;
  };
  try {
    return { result: section() };
  } catch (error) {
    if (error !== PAUSE) throw error;
    return { log: values };
  } finally {
    handle = undefined;
    rewrite = undefined;
  }
}

/** Shared words for code that takes an `Int32Array`; plain accesses to them are accesses, too. */
export const words: Int32Array<SharedArrayBuffer> = new Proxy(new Int32Array(new SharedArrayBuffer(4)), {
  get: (_, key) => ask({ kind: 'read', index: Number(key), value: 0, other: 0 }),
  set(_, key, value: number) {
    ask({ kind: 'write', index: Number(key), value, other: 0 });
    return true;
  },
});

function ask(access: Access): number {
  if (handle === undefined || !Number.isInteger(access.index)) throw new Error(`an access outside of a section`);
  return handle(access);
}

/** What stands for `Atomics` in code that is run one access at a time. */
export const STEPPED = {
  load: (_: unknown, index: number) => ask({ kind: 'load', index, value: 0, other: 0 }),
  store: (_: unknown, index: number, value: number) => ask({ kind: 'store', index, value, other: 0 }),
  add: (_: unknown, index: number, value: number) => ask({ kind: 'add', index, value, other: 0 }),
  compareExchange: (_: unknown, index: number, other: number, value: number) =>
    ask({ kind: 'exchange', index, value, other }),
  notify: (_: unknown, index: number, other = Number.POSITIVE_INFINITY) =>
    ask({ kind: 'notify', index, value: 0, other }),
  waitAsync: (_: unknown, index: number, value: number) =>
    ask({ kind: 'wait', index, value, other: 0 }) === 1
      ? { async: true, value: new Promise(() => undefined) }
      : { async: false, value: 'not-equal' },
};
