import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Kernel } from '#src/kernels/index.js';
import { RING_BYTES, Ring } from '#src/memory/index.js';
import { LaneControl } from '../../dist/workers/control.js';
import start from '../../dist/workers/lane.js';
import { Lane } from '../../dist/workers/loop.js';
import { Size, State, Word } from '../../src/scheme/descriptor.js';
import { turn, until } from '../runtime/helpers.js';

const KERNEL = 15;

/** A ring over memory of a lane on this thread. */
let memory: WebAssembly.Memory;
let ring: Ring;

beforeEach(() => {
  const pages = Math.ceil(RING_BYTES / 65_536);
  memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  ring = new Ring(memory.buffer as unknown as SharedArrayBuffer);
});

afterEach(() => {
  ring.setStop(true);
});

/** Publishes a descriptor; its sequence number. */
function publish(): number {
  const sequence = ring.head;
  const at = ring.address(sequence) >> 2;
  ring.words.fill(-1, at + 1, at + Size.DescriptorWords);
  ring.words[at + Word.BarrierCount] = 0;
  ring.words[at + Word.PassFirst] = sequence;
  ring.words[at + Word.PassCount] = 1;
  ring.publish();
  ring.wake(1);
  return sequence;
}

function word(sequence: number, at: Word): number {
  return ring.words[(ring.address(sequence) >> 2) + at]!;
}

/** A kernel that calls back. */
function kernel(execute: (address: number) => void): Kernel {
  return { name: 'scalar', execute };
}

describe('the loop of a lane', () => {
  test('claims nothing before it is asked to', async () => {
    const lane = new Lane(
      3,
      memory,
      kernel(() => undefined),
    );
    const sequence = publish();
    const end = lane.run();
    await turn();
    expect(ring.state(sequence)).toBe(State.Ready);
    lane.resume();
    await until(() => ring.state(sequence) === State.Done, 'the descriptor');
    expect(lane.batches).toBe(1);
    ring.setStop(true);
    await end;
  });

  test('runs with outcome words that are empty, whatever was in them', async () => {
    const seen: number[][] = [];
    const words = [Word.Status, Word.BadCount, Word.BadFirst, Word.High, Word.Low];
    const lane = new Lane(
      3,
      memory,
      kernel((address) => seen.push(words.map((at) => ring.words[(address >> 2) + at]!))),
    );
    lane.resume();
    const sequence = publish();
    const end = lane.run();
    await until(() => ring.state(sequence) === State.Done, 'the descriptor');
    expect(seen).toEqual([[0, 0, -1, 0, -0x80000000]]);
    ring.setStop(true);
    await end;
  });

  test('names a trap and goes on', async () => {
    let calls = 0;
    const lane = new Lane(
      0,
      memory,
      kernel(() => {
        if (calls++ === 0) throw new Error('out of bounds');
      }),
    );
    lane.resume();
    const sequences = [publish(), publish()];
    const end = lane.run();
    await until(() => sequences.every((sequence) => ring.state(sequence) === State.Done), 'both descriptors');
    expect(sequences.map((sequence) => word(sequence, Word.Status))).toEqual([KERNEL, 0]);
    expect(lane.batches).toBe(2);
    ring.setStop(true);
    await end;
  });

  test('drained it leaves the work, and a stop ends it', async () => {
    const lane = new Lane(
      0,
      memory,
      kernel(() => undefined),
    );
    const end = lane.run();
    lane.resume();
    lane.drain();
    const sequence = publish();
    await turn();
    await turn();
    expect(ring.state(sequence)).toBe(State.Ready);
    ring.setStop(true);
    await end;
    expect(lane.batches).toBe(0);
  });

  test('gives its thread’s other work a turn between batches', async () => {
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    const lane = new Lane(
      0,
      memory,
      kernel(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3)),
    );
    lane.resume();
    const sequences = Array.from({ length: 10 }, publish);
    const end = lane.run();
    await until(() => ring.state(sequences[9]!) === State.Done, 'all descriptors');
    clearInterval(counter);
    expect(turns).toBeGreaterThan(3);
    ring.setStop(true);
    await end;
  });
});

test('the control of a lane', async () => {
  const lane = new Lane(
    5,
    memory,
    kernel(() => undefined),
  );
  const control = new LaneControl(lane);
  expect(control.ping()).toBe(5);
  expect(control.stats()).toMatchObject({ lane: 5, kernels: 'scalar', batches: 0, busyMs: 0 });
  expect(await control.selfTest()).toMatchObject({ ok: true, failed: [] });
});

test('a session is over when the ring is stopped: its channel closes', async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = new Promise((resolve) => port1.once('close', resolve));
  expect(start({ lane: 7, memory, kernels: null, relaxed: null, port: port2 })).toBe(7);
  ring.setStop(true);
  await closed;
});
