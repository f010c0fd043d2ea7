/** The loop of a lane (`workers/loop`), cut into sections between which it keeps nothing but what `Lane` says. */
import type { Ring } from '#src/memory/index.js';

/** Where a lane is. */
export type Pc =
  | 'look'
  | 'seen'
  | 'claim'
  | 'finish'
  | 'sleep'
  | 'asleep'
  | 'rest'
  | 'resting'
  | 'drain'
  | 'resume'
  | 'ended'
  | 'dead';

/** A lane. */
export interface Lane {
  pc: Pc;
  /** What the accesses of its section returned so far. */
  log: readonly number[];
  /** The descriptor that it has claimed. */
  address: number;
  /** Whether no reason to look for work was counted since it read their count. */
  isFresh: boolean;
  /** Whether it claims nothing; of a dead lane, whether its death was noticed. */
  isDrained: boolean;
}

/** Mistakes that a lane could make. */
export interface LaneMistakes {
  /** It reads the count of reasons to look after it has looked. */
  readonly countsLate?: boolean;
  /** Drained, it waits for work all the same. */
  readonly restsAmongSleepers?: boolean;
  /** It is drained without a word to the others. */
  readonly drainsQuietly?: boolean;
  /** It reads whether it is to stop before the count. */
  readonly stopsFirst?: boolean;
}

/** What a section ends with. */
export interface Next {
  readonly pc: Pc;
  readonly address: number;
}

/** The code of the section that a lane is in; where lanes are never stopped, they do not ask whether they are. */
export function laneSection(ring: Ring, lane: Lane, index: number, stops: boolean, mistakes: LaneMistakes): () => Next {
  const { pc, address, isDrained } = lane;
  const { countsLate = false, stopsFirst = false, restsAmongSleepers = false, drainsQuietly = false } = mistakes;
  const to = (next: Pc, claimed = -1): Next => ({ pc: next, address: claimed });
  const work: Pc = !isDrained ? 'claim' : restsAmongSleepers ? 'sleep' : 'rest';
  const ask = (): Next => (ring.isStopped ? to('ended') : to(stopsFirst ? 'seen' : work));
  const claimed = (found: number): Next => (found >= 0 ? to('finish', found) : to(countsLate ? 'seen' : 'sleep'));
  switch (pc) {
    case 'look':
      // The count, and then whether to stop.
      if (stopsFirst) return ask;
      if (countsLate) return () => claimed(ring.claim(index));
      return () => {
        count(ring);
        return to(stops ? 'seen' : work);
      };
    case 'seen':
      if (!stopsFirst && !countsLate) return ask;
      return () => {
        count(ring);
        return to(countsLate ? 'sleep' : work);
      };
    case 'claim':
      return () => claimed(ring.claim(index));
    case 'finish':
      return () => {
        ring.finish(address);
        return to('look');
      };
    case 'sleep':
      return () => {
        void ring.sleep(0, 1_000);
        return to('look');
      };
    case 'rest':
      return () => {
        void ring.rest(1_000);
        return to('look');
      };
    case 'drain':
      return () => {
        if (!drainsQuietly) ring.wake(64);
        return to('look');
      };
    default:
      return () => {
        ring.rouse();
        return to('look');
      };
  }
}

/** Reads the count of reasons to look; see `views` for why it is always 0. */
function count(ring: Ring): void {
  if (ring.workCount !== 0) throw new Error('the machine counts otherwise');
}
