/** The real ring with fewer slots, and with mistakes in it. */
import { readFileSync } from 'node:fs';
import type { Ring } from '#src/memory/index.js';
import { State } from '../../src/scheme/descriptor.js';
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

/** Name under which the source finds what it tells of a claim. */
const CLAIM = 'quantlaneClaim';

/** Lets the source tell where in a claim it is; see `Claim`. */
const TOLD: readonly Change[] = [
  ['const tail = this.tail;', `${CLAIM}.begin(); const tail = this.tail;`],
  [
    'const address = this.address(sequence);',
    `${CLAIM}.pass(this, sequence, head, next, lowest); const address = this.address(sequence);`,
  ],
  ['const state = (address >> 2) + 0', `${CLAIM}.found(this, address); const state = (address >> 2) + 0`],
];

/** The real ring, of `slots` slots, over the words that the machine steps through. */
export async function ringOf(slots: number, changes: readonly Change[] = []): Promise<Ring> {
  const text = changed([['export const SLOTS = 512;', `export const SLOTS = ${slots};`], ...TOLD, ...changes]);
  Object.assign(globalThis, { [SHARED]: STEPPED, [CLAIM]: claim });
  const named = `const Atomics = globalThis.${SHARED};\nconst ${CLAIM} = globalThis.${CLAIM};\n${text}`;
  const module = (await import(`data:text/javascript,${encodeURIComponent(named)}`)) as { Ring: typeof Ring };
  const ring = new module.Ring(new SharedArrayBuffer(4));
  // The field is `readonly` in the eyes of the compiler only.
  (ring as { words: typeof words }).words = words;
  return ring;
}

/**
 * Lets a claim forget what it has looked at but the best that it has found: it goes on as if it had come to the same by
 * the shortest way, over a tail at the slot found, which builds on no earlier pass, and slots behind it that are not ready.
 */
const claim = {
  /** It looks anew. */
  begin: () => forget(() => []),
  /** It comes to a slot, and has found the one at the address `next`, or none below 0. */
  pass(ring: Ring, sequence: number, head: number, next: number, lowest: number): void {
    if (next < 0) return forget(() => [sequence, head]);
    let found = sequence - 1;
    while (ring.address(found) !== next) found--;
    forget(() => [found, head, ...readyOf(lowest), ...new Array<number>(sequence - 1 - found).fill(State.Free)]);
  },
  /** It has looked at all slots and found this one. */
  found(ring: Ring, address: number): void {
    let sequence = 0;
    while (ring.address(sequence) !== address) sequence++;
    forget(() => [sequence, sequence + 1, ...readyOf(0)]);
  },
};

/** What a look at a slot finds that is ready and builds on no pass: its state, its turn, and the words of that pass. */
function readyOf(turn: number): number[] {
  return [State.Ready, turn, 0, 0];
}
