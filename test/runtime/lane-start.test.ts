import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createRuntime, LaneError } from '#src/index.js';
import { lanes } from './faults.js';

/** The error that a runtime on such lanes does not start with. */
async function refusal(name: string, startDeadline: number, count = 2): Promise<LaneError> {
  const start = createRuntime({ lanes: count, memory: '1MiB', workerUrl: lanes(name), startDeadline });
  const error = await start.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LaneError);
  return error as LaneError;
}

describe('lanes that do not start', () => {
  // The deadline is far away: the test would time out if the start waited for it.
  test.each([
    ['throws-on-import', 'no such thing'],
    ['exits-on-import', 'exited'],
    ['exits-on-start', 'exited'],
    ['throws-on-start', 'not today'],
    ['missing', 'missing.mjs'],
    ['unlinked', "does not provide an export named 'nowhere'"],
  ])('%s', async (name, reason) => {
    const error = await refusal(name, 120_000);
    expect(error.code).toBe('ERR_QUANTLANE_LANE_START');
    expect(error.message).toContain(reason);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.details).toHaveProperty('lane');
  });

  test.each(['silent', 'deaf', 'hangs-on-import'])('%s: the deadline', async (name) => {
    const error = await refusal(name, 300);
    expect(error.code).toBe('ERR_QUANTLANE_LANE_START');
    expect(error.message).toContain('300 ms');
  });

  test('one of many', async () => {
    const error = await refusal('throws-on-start', 120_000, 4);
    expect(error.code).toBe('ERR_QUANTLANE_LANE_START');
  });
});

describe('a process whose lanes do not start ends by itself', () => {
  test.each(['throws-on-import', 'exits-on-import', 'exits-on-start', 'silent', 'deaf', 'hangs-on-import'])(
    '%s',
    async (name) => {
      const program = `
        import { createRuntime } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)};
        const workerUrl = new URL(${JSON.stringify(lanes(name).href)});
        await createRuntime({ lanes: 2, memory: '1MiB', workerUrl, startDeadline: 1000 }).catch((error) => {
          console.log(error.code);
        });`;
      const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
      expect((await run).stdout).toBe('ERR_QUANTLANE_LANE_START\n');
    },
  );
});

describe('options of the start', () => {
  test.each([
    { lanes: -1 },
    { lanes: 65 },
    { lanes: 1.5 },
    { lanes: '2' as unknown as number },
    { lanes: 0, kernels: 'neon' as 'simd' },
    { lanes: 0, startDeadline: 0 },
    { lanes: 0, startDeadline: Number.NaN },
    { lanes: 0, startDeadline: 2 ** 31 },
    { lanes: 0, inPlaceLimit: -1 },
    { lanes: 0, inPlaceLimit: 501 },
    { lanes: 0, memory: 0 },
    { lanes: 0, memory: '12 potatoes' },
    { lanes: 0, memory: '2GiB' },
  ])('%o', async (options) => {
    await expect(createRuntime(options)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
  });
});
