/**
 * The ring of descriptors: how the runtime (the one producer) and the lanes share work without messages.
 *
 * A descriptor is a slot of `Size.Descriptor` bytes (see `scheme/codes`). The producer fills free slots in order of
 * their sequence number and publishes them by storing `State.Ready` and then the head; a lane claims a ready slot by
 * a compare-and-exchange that also writes which lane it is, so that the slots of a lane that died are known. Every
 * other word of a slot is written by one side at a time: by the producer until it stores `Ready`, by the claiming lane
 * until it stores `Done`. All words here are accessed with `Atomics`, which are sequentially consistent: what was
 * written before a state was stored is seen by whoever loads that state.
 * @module
 */
import { Size, State, Word } from '../scheme/descriptor.js';

/** Most lanes of a runtime. */
export const MAX_LANES = 64;

/** Slots of the ring; a power of two. */
export const SLOTS = 512;

/**
 * The shared words of the ring, as indices of 32-bit words. They stand 128 bytes apart, so that no two owners write to
 * one cache line.
 */
const enum Shared {
  /** Sequence number of the oldest slot in use. Written by the producer. */
  Tail = 0,
  /** One past the newest. Written by the producer, after the slots before it are ready. */
  Head = 32,
  /** Counts reasons to look for work. Added to by the producer and by a lane whose result others wait for; lanes wait on it. */
  Work = 64,
  /** Counts reasons for the producer to look. Added to by whoever settles the last descriptor of a pass; it waits on it. */
  Finished = 96,
  /** 1 asks the lanes to return. Written by the producer; lanes that take no work wait on it. */
  Stop = 128,
  /** Ranges of the long unit that is worked off in parts: those of a part, and those of all so far. Used like `InPlace`. */
  Ranges = 160,
  /** Two descriptors for work in place, each of `Size.DescriptorWords` words. Used by the producer's thread only. */
  InPlace = 256,
  /** The slots. */
  Slots = 512,
}

/** Bytes at the start of the arena that the ring takes. */
export const RING_BYTES = Shared.Slots * 4 + SLOTS * Size.Descriptor;

/** The ring over an arena; both sides make their own. */
export class Ring {
  /** The whole arena as signed words. */
  readonly words: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  /** Byte address of the descriptor of a sequence number. */
  address(sequence: number): number {
    return (Shared.Slots + (sequence & (SLOTS - 1)) * Size.DescriptorWords) * 4;
  }

  /** Byte address of the first slot. */
  get base(): number {
    return Shared.Slots * 4;
  }

  /** Byte address of descriptor 0 or 1 for work in place. */
  inPlace(which: 0 | 1): number {
    return (Shared.InPlace + which * Size.DescriptorWords) * 4;
  }

  /** Word index of 64 words for the ranges of a unit that is worked off in parts. */
  get ranges(): number {
    return Shared.Ranges;
  }

  /** Producer: whether `count` slots are free. */
  hasRoom(count: number): boolean {
    return ((this.head - this.tail) | 0) + count <= SLOTS;
  }

  /** Sequence number of the next slot to fill. */
  get head(): number {
    return Atomics.load(this.words, Shared.Head);
  }

  /** Sequence number of the oldest slot in use. */
  get tail(): number {
    return Atomics.load(this.words, Shared.Tail);
  }

  /** Producer: makes the slot at the head, filled before, ready for any lane. Lanes see it at once; `wake` those that sleep. */
  publish(): void {
    const sequence = this.head;
    Atomics.store(this.words, (this.address(sequence) >> 2) + Word.State, State.Ready);
    Atomics.store(this.words, Shared.Head, (sequence + 1) | 0);
  }

  /** Producer: gives free slots at the tail back. */
  retire(): void {
    const head = this.head;
    let tail = this.tail;
    while (tail !== head && this.state(tail) === State.Free) tail = (tail + 1) | 0;
    Atomics.store(this.words, Shared.Tail, tail);
  }

  /** State of the slot of a sequence number. */
  state(sequence: number): State {
    return Atomics.load(this.words, (this.address(sequence) >> 2) + Word.State);
  }

  /** Producer: the slot, whose results have been read, is free. */
  free(sequence: number): void {
    Atomics.store(this.words, (this.address(sequence) >> 2) + Word.State, State.Free);
  }

  /** Producer: withdraws a slot that no lane has claimed; false where one has. */
  withdraw(sequence: number): boolean {
    const at = this.address(sequence) >> 2;
    if (Atomics.compareExchange(this.words, at + Word.State, State.Ready, State.Cancelled) !== State.Ready)
      return false;
    this.#settle(at, State.Cancelled);
    return true;
  }

  /** Lets at most `count` sleeping lanes look for work. */
  wake(count: number): void {
    Atomics.add(this.words, Shared.Work, 1);
    Atomics.notify(this.words, Shared.Work, count);
  }

  /** Lane: the count of reasons to look for work, to be read before looking and passed to `sleep`. */
  get workCount(): number {
    return Atomics.load(this.words, Shared.Work);
  }

  /** Lane: keeps looking until there is work or `milliseconds` have passed. */
  spin(seen: number, milliseconds: number): void {
    const end = performance.now() + milliseconds;
    while (this.workCount === seen && performance.now() < end);
  }

  /** Lane: blocks the thread until there is work or `milliseconds` have passed. */
  doze(seen: number, milliseconds: number): void {
    Atomics.wait(this.words, Shared.Work, seen, milliseconds);
  }

  /** Lane: waits without blocking until there is work or `milliseconds` have passed. */
  async sleep(seen: number, milliseconds: number): Promise<void> {
    const wait = Atomics.waitAsync(this.words, Shared.Work, seen, milliseconds);
    if (wait.async) await wait.value;
  }

  /**
   * Lane that takes no work: waits without blocking until lanes are asked to return, `rouse`, or `milliseconds` have
   * passed. It does not wait for work, for it would use up the wake-up of a lane that takes it.
   */
  async rest(milliseconds: number): Promise<void> {
    const wait = Atomics.waitAsync(this.words, Shared.Stop, 0, milliseconds);
    if (wait.async) await wait.value;
  }

  /** Lets lanes that rest look whether they are to go on. */
  rouse(): void {
    Atomics.notify(this.words, Shared.Stop);
  }

  /**
   * Lane: claims the descriptor whose turn it is, the oldest of those with the lowest number; its byte address, or −1 where
   * there is nothing to do.
   */
  claim(lane: number): number {
    for (let address = this.#next(); address >= 0; address = this.#next()) {
      const state = (address >> 2) + Word.State;
      if (Atomics.compareExchange(this.words, state, State.Ready, State.Running + lane) !== State.Ready) continue;
      // The slot may have been withdrawn and filled again between the two looks: now that it is ours, look again.
      if (this.#isDue(address)) return address;
      Atomics.store(this.words, state, State.Ready);
    }
    return -1;
  }

  /** Address of the ready descriptor whose turn it is; another lane may be faster. */
  #next(): number {
    // The tail first: a head that was read before could lie behind it.
    const tail = this.tail;
    const head = this.head;
    let next = -1;
    let lowest = 0;
    for (let sequence = tail; sequence !== head; sequence = (sequence + 1) | 0) {
      const address = this.address(sequence);
      const at = address >> 2;
      if (Atomics.load(this.words, at + Word.State) !== State.Ready) continue;
      const turn = this.words[at + Word.Turn]!;
      // Numbers wrap around.
      if ((next >= 0 && ((turn - lowest) | 0) >= 0) || !this.#isDue(address)) continue;
      next = address;
      lowest = turn;
    }
    return next;
  }

  /** Whether the earlier pass, if there is one that this descriptor builds on, is settled. */
  #isDue(address: number): boolean {
    const at = address >> 2;
    return this.#isSettled(this.words[at + Word.BarrierFirst]!, this.words[at + Word.BarrierCount]!);
  }

  /** Lane: the descriptor at `address` is carried out and its result words are written. */
  finish(address: number): void {
    this.#settle(address >> 2, State.Done);
  }

  /**
   * Ends a descriptor. Only the last of a pass wakes anybody, because waking costs more than many a descriptor: the
   * lanes where another pass builds on it, else the producer. The other pass lies behind this one; where it was withdrawn
   * no lane will end it, and the producer, which waits for what runs, is woken too.
   *
   * The states alone say whether a pass is settled. A count beside them could be wrong: a lane may die between the two,
   * or be held up until the slot, which is the producer's again, belongs to another pass. For the same reason the words
   * of the pass are read before the state is stored. Of two lanes that settle the last two at once, both may wake; none
   * cannot happen, for the one that stores last sees the state of the other.
   */
  #settle(at: number, state: State): void {
    const first = this.words[at + Word.PassFirst]!;
    const count = this.words[at + Word.PassCount]!;
    const leads = this.words[at + Word.Leads] === 1;
    Atomics.store(this.words, at + Word.State, state);
    if (!this.#isSettled(first, count)) return;
    if (leads) this.wake(MAX_LANES);
    if (!leads || this.state(first + count) === State.Cancelled) this.nudge();
  }

  /** Whether `count` descriptors from the sequence number `first` on are done or withdrawn. */
  #isSettled(first: number, count: number): boolean {
    for (let k = 0; k < count; k++) {
      const state = this.state(first + k);
      if (state !== State.Done && state !== State.Cancelled) return false;
    }
    return true;
  }

  /** Producer: the count of reasons to look, to be read before looking and passed to `untilFinished`. */
  get finishedCount(): number {
    return Atomics.load(this.words, Shared.Finished);
  }

  /** Producer: waits without blocking until a lane finished something or `milliseconds` have passed. */
  async untilFinished(seen: number, milliseconds: number): Promise<void> {
    const wait = Atomics.waitAsync(this.words, Shared.Finished, seen, milliseconds);
    if (wait.async) await wait.value;
  }

  /** Has the producer look for what is settled. */
  nudge(): void {
    Atomics.add(this.words, Shared.Finished, 1);
    Atomics.notify(this.words, Shared.Finished);
  }

  /** Producer: asks every lane to return, or lets new ones run. */
  setStop(stop: boolean): void {
    Atomics.store(this.words, Shared.Stop, stop ? 1 : 0);
    if (!stop) return;
    this.wake(MAX_LANES);
    this.rouse();
  }

  /** Whether lanes are asked to return. */
  get isStopped(): boolean {
    return Atomics.load(this.words, Shared.Stop) === 1;
  }

  /** Sequence numbers of the slots that a lane, which has died, was running. */
  heldBy(lane: number): number[] {
    const held: number[] = [];
    for (let sequence = this.tail; sequence !== this.head; sequence = (sequence + 1) | 0) {
      if (this.state(sequence) === State.Running + lane) held.push(sequence);
    }
    return held;
  }

  /**
   * Producer: makes a slot that a dead lane held ready again, or done with an error where it has killed too many.
   * @returns whether it is ready again
   */
  giveBack(sequence: number, attempts: number, poison: number): boolean {
    const at = this.address(sequence) >> 2;
    const tried = this.words[at + Word.Attempts]! + 1;
    this.words[at + Word.Attempts] = tried;
    if (tried < attempts) {
      Atomics.store(this.words, at + Word.State, State.Ready);
      return true;
    }
    this.words[at + Word.Status] = poison;
    this.#settle(at, State.Done);
    return false;
  }
}
