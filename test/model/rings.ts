/** The real ring with fewer slots, and with mistakes in it. */
import { readFileSync } from 'node:fs';
import type { Ring } from '#src/memory/index.js';
import { forget, STEPPED, words } from './machine.js';

/** A change of the compiled source: what stands there, once, and what is put in its place. */
export type Change = readonly [from: string | RegExp, to: string];

const SOURCE = readFileSync(new URL('../../dist/src/memory/ring.js', import.meta.url), 'utf8');

/** Name under which the source finds what stands for `Atomics`. */
const SHARED = 'quantlaneSteppedAtomics';

/** The compiled source of the ring with changes; the change of one that is not there fails. */
function changed(changes: readonly Change[]): string {
  let text = SOURCE;
  for (const [from, to] of changes) {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`Expected ${from} once in the source, got ${parts.length - 1}`);
    text = parts.join(to);
  }
  return text;
}

/** The real ring, of `slots` slots, over the words that the machine steps through. */
export async function ringOf(slots: number, changes: readonly Change[] = []): Promise<Ring> {
  const text = changed([['export const SLOTS = 512;', `export const SLOTS = ${slots};`], ...changes]);
  Object.assign(globalThis, { [SHARED]: STEPPED });
  const named = `const Atomics = globalThis.${SHARED};\n${text}`;
  const module = (await import(`data:text/javascript,${encodeURIComponent(named)}`)) as { Ring: typeof Ring };
  const ring = new module.Ring(new SharedArrayBuffer(4));
  // The field is `readonly` in the eyes of the compiler only.
  (ring as { words: typeof words }).words = words;
  forgetInLoop(ring);
  return ring;
}

/**
 * Lets a claim forget the slots that it has passed: it goes on as if it had found the tail at the slot that it comes to.
 * That is where it asks for an address, other than for the states of an earlier pass.
 */
function forgetInLoop(ring: Ring): void {
  const { address, state, claim } = ring;
  let isInLoop = false;
  ring.address = (sequence) => {
    if (isInLoop) forget(([, head]) => [sequence, head!]);
    return address.call(ring, sequence);
  };
  ring.state = (sequence) => {
    const before = isInLoop;
    isInLoop = false;
    const found = state.call(ring, sequence);
    isInLoop = before;
    return found;
  };
  ring.claim = (lane) => {
    isInLoop = true;
    try {
      return claim.call(ring, lane);
    } finally {
      isInLoop = false;
    }
  };
}
