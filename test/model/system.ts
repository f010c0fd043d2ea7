/** The whole system as the checker sees it: lanes, a dispatcher with its callers, what can happen, what must hold. */
import type { Ring } from '#src/memory/index.js';
import { State as Slot, Word } from '../../src/scheme/descriptor.js';
import type { Move, System } from './explore.js';
import { type Lane, type LaneMistakes, laneSection, type Pc } from './lane.js';
import { takeStep } from './machine.js';
import {
  ATTEMPTS,
  type Fate,
  freshLocal,
  type JobPlan,
  type Local,
  type Mistakes,
  Producer,
  type Setting,
} from './producer.js';
import { laneView, liveMemory, producerView, wordOf } from './views.js';

/** A state. Everything is plain data; a state is never changed, each step makes a new one. */
export interface World {
  readonly memory: number[];
  readonly lanes: Lane[];
  /** Lanes that sleep, in the order in which they are woken. */
  readonly sleepers: number[];
  local: Local;
  /** The turn that the producer is in, with the values that its accesses returned; '' between two turns. */
  turn: string;
  log: readonly number[];
  /** Whether nothing was counted since the producer read the count of what is finished, and whether it waits for it. */
  isFresh: boolean;
  isWaiting: boolean;
  /** Tags of descriptors that lanes have carried out, each as often. */
  readonly done: number[];
  /** What may still be done to the system. */
  crashes: number;
  aborts: number;
  drains: number;
}

/** What is explored. */
export interface Scenario {
  readonly slots: number;
  readonly jobs: readonly JobPlan[];
  /** Threads that may end at any step. */
  readonly crashes?: number;
  /** Calls that may be given up, at any turn. */
  readonly aborts?: number;
  /** Lanes that may be drained, for good. */
  readonly drains?: number;
  /** The job that ends every lane which touches it. */
  readonly poison?: number;
  /** Whether the lanes are stopped in the end. */
  readonly stops?: boolean;
  readonly mistakes?: Mistakes & LaneMistakes;
}

const LANES = 2;

/** The system of a scenario over a ring. */
export function systemOf(ring: Ring, scenario: Scenario): System<World> {
  const { slots, jobs, mistakes = {} } = scenario;
  const setting: Setting = { ring, slots, lanes: LANES, jobs, mistakes };
  const rules = new Rules(setting, scenario);
  return {
    start: rules.start(),
    key: keyOf,
    moves: (world) => rules.moves(world),
    violation: (world) => rules.violation(world),
    restViolation: (world) => rules.restViolation(world),
  };
}

const PCS: readonly Pc[] = [
  'look',
  'seen',
  'claim',
  'finish',
  'sleep',
  'asleep',
  'rest',
  'resting',
  'drain',
  'resume',
  'ended',
  'dead',
];
const FATES: readonly Fate[] = ['new', 'live', 'resolved', 'rejected', 'poisoned'];

/** The same integers for the same states only, but for the numbers of the lanes. */
function keyOf(world: World): number[] {
  const [one, other] = world.lanes as [Lane, Lane];
  const first = compare(encodeLane(one), encodeLane(other));
  if (first !== 0) return encode(world, first < 0 ? [0, 1] : [1, 0]);
  const keys = [encode(world, [0, 1]), encode(world, [1, 0])] as const;
  return compare(...keys) < 0 ? keys[0] : keys[1];
}

function encodeLane({ pc, address, isFresh, isDrained, log }: Lane): number[] {
  return [log.length, PCS.indexOf(pc), address, Number(isFresh), Number(isDrained), ...log];
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (let at = 0; at < one.length; at++) {
    if (one[at] !== other[at]) return one[at]! < (other[at] ?? -1) ? -1 : 1;
  }
  return 0;
}

/** A state as integers, with the lanes in an order; lists are preceded by their length. */
function encode(world: World, order: readonly number[]): number[] {
  const { lanes, sleepers, local, turn, log, isFresh, isWaiting, done, crashes, aborts, drains } = world;
  const key = liveMemory(world.memory, order);
  key.push(sleepers.length, log.length, done.length, local.backlog.length, Number(local.isWatching), Number(isFresh));
  key.push(Number(isWaiting), crashes, aborts, drains);
  for (const lane of sleepers) key.push(order[lane]!);
  for (const index of order) for (const value of encodeLane(lanes[index]!)) key.push(value);
  for (const value of log) key.push(value);
  for (const value of done) key.push(value);
  for (const value of local.backlog) key.push(value);
  for (const value of local.owners) key.push(value);
  for (const { fate, first, remaining, isCancelled, status } of local.flights) {
    key.push(FATES.indexOf(fate), first, remaining, Number(isCancelled), status);
  }
  const isOfLane = turn.startsWith('lost');
  for (let at = 0; at < turn.length; at++) {
    key.push(isOfLane && at === 5 ? order[turn.charCodeAt(at) - 48]! : turn.charCodeAt(at));
  }
  return key;
}

function localCopy({ backlog, flights, owners, isWatching }: Local): Local {
  return {
    backlog: backlog.slice(),
    flights: flights.map((flight) => ({ ...flight })),
    owners: owners.slice(),
    isWatching,
  };
}

function copyOf(world: World): World {
  return {
    ...world,
    memory: world.memory.slice(),
    lanes: world.lanes.map((lane) => ({ ...lane })),
    sleepers: world.sleepers.slice(),
    done: world.done.slice(),
  };
}

/** What can happen, and what must hold. */
class Rules {
  readonly #setting: Setting;
  readonly #scenario: Scenario;
  /** Whether a slot may be filled more than once. */
  readonly #reuses: boolean;

  constructor(setting: Setting, scenario: Scenario) {
    const { slots, jobs } = scenario;
    this.#reuses = jobs.reduce((sum, { chunks, isTwoPass }) => sum + chunks * (isTwoPass ? 2 : 1), 0) > slots;
    this.#setting = setting;
    this.#scenario = scenario;
  }

  start(): World {
    const { crashes = 0, aborts = 0, drains = 0, slots } = this.#scenario;
    return {
      memory: new Array<number>(wordOf.count(slots)).fill(0),
      lanes: Array.from({ length: LANES }, () => ({
        pc: 'look',
        log: [],
        address: -1,
        isFresh: false,
        isDrained: false,
      })),
      sleepers: [],
      local: freshLocal(this.#setting),
      turn: '',
      log: [],
      isFresh: false,
      isWaiting: false,
      done: [],
      crashes,
      aborts,
      drains,
    };
  }

  moves(world: World): Move<World>[] {
    const moves: Move<World>[] = [];
    for (const [index, lane] of world.lanes.entries()) this.#laneMoves(world, index, lane, moves);
    if (world.turn !== '') {
      moves.push({ name: `producer: ${world.turn}`, isOwn: true, next: () => this.#turnStep(world, world.turn) });
    } else {
      for (const turn of this.#turns(world)) {
        const isOwn = !turn.startsWith('cancel');
        moves.push({ name: `producer: ${turn}`, isOwn, next: () => this.#turnStep(world, turn) });
      }
    }
    return moves;
  }

  #laneMoves(world: World, index: number, lane: Lane, moves: Move<World>[]): void {
    const name = `lane ${index}`;
    const change = (what: string, isOwn: boolean, apply: (next: World, lane: Lane) => void): void => {
      const next = (): World => {
        const copy = copyOf(world);
        apply(copy, copy.lanes[index]!);
        return copy;
      };
      moves.push({ name: `${name}: ${what}`, isOwn, next });
    };
    if (lane.pc === 'dead') {
      // The pool starts it again once the producer has seen to what it held.
      if (lane.isDrained) change('starts again', true, (_, it) => enter(it, 'resume'));
      return;
    }
    if (lane.pc === 'ended') return;
    const isDoomed = lane.pc === 'finish' && lane.log.length === 0 && this.#isPoison(world, lane);
    if (lane.pc !== 'asleep' && lane.pc !== 'resting' && !isDoomed) {
      moves.push({ name: `${name}: ${lane.pc}`, isOwn: true, next: () => this.#laneStep(world, index) });
    }
    if (isDoomed || world.crashes > 0) {
      change('dies', isDoomed, (next, it) => {
        if (!isDoomed) next.crashes--;
        kill(next, it, index);
      });
    }
    if (world.drains > 0 && !lane.isDrained && (lane.pc === 'asleep' || lane.pc === 'look')) {
      change('is drained', false, (next, it) => {
        next.drains--;
        it.isDrained = true;
        enter(it, 'drain');
      });
    }
  }

  /** Turns that the producer may begin. */
  #turns(world: World): string[] {
    const turns: string[] = [];
    const { flights, isWatching } = world.local;
    world.lanes.forEach((lane, index) => {
      if (lane.pc === 'dead' && !lane.isDrained) turns.push(`lost ${index}`);
    });
    const waiting = flights.flatMap(({ fate }, job) => (fate === 'new' ? [job] : []));
    // Two callers: the odd jobs are those of one, the even jobs those of the other, each in order.
    const next = [0, 1].flatMap((caller) => waiting.filter((job) => job % 2 === caller).slice(0, 1));
    const callers = next.filter((job) => job < 2 || flights[job - 2]!.fate !== 'live');
    for (const job of callers) turns.push(`submit ${job}`);
    if (callers.length === 2) turns.push(`submit ${callers.join(' ')}`);
    if (isWatching && !world.isWaiting) turns.push('watch');
    if (world.aborts > 0) {
      flights.forEach(({ fate, isCancelled }, job) => {
        if (fate === 'live' && !isCancelled) turns.push(`cancel ${job}`);
      });
    }
    const isOver = flights.every(({ fate }) => fate !== 'new' && fate !== 'live') && !isWatching;
    if (this.#scenario.stops === true && isOver && world.memory[wordOf.stop] === 0) turns.push('stop');
    return turns;
  }

  #turnStep(world: World, turn: string): World {
    const next = copyOf(world);
    const [what, ...numbers] = turn.split(' ');
    const jobs = numbers.map(Number);
    // The turn is run anew at each step, on a copy of what the dispatcher knew at its beginning.
    const producer = new Producer(this.#setting, localCopy(world.local));
    const { ring } = this.#setting;
    const section = (): void => {
      if (what === 'submit') producer.submit(jobs);
      else if (what === 'watch') producer.watch();
      else if (what === 'cancel') producer.cancel(jobs[0]!);
      else if (what === 'lost') producer.lost(jobs[0]!);
      else if (what === 'stop') ring.setStop(true);
      else void ring.untilFinished(0, 1_000);
    };
    const step = takeStep(section, world.log, producerView(next, what === 'lost', this.#reuses));
    if ('log' in step) {
      next.turn = turn;
      next.log = step.log;
      return next;
    }
    next.turn = '';
    next.log = [];
    next.local = producer.local;
    this.#checkParts(next, world.local);
    settleAccounts(next);
    if (what === 'cancel') next.aborts--;
    if (what === 'lost') next.lanes[jobs[0]!]!.isDrained = true;
    // The loop goes on waiting in the same turn.
    if (what === 'watch' || (what === 'submit' && !world.local.isWatching)) {
      if (producer.local.isWatching) next.turn = 'wait';
    }
    if (next.turn === '') next.isFresh = false;
    return next;
  }

  /** A job that is resolved was carried out in every part; one that is given up for its deaths had them. */
  #checkParts({ local, done }: World, before: Local): void {
    for (const [job, { fate }] of local.flights.entries()) {
      const { chunks, isTwoPass } = this.#setting.jobs[job]!;
      if (before.flights[job]!.fate === fate) continue;
      const parts = done.filter((tag) => tag >> 4 === job).length;
      if (fate === 'resolved' && parts !== chunks * (isTwoPass ? 2 : 1)) {
        throw new Error(`exactly once: job ${job} was resolved after ${parts} parts`);
      }
      if (fate === 'poisoned' && this.#scenario.poison !== job && (this.#scenario.crashes ?? 0) < 2) {
        throw new Error(`crash recovery: job ${job} was rejected after fewer than two deaths`);
      }
    }
  }

  #laneStep(world: World, index: number): World {
    const next = copyOf(world);
    const lane = next.lanes[index]!;
    const section = laneSection(
      this.#setting.ring,
      lane,
      index,
      this.#scenario.stops === true,
      this.#scenario.mistakes ?? {},
    );
    const tag = lane.pc === 'finish' && isRunning(world, index) ? this.#tagOf(world, lane) : -1;
    const step = takeStep(section, lane.log, laneView(next, index, this.#scenario.stops === true, this.#reuses));
    if (tag >= 0 && !isRunning(next, index)) {
      if (next.done.includes(tag)) throw new Error(`exactly once: part ${tag} was carried out twice`);
      next.done.splice(next.done.filter((other) => other < tag).length, 0, tag);
    }
    if ('log' in step) {
      lane.log = step.log;
      return next;
    }
    const { pc, address } = step.result;
    // A lane that was put to sleep by its own step is asleep already.
    if ((lane.pc as Pc) !== 'asleep' && (lane.pc as Pc) !== 'resting') enter(lane, pc);
    // What was counted meanwhile makes the wait end at once, whenever it begins.
    if (pc === 'sleep' && !lane.isFresh) enter(lane, 'look');
    lane.address = address;
    lane.log = [];
    return next;
  }

  #tagOf(world: World, lane: Lane): number {
    return world.memory[wordOf.at(lane.address / 4 + Word.First)]!;
  }

  #isPoison(world: World, lane: Lane): boolean {
    return this.#scenario.poison !== undefined && this.#tagOf(world, lane) >> 4 === this.#scenario.poison;
  }

  /** A slot of the earlier pass that is not settled; −1 where there is none. */
  #openBefore(world: World, slot: number): number {
    const word = (at: number): number => world.memory[wordOf.at(at)]!;
    const first = word(slot + Word.BarrierFirst);
    for (let k = 0; k < word(slot + Word.BarrierCount); k++) {
      const state: Slot = word(this.#setting.ring.address(first + k) / 4);
      if (state !== Slot.Done && state !== Slot.Cancelled) return first + k;
    }
    return -1;
  }

  violation(world: World): string | undefined {
    const { flights } = world.local;
    for (const [index, lane] of world.lanes.entries()) {
      if (lane.pc !== 'finish' || (lane.log.length > 0 && !isRunning(world, index))) continue;
      // It carries a descriptor out, and reads and writes the leases of its job.
      const tag = this.#tagOf(world, lane);
      const flight = flights[tag >> 4]!;
      const slot = (lane.address / 4) | 0;
      if (flight.fate !== 'live' && flight.fate !== 'new') {
        return `lease safety: lane ${index} works on job ${tag >> 4}, which is ${flight.fate}`;
      }
      if (!isRunning(world, index)) {
        return `ownership: lane ${index} works in a slot that is not its own`;
      }
      const open = this.#openBefore(world, slot);
      if (open >= 0) return `barrier: lane ${index} is in a second pass, and slot ${open} of the first is not settled`;
    }
    const tried = wordOf.attempts(world.memory).findIndex((attempts) => attempts > ATTEMPTS);
    return tried < 0 ? undefined : `crash recovery: slot ${tried} has ended more than ${ATTEMPTS} lanes`;
  }

  restViolation(world: World): string | undefined {
    const { flights } = world.local;
    const live = flights.findIndex(({ fate }) => fate === 'live' || fate === 'new');
    const isServed = world.lanes.some(({ isDrained, pc }) => !isDrained && pc !== 'dead');
    if (live >= 0 && isServed) return `no lost wakeup: everybody sleeps, and job ${live} is not over`;
    const sleeper = world.lanes.findIndex(({ pc }) => pc !== 'ended' && pc !== 'dead');
    if (live < 0 && sleeper >= 0 && this.#scenario.stops === true)
      return `no lost wakeup: lane ${sleeper} sleeps through the stop`;
    const { poison } = this.#scenario;
    if (live < 0 && poison !== undefined && !['poisoned', 'rejected'].includes(flights[poison]!.fate)) {
      return `crash recovery: the poison batch is ${flights[poison]!.fate}`;
    }
    return undefined;
  }
}

/** Whether the slot that a lane has claimed is still its own. */
function isRunning({ memory, lanes }: World, index: number): boolean {
  return memory[wordOf.at(lanes[index]!.address / 4)] === Slot.Running + index;
}

/** Forgets what nobody asks about jobs that are over. */
function settleAccounts({ local, done }: World): void {
  for (const [job, flight] of local.flights.entries()) {
    if (flight.fate === 'live' || flight.fate === 'new') continue;
    Object.assign(flight, { first: -1, remaining: 0, isCancelled: false, status: 0 });
    for (let at = done.length - 1; at >= 0; at--) if (done[at]! >> 4 === job) done.splice(at, 1);
  }
}

function enter(lane: Lane, pc: Pc): void {
  lane.pc = pc;
  lane.log = [];
  if (pc === 'resume') lane.isDrained = false;
  if (pc === 'look' || pc === 'drain' || pc === 'finish' || pc === 'ended') lane.isFresh = false;
}

function kill(world: World, lane: Lane, index: number): void {
  Object.assign(lane, { pc: 'dead', log: [], address: -1, isFresh: false, isDrained: false });
  const at = world.sleepers.indexOf(index);
  if (at >= 0) world.sleepers.splice(at, 1);
}
