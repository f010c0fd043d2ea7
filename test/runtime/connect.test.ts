/** Other threads of the host as producers. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { attachRuntime, type ErrorCode, type Runtime, type RuntimeMetrics } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { copied, expectSame, FORCED, resultAtOnce, until, valuesOf } from './helpers.js';

const PRODUCER = new URL('../support/threads/producer.mjs', import.meta.url);
const BYTES = 4 * 2 ** 20;

interface Views {
  readonly data: Int8Array | Uint8Array;
  readonly scale: Float32Array;
  readonly zeroPoint: Uint8Array | null;
}

/** A worker that is connected to a runtime. */
class Producer {
  readonly worker: Worker;
  readonly #answers = new Map<number, { resolve(answer: unknown): void; reject(error: unknown): void }>();
  #last = 0;

  constructor(runtime: Runtime) {
    const port = runtime.connect({ memory: BYTES });
    this.worker = new Worker(PRODUCER, { workerData: { port }, transferList: [port] });
    this.worker.on('message', ({ id, answer, error }) => {
      if (error === undefined) this.#answers.get(id)?.resolve(answer);
      else this.#answers.get(id)?.reject(Object.assign(new Error(error.message), error));
    });
  }

  static async start(runtime: Runtime): Promise<Producer> {
    const producer = new Producer(runtime);
    await new Promise((resolve, reject) => {
      producer.#answers.set(0, { resolve, reject });
      producer.worker.once('error', reject);
    });
    return producer;
  }

  ask<T>(command: string, rest: object = {}): Promise<T> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.worker.postMessage({ id, command, ...rest });
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Runs `body` with a connected worker, after whose end all of its memory is back. */
async function withProducer(
  options: Parameters<typeof withRuntime>[0],
  body: (producer: Producer, runtime: Runtime) => Promise<void>,
): Promise<void> {
  await withRuntime({ memory: '32MiB', ...options }, async (runtime) => {
    const producer = await Producer.start(runtime);
    try {
      expect(runtime.metrics().arena.inUse).toBeGreaterThanOrEqual(BYTES);
      await body(producer, runtime);
    } finally {
      await producer.end();
      await until(() => runtime.metrics().arena.inUse === 0, 'the memory of the thread is back');
    }
  });
}

describe('a connected thread', () => {
  test.each([0, 1, 2])('gets the same bytes in the same memory: %d lanes', async (count) => {
    await withProducer({ lanes: count }, async (producer, runtime) => {
      for (const [shape, scheme] of [
        [[4, 64], 'onnx-dynamic'],
        [[4, 64], 'torchao-int8'],
        [[300, 1000], 'vllm-int8-per-token'],
        [[300, 1000], 'onnx-dynamic'],
      ] as const) {
        const values = valuesOf(shape[0] * shape[1], 7);
        const expected = resultAtOnce(runtime, shape, values, scheme);
        for (const command of ['quantize', 'quantizeSync']) {
          const found = await producer.ask<Views>(command, { values, shape, scheme });
          const { data, scale, zeroPoint } = found;
          // One memory: what is written here is seen there.
          const here = new Uint8Array(runtime.engine.arena.buffer, data.byteOffset, data.byteLength);
          here[0]! ^= 85;
          expect(copied(data)[0]).toBe(here[0]);
          here[0]! ^= 85;
          const same = { codes: copied(data), scale: copied(scale), zeroPoint: copied(zeroPoint) };
          expectSame(same, expected, `${command} ${scheme}`);
          await producer.ask('release');
        }
      }
      const { copiedBytes, arena, jobs } = await producer.ask<RuntimeMetrics>('metrics');
      expect({ copiedBytes, inUse: arena.inUse }).toEqual({ copiedBytes: 0, inUse: 0 });
      // Small work in place, large work on the lanes where there are any.
      expect(jobs.inPlace).toBeGreaterThanOrEqual(6);
      expect(jobs[count === 0 ? 'sliced' : 'lanes']).toBe(2);
    });
  });

  test('streams, and beside others', async () => {
    await withRuntime({ lanes: 1, memory: '32MiB' }, async (runtime) => {
      const producers = await Promise.all([1, 2, 3].map(() => Producer.start(runtime)));
      const expected = Array.from({ length: 50 }, (_, k) => Math.fround(Math.fround(k + 1) / 127));
      const streams = producers.map((producer) =>
        producer.ask<number[]>('stream', { count: 50, shape: [1, 2000], scheme: 'vllm-int8-per-token' }),
      );
      for (const scales of await Promise.all(streams)) expect(scales).toEqual(expected);
      for (const producer of producers) await producer.end();
      await until(() => runtime.metrics().arena.inUse === 0, 'the memory of the threads is back');
    });
  });

  test('gets errors with their codes', async () => {
    await withProducer({ lanes: 1, ...FORCED }, async (producer) => {
      const values = valuesOf(300_000, 3).fill(Number.NaN, 5, 6);
      const call = producer.ask('quantize', { values, shape: [300, 1000], scheme: 'onnx-dynamic' });
      await expect(call).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_NON_FINITE' satisfies ErrorCode,
        name: 'DataError',
      });
      const large = producer.ask('lease', { shape: [BYTES] });
      await expect(large).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL' });
      await expect(producer.ask('quantize', { values, shape: [300, 1000], scheme: 'nope' })).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_PRESET',
      });
    });
  });

  test('gives up what a signal ends, on the lanes too', async () => {
    const FAULTY = { lanes: 1, workerUrl: lanes('faulty'), ...FORCED };
    await withProducer(FAULTY, async (producer, runtime) => {
      const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
      const running = runtime.quantize(gate.lease, 'torchao-int8');
      await gate.held();
      const values = valuesOf(300_000, 3);
      const call = producer.ask('abort', { values, shape: [300, 1000], scheme: 'torchao-int8', milliseconds: 30 });
      await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
      gate.open();
      (await running).release();
    });
  });

  test('gives its memory back when it closes, after its last lease', async () => {
    await withProducer({ lanes: 1 }, async (producer, runtime) => {
      await producer.ask('quantize', { values: valuesOf(256), shape: [4, 64], scheme: 'torchao-int8' });
      await producer.ask('close');
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(runtime.metrics().arena.inUse).toBeGreaterThan(BYTES);
      await producer.ask('release');
      await until(() => runtime.metrics().arena.inUse === 0, 'the memory of the thread is back');
      const call = producer.ask('quantize', { values: valuesOf(256), shape: [4, 64], scheme: 'torchao-int8' });
      await expect(call).rejects.toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
    });
  });
});

describe('a connected thread that dies', () => {
  test('gives its leases back', async () => {
    await withProducer({ lanes: 1 }, async (producer, runtime) => {
      await producer.ask('lease', { shape: [1000, 100] });
      const ended = new Promise((resolve) => producer.worker.once('exit', resolve));
      void producer.ask('exit');
      await ended;
      await until(() => runtime.metrics().arena.inUse === 0, 'the memory of the thread is back');
      // Another one can have it.
      const next = await Producer.start(runtime);
      await next.ask('quantize', { values: valuesOf(256), shape: [4, 64], scheme: 'torchao-int8' });
      await next.end();
    });
  });

  test('while a lane works in its memory: not before the lane is done', async () => {
    await withRuntime({ lanes: 1, memory: '32MiB', workerUrl: lanes('faulty'), ...FORCED }, async (runtime) => {
      const producer = await Producer.start(runtime);
      // The gate is opened by what lies in the second value.
      const values = valuesOf(300_000, 3);
      values.set([Fault.Gate, 0, 1]);
      void producer.ask('quantize', { values, shape: [300, 1000], scheme: 'torchao-int8' });
      const words = new Int32Array(runtime.engine.arena.buffer);
      await until(() => words[440]! > 0, 'the lane is at the gate');
      await producer.end();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(runtime.metrics().arena.inUse).toBeGreaterThanOrEqual(BYTES);
      const floats = new Float32Array(words.buffer);
      const at = floats.indexOf(Fault.Gate);
      Atomics.store(words, at + 1, 1);
      Atomics.notify(words, at + 1);
      await until(() => runtime.metrics().arena.inUse === 0, 'the memory of the thread is back');
    });
  });
});

describe('a runtime that closes', () => {
  test('closes those of its threads', async () => {
    const runtime = await (await import('#src/index.js')).createRuntime({ lanes: 1, memory: '32MiB' });
    const producer = await Producer.start(runtime);
    await runtime.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const call = producer.ask('quantize', { values: valuesOf(256), shape: [4, 64], scheme: 'torchao-int8' });
    await expect(call).rejects.toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
    await producer.end();
    expect(runtime.metrics().arena.inUse).toBe(0);
    expect(() => runtime.connect()).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_CLOSED' }));
  });

  test('is told of no port, and of one that nobody listens at', async () => {
    await expect(attachRuntime({} as never)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    const { port1, port2 } = new MessageChannel();
    port1.close();
    await expect(attachRuntime(port2)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
    await withRuntime({ lanes: 0, memory: '1MiB' }, (local) => {
      expect(() => local.connect({ memory: '2MiB' })).toThrow(
        expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL' }),
      );
    });
  });
});
