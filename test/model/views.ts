/** The shared memory as a lane and as the producer see it, and which of their accesses others can notice. */
import { Size, State, Word } from '../../src/scheme/descriptor.js';
import type { Access, View } from './machine.js';
import type { World } from './system.js';

/** Words at the start of the ring: `Tail`, `Head`, `Work`, `Finished`, `Stop` of `src/memory/ring`. */
const HEAD = [0, 32, 64, 96, 128];
const [TAIL_WORD, HEAD_WORD, WORK, FINISHED, STOP] = HEAD as [number, number, number, number, number];
/** The first slot. */
const SLOTS_AT = 512;
/** Words of a slot that the protocol uses. */
const KEPT: readonly Word[] = [
  ...[Word.State, Word.Attempts, Word.Status, Word.First, Word.Turn],
  ...[Word.PassFirst, Word.PassCount, Word.Leads, Word.BarrierFirst, Word.BarrierCount],
];

/** Words that lanes look at whether or not they own the slot; at all others only if they do. */
const LOOKED_AT: readonly Word[] = [Word.Turn, Word.BarrierFirst, Word.BarrierCount];

/** Where the model keeps a word of the shared memory. */
export const wordOf = {
  stop: HEAD.indexOf(STOP),
  /** Words that the model keeps. */
  count: (slots: number): number => HEAD.length + slots * KEPT.length,
  /** How many lanes have died of each slot. */
  attempts: (memory: readonly number[]): number[] =>
    memory.filter((_, at) => at >= HEAD.length && (at - HEAD.length) % KEPT.length === KEPT.indexOf(Word.Attempts)),
  /** Place of the word with an index in the arena. */
  at(index: number): number {
    const head = HEAD.indexOf(index);
    if (head >= 0) return head;
    const column = KEPT.indexOf((index - SLOTS_AT) % Size.DescriptorWords);
    if (index < SLOTS_AT || column < 0) throw new Error(`ownership: word ${index} is no word of the protocol`);
    return HEAD.length + Math.floor((index - SLOTS_AT) / Size.DescriptorWords) * KEPT.length + column;
  },
};

/** Words of a slot that nobody reads before they are written anew, by the state of the slot; see `keyOf`. */
const DEAD: Readonly<Record<number, readonly Word[]>> = {
  [State.Free]: [Word.Attempts, Word.Status, Word.First, Word.PassFirst, Word.PassCount, Word.Leads],
  [State.Done]: [Word.Attempts, Word.First, Word.PassFirst, Word.PassCount, Word.Leads],
  [State.Cancelled]: [Word.Attempts, Word.Status, Word.First, Word.PassFirst, Word.PassCount, Word.Leads],
};
const DEAD_COLUMNS = new Map(
  Object.entries(DEAD).map(([state, words]) => [Number(state), new Set(words.map((word) => KEPT.indexOf(word)))]),
);

/** The memory without what nobody will read, with the lanes renumbered. */
export function liveMemory(memory: readonly number[], order: readonly number[]): number[] {
  const live = memory.slice();
  for (let slot = HEAD.length; slot < live.length; slot += KEPT.length) {
    const state = live[slot]!;
    if (state >= State.Running) live[slot] = State.Running + order[state - State.Running]!;
    for (const column of DEAD_COLUMNS.get(live[slot]!) ?? []) live[slot + column] = 0;
  }
  return live;
}

/** Word of a slot that an index means, and the place of the state of that slot. */
function slotWord(index: number): { word: Word; state: number } | undefined {
  if (index < SLOTS_AT) return undefined;
  const word = (index - SLOTS_AT) % Size.DescriptorWords;
  return { word, state: wordOf.at(index - word) };
}

/**
 * Carries an access out. The counts of reasons to look are always 0: whether one was added since a process read it says
 * all that the code asks of it, and keeps the states few.
 */
function carryOut(world: World, access: Access, process: number): number {
  const { kind, index, value, other } = access;
  const { memory } = world;
  if (index === WORK || index === FINISHED) return signal(world, access, process);
  const at = wordOf.at(index);
  const before = memory[at]!;
  if (kind === 'wait') return rest(world, process, before === value);
  if (kind === 'notify') return rouse(world);
  if (kind === 'load' || kind === 'read') return before;
  // All that the code asks of an exchange is whether it succeeded.
  if (kind === 'exchange' && before !== other) return -1;
  memory[at] = value;
  return kind === 'exchange' ? before : 0;
}

/** Counts reasons to look, wakes and sleeps; the process −1 is the producer. */
function signal(world: World, { kind, index, other }: Access, process: number): number {
  const lane = world.lanes[process];
  if (kind === 'load') {
    if (lane !== undefined) lane.isFresh = true;
    else world.isFresh = true;
  } else if (kind === 'add') {
    if (index === WORK) for (const each of world.lanes) each.isFresh = false;
    else world.isFresh = false;
  } else if (kind === 'notify') {
    if (index === WORK) wakeLanes(world, other);
    else world.isWaiting = false;
  } else if (lane !== undefined) {
    if (!lane.isFresh) return 0;
    lane.pc = 'asleep';
    lane.isFresh = false;
    world.sleepers.push(process);
    return 1;
  } else {
    world.isWaiting = world.isFresh;
    return world.isFresh ? 1 : 0;
  }
  return 0;
}

/** A lane rests on the word that stops it, unless it stopped. */
function rest(world: World, process: number, isEqual: boolean): number {
  if (isEqual) world.lanes[process]!.pc = 'resting';
  return isEqual ? 1 : 0;
}

function rouse(world: World): number {
  for (const lane of world.lanes) if (lane.pc === 'resting') lane.pc = 'look';
  return 0;
}

function wakeLanes(world: World, count: number): void {
  for (const index of world.sleepers.splice(0, count)) {
    const lane = world.lanes[index]!;
    if (lane.pc === 'asleep') lane.pc = 'look';
  }
}

/** A state of a slot, as far as a lane tells states apart. */
function forLane(state: number): number {
  return state === State.Free || state >= State.Running ? State.Running : state;
}

/** A state of a slot, as far as the producer tells states apart, but for a turn that looks who holds a slot. */
function forProducer(state: number): number {
  return state >= State.Running ? State.Ready : state;
}

function isState({ kind, index }: Access): boolean {
  return kind === 'load' && slotWord(index)?.word === Word.State;
}

/** What the producer sees: nobody else writes the words of a slot that is free, done or withdrawn. */
export function producerView(world: World, isExact: boolean, reuses: boolean): View {
  const settled: readonly number[] = [State.Free, State.Done, State.Cancelled];
  return {
    access(access) {
      const found = carryOut(world, access, -1);
      return isState(access) && !isExact ? forProducer(found) : found;
    },
    isVisible({ kind, index, value }) {
      // It alone writes tail and head; to write what stands there changes nothing.
      if (index === TAIL_WORD || index === HEAD_WORD)
        return kind !== 'load' && world.memory[wordOf.at(index)] !== value;
      const slot = slotWord(index);
      if (slot === undefined) return true;
      if (slot.word === Word.State) return kind !== 'load' || !settled.includes(world.memory[slot.state]!);
      const isLookedAt = LOOKED_AT.includes(slot.word);
      return reuses && kind === 'write' && isLookedAt && world.memory[wordOf.at(index)] !== value;
    },
  };
}

/**
 * What a lane sees. Where nobody ever stops the lanes, it does not matter when it asks; where no slot is filled twice, it
 * does not matter when it looks at the turn and the words of an earlier pass.
 */
export function laneView(world: World, index: number, stops: boolean, reuses: boolean): View {
  return {
    access(access) {
      const found = carryOut(world, access, index);
      return isState(access) ? forLane(found) : found;
    },
    isVisible({ kind, index: word }) {
      if (word === STOP) return stops;
      const slot = slotWord(word);
      if (kind !== 'read' || slot === undefined) return true;
      const isOwn = world.memory[slot.state] === State.Running + index;
      if (LOOKED_AT.includes(slot.word)) return reuses && !isOwn;
      if (!isOwn) {
        throw new Error(`ownership: lane ${index} reads word ${slot.word} of a slot that is not its own`);
      }
      return false;
    },
  };
}
