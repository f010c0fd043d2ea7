import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { lanes } from './faults.js';

const run = promisify(execFile);
const LIBRARY = new URL('../../dist/src/index.js', import.meta.url).href;

/** What a program prints that makes a runtime; it fails where the process does not end by itself. */
async function outputOf(options: object, body: string): Promise<string> {
  const program = `
    import { createRuntime } from ${JSON.stringify(LIBRARY)};
    const options = ${JSON.stringify(options)};
    if (options.workerUrl) options.workerUrl = new URL(options.workerUrl);
    const runtime = await createRuntime({ memory: '64MiB', inPlaceLimit: 0, ...options });
    const tensor = (count) => {
      const lease = runtime.lease('float32', [count]);
      lease.data.fill(1);
      return lease;
    };
    ${body}`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    timeout: 20_000,
  });
  expect(stderr).toBe('');
  return stdout;
}

const FAULTY = { lanes: 1, workerUrl: lanes('faulty').href };

describe.each([0, 1, 2])('%i lanes', (count) => {
  test('an idle runtime lets the process end', async () => {
    expect(await outputOf({ lanes: count }, `console.log('made');`)).toBe('made\n');
  });

  test('also after work, and with leases that were not given back', async () => {
    const body = `
      await Promise.all([1, 2, 3].map(() => runtime.quantize(tensor(1_000_000), 'onnx-dynamic')));
      runtime.lease('float32', [5]);
      console.log('worked');`;
    expect(await outputOf({ lanes: count }, body)).toBe('worked\n');
  });

  test('a pending call keeps it alive', async () => {
    const body = `
      runtime.quantize(tensor(4_000_000), 'onnx-dynamic').then((q) => console.log('done', q.data.length));`;
    expect(await outputOf({ lanes: count }, body)).toBe('done 4000000\n');
  });

  test('so does one that copies first', async () => {
    const body = `
      runtime.quantize({ dtype: 'float32', shape: [4_000_000], data: new Float32Array(4_000_000) }, 'onnx-dynamic')
        .then((q) => console.log('done', q.data.length));`;
    expect(await outputOf({ lanes: count }, body)).toBe('done 4000000\n');
  });

  test('and a close', async () => {
    const body = `
      runtime.quantize(tensor(4_000_000), 'onnx-dynamic').then(() => console.log('done'));
      runtime.close().then(() => console.log('closed'));`;
    expect(await outputOf({ lanes: count }, body)).toBe('done\nclosed\n');
  });
});

describe('while a lane works', () => {
  test('a call on it keeps the process alive', async () => {
    const body = `
      const lease = tensor(64);
      lease.data[0] = 9005;
      runtime.quantize(lease, 'onnx-dynamic').then(() => console.log('done'));`;
    expect(await outputOf(FAULTY, body)).toBe('done\n');
  });

  test('a control call keeps the process alive', async () => {
    const body = `
      runtime.lanes[0].selfTest().then((report) => console.log(report.ok));
      runtime.lanes[0].ping().then((index) => console.log(index));`;
    expect((await outputOf({ lanes: 1 }, body)).split('\n').sort()).toEqual(['', '0', 'true']);
  });

  test('a control call that waits for a batch, too', async () => {
    const body = `
      const lease = tensor(64);
      lease.data[0] = 9005;
      const call = runtime.quantize(lease, 'onnx-dynamic');
      setTimeout(() => runtime.lanes[0].stats().then((stats) => console.log(stats.lane)), 5);
      await call;`;
    expect(await outputOf(FAULTY, body)).toBe('0\n');
  });

  test('after a lane was lost and started again it ends as before', async () => {
    const body = `
      const lease = tensor(64);
      lease.data[0] = 9002;
      await runtime.quantize(lease, 'onnx-dynamic');
      console.log('done');`;
    expect(await outputOf(FAULTY, body)).toBe('done\n');
  });
});
