/** Limits of a stream: bytes, and the time until a batch begins. */
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { StreamOptions, TensorInput, TensorLease } from '#src/index.js';
import { Fault, faultyBatch, lanes } from '../runtime/faults.js';
import { FORCED, leaseOf, valuesOf } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';

const FAULTY = { lanes: 1, memory: '16MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const SHAPE = [4, 64];
const BYTES = 1024;

/**
 * Pushes a batch that waits at a gate, then five numbered ones, opens the gate, and gives which of them came out, and which
 * were dropped why.
 */
async function survivors(options: StreamOptions): Promise<{ out: number[]; dropped: string[]; error?: string }> {
  return withRuntime(FAULTY, async (runtime) => {
    const source = new Subject<TensorInput>();
    const numbers = new Map<TensorInput, number>();
    const dropped: string[] = [];
    const onDrop: StreamOptions['onDrop'] = (batch, { code }) => {
      dropped.push(`${numbers.get(batch)}: ${code.replace('ERR_QUANTLANE_', '')}`);
    };
    const out: number[] = [];
    const done = new Promise<string | undefined>((resolve) => {
      runtime.stream(source, 'vllm-int8-per-token', { ...options, onDrop }).subscribe({
        next: (quantized) => {
          // The scale tells which batch it is.
          out.push(Math.round((quantized.scale![1] as number) * 127) - 1);
          quantized.release();
        },
        error: (error) => resolve(error.code),
        complete: () => resolve(undefined),
      });
    });
    const gate = faultyBatch(runtime, Fault.Gate, SHAPE);
    gate.lease.data.fill(1, 64);
    source.next(gate.lease);
    await gate.held();
    for (let number = 1; number <= 5; number++) {
      const batch = leaseOf(runtime, SHAPE, valuesOf(256).fill(number + 1));
      numbers.set(batch, number);
      source.next(batch);
    }
    const { deadline = 0 } = options;
    if (deadline < 1_000) await new Promise((resolve) => setTimeout(resolve, deadline + 20));
    gate.open();
    source.complete();
    const error = await done;
    // What came after the end of the stream is nobody's.
    for (const batch of numbers.keys()) (batch as TensorLease)[Symbol.dispose]();
    return { out, dropped, ...(error !== undefined && { error }) };
  });
}

describe('a push source that is too fast', () => {
  it.each([
    ['drops the newest', { concurrency: 1, overflow: 'drop-newest' }, [0, 1], [2, 3, 4, 5]],
    ['drops the oldest', { concurrency: 1, overflow: 'drop-oldest' }, [0, 5], [1, 2, 3, 4]],
    ['buffers', { concurrency: 1, overflow: { buffer: 5 } }, [0, 1, 2, 3, 4, 5], []],
    ['drops the newest beyond its bytes', { maxBytes: 3 * BYTES, overflow: 'drop-newest' }, [0, 1, 2], [3, 4, 5]],
    [
      'drops the oldest beyond its bytes',
      { maxBytes: 3 * BYTES, concurrency: 2, overflow: 'drop-oldest' },
      [0, 1, 5],
      [2, 3, 4],
    ],
  ] as const)('%s', async (_, options, out, dropped) => {
    const result = await survivors(options);
    expect(result).toEqual({ out: [...out], dropped: dropped.map((number) => `${number}: OVERFLOW`) });
  });

  it.each([
    ['without room', { concurrency: 1, overflow: 'error' }],
    ['beyond its buffer', { concurrency: 1, overflow: { buffer: 4 } }],
    ['beyond its bytes', { maxBytes: 3 * BYTES }],
  ] as const)('fails %s', async (_, options) => {
    const { error, dropped } = await survivors(options);
    expect([error, dropped]).toEqual(['ERR_QUANTLANE_OVERFLOW', []]);
  });
});

describe('a deadline', () => {
  it('drops what has not begun, and the stream goes on', async () => {
    const { out, dropped } = await survivors({ deadline: 30 });
    expect(out).toEqual([0]);
    expect(dropped).toEqual([1, 2, 3, 4, 5].map((number) => `${number}: DEADLINE`));
  });

  it('drops nothing in time', async () => {
    expect(await survivors({ deadline: 60_000 })).toMatchObject({ out: [0, 1, 2, 3, 4, 5], dropped: [] });
  });
});

it('pulls no more than its bytes, but a batch that is alone', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    let most = 0;
    const batches = function* () {
      for (let k = 0; k < 20; k++) {
        yield leaseOf(runtime, SHAPE, valuesOf(256));
        most = Math.max(most, runtime.metrics().pending);
      }
    };
    for (const [maxBytes, expected] of [
      [BYTES / 2, 1],
      [3 * BYTES, 3],
    ] as const) {
      most = 0;
      let count = 0;
      for await (const quantized of runtime.stream(batches(), 'torchao-int8', { maxBytes })) {
        count++;
        quantized.release();
      }
      expect([count, most <= expected]).toEqual([20, true]);
    }
  });
});

it('refuses limits that are none', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    for (const options of [{ maxBytes: 0 }, { maxBytes: Number.NaN }, { deadline: 0 }, { deadline: -5 }]) {
      expect(() => runtime.stream([], 'torchao-int8', options)).toThrow(
        expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' }),
      );
    }
  });
});
