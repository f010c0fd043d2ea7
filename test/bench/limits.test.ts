/** The limits in C make the codes that the library makes, and answer what they are asked. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime, type StreamingRuntime } from '#src/index.js';
import { hashOf, Limits, limitValues } from '../../dist/bench/limits.js';

/** Whether there is a compiler, found without the code under test. */
const hasCompiler = ['cc', 'gcc', 'clang'].some((compiler) => {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

describe.skipIf(!hasCompiler)('limits.c (skipped without a C compiler)', () => {
  let limits: Limits;
  let runtime: StreamingRuntime;
  beforeAll(async () => {
    const started = await Limits.start();
    if (started === undefined) throw new Error('Expected limits.c to compile');
    limits = started;
    runtime = await createRuntime({ lanes: 0, memory: '1MiB' });
  }, 60_000);
  afterAll(async () => {
    await limits?.close();
    await runtime?.close();
  });

  it.each([
    ['int8row', 'vllm-int8-per-token'],
    ['uint8tensor', 'onnx-dynamic'],
  ] as const)('%s makes the codes of %s', async (kernel, preset) => {
    for (const rows of [1, 3]) {
      const data = limitValues(new Float32Array(rows * 4_096));
      using codes = runtime.quantizeSync({ dtype: 'float32', shape: [rows, 4_096], data }, preset);
      expect(await limits.check(kernel, data.length)).toBe(hashOf(codes.data as Uint8Array));
    }
  });

  it.each(['int8row', 'uint8tensor', 'copy', 'read1', 'read2'] as const)('%s takes longer for more', async (kernel) => {
    const time = async (runs: number): Promise<number> => limits.contender(kernel, kernel, 65_536).time(runs);
    await time(1);
    const one = await time(1);
    expect(one).toBeGreaterThan(0);
    expect(await time(2_000)).toBeGreaterThan(one);
  });

  it('refuses a kernel that there is not', async () => {
    const wrong = limits.contender('wrong', 'wrong' as 'copy', 4_096);
    await expect(wrong.time(1)).rejects.toThrow('Expected a request that limits.c knows, got time wrong 4096 1');
  });

  it('answers requests that were sent at a time in their order', async () => {
    const [codes, took, again] = await Promise.all([
      limits.check('int8row', 4_096),
      limits.contender('copy', 'copy', 4_096).time(1),
      limits.check('int8row', 4_096),
    ]);
    expect(again).toBe(codes);
    expect(took).toBeLessThan(1e9);
  });
});

it('hashes as FNV-1a does', () => {
  expect(hashOf(new Uint8Array())).toBe(0x811c9dc5);
  expect(hashOf(Uint8Array.from(Buffer.from('a')))).toBe(0xe40c292c);
  expect(hashOf(Int8Array.of(97))).toBe(0xe40c292c);
});
