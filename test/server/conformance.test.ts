/** Clients that nobody here wrote, and the published protocol. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PRESETS, preset } from '#src/index.js';
import { temporaryFolder } from '../cli/helpers.js';
import { callOf } from '../support/variants.js';
import { bytesOfView } from '../support/vectors.js';
import { binaryRequest, infer, requestParameters, withServer } from './client.js';
import { faults } from './schema.js';

const SHAPE = [2, 256];
const values = Float32Array.from({ length: 512 }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 7)));
const folder = await temporaryFolder();

const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

async function get(url: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(url);
  return { status: response.status, json: await response.json() };
}

describe('the published protocol', () => {
  it.each([
    ['/v2', 200, 'metadata_server_response'],
    ['/v2/', 200, 'metadata_server_response'],
    ['/v2/health/live', 200, 'live_server_response'],
    ['/v2/models/onnx-dynamic', 200, 'metadata_model_response'],
    ['/v2/models/ggml-q8_0/versions/1', 200, 'metadata_model_response'],
    ['/v2/models/onnx-dynamic/ready', 200, 'ready_model_response'],
    ['/v2/models/onnx-dynamic/versions/1/ready', 200, 'ready_model_response'],
    ['/v2/models/nope', 404, 'error_response'],
    ['/v2/models/nope/ready', 404, 'error_response'],
    ['/v2/nope', 404, 'error_response'],
  ])('is kept by GET %s', async (path, status, definition) => {
    await withServer({}, async (url) => {
      const answer = await get(url + path);
      expect(answer.status).toBe(status);
      expect(faults(definition, answer.json)).toBe('');
    });
  });

  it.each(PRESETS.map(({ name }) => name))('is kept by the answers of %s', async (name) => {
    await withServer({}, async (url) => {
      const parameters = requestParameters(callOf(preset(name)));
      const inputs = [{ name: 'x', datatype: 'FP32', shape: SHAPE, data: [...values] }];
      const path = `${url}/v2/models/${name}/infer`;
      const text = await fetch(path, { method: 'POST', body: JSON.stringify({ id: '42', inputs, parameters }) });
      const json = await text.json();
      // FP16 exists as bytes only.
      const isHalf = text.status === 400 && JSON.stringify(json).includes('of FP16, as binary data');
      if (!isHalf) expect(json).toMatchObject({ id: '42' });
      expect(faults(isHalf ? 'error_response' : 'inference_response', json)).toBe('');
      const binary = binaryRequest('FP32', SHAPE, values, { parameters: { ...parameters, binary_data_output: true } });
      const answer = await infer(url, name, binary);
      expect(faults('binary_inference_response', answer.json)).toBe('');
    });
  });

  it('has examples, whose types cannot be quantized: refused in its form', async () => {
    await withServer({}, async (url) => {
      const inputs = [
        { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
        { name: 'input1', shape: [3], datatype: 'BOOL', data: [true] },
      ];
      for (const body of [
        { id: '42', inputs, outputs: [{ name: 'output0' }] },
        { id: '42', inputs: inputs.slice(0, 1) },
      ]) {
        const { status, json } = await infer(url, 'onnx-dynamic', { body: JSON.stringify(body) });
        expect(status).toBe(400);
        expect(faults('error_response', json)).toBe('');
      }
      const floats = { ...inputs[0], datatype: 'FP32' };
      const outputs = [{ name: 'codes' }];
      const body = JSON.stringify({ id: '42', inputs: [floats], outputs });
      const { status, json } = await infer(url, 'onnx-dynamic', { body });
      expect([status, json.id, json.outputs.length]).toEqual([200, '42', 1]);
      expect(faults('inference_response', json)).toBe('');
    });
  });

  it('would not take just anything', () => {
    expect(faults('inference_response', { model_name: 'x', outputs: [{ name: 'y' }] })).toContain('required property');
    expect(faults('error_response', { error: 1 })).not.toBe('');
  });
});

describe.skipIf(!hasCurl)('curl (skipped where there is none)', () => {
  it.each([
    ['FP32', 'float32', values],
    ['FP16', 'float16', Uint16Array.from({ length: 512 }, (_, index) => 0x3800 + index)],
  ] as const)('sends %s and takes codes as bytes', async (datatype, dtype, data) => {
    await withServer({ token: 'secret' }, async (url, runtime) => {
      const { headers, body } = binaryRequest(datatype, SHAPE, data, { parameters: { binary_data_output: true } });
      const path = join(folder, `${datatype}.bin`);
      await writeFile(path, body);
      const all = { ...headers, authorization: 'Bearer secret' };
      const words = Object.entries(all).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
      const { stdout } = await promisify(execFile)(
        'curl',
        ['-sS', '--fail', '-D', '-', ...words, '--data-binary', `@${path}`, `${url}/v2/models/torchao-int8/infer`],
        { encoding: 'buffer' },
      );
      const split = stdout.indexOf('\r\n\r\n') + 4;
      const told = stdout.subarray(0, split).toString();
      const length = Number(/inference-header-content-length: (\d+)/i.exec(told)![1]);
      const answer = stdout.subarray(split);
      const { outputs } = JSON.parse(answer.subarray(0, length).toString());
      using expected = await runtime.quantize({ dtype, shape: SHAPE, data }, 'torchao-int8');
      const parts = [expected.data, expected.scale!].map((view) => Buffer.from(bytesOfView(view)));
      expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['codes', 'scale']);
      expect(answer.subarray(length)).toEqual(Buffer.concat(parts));
    });
  });
});

describe('autocannon', () => {
  it('gets what the library gives, or is told to come again', { timeout: 60_000 }, async () => {
    // The package is CommonJS and has no types.
    const autocannon = createRequire(import.meta.url)('autocannon') as (
      options: object,
      done?: unknown,
    ) => Promise<{ '1xx': number; '2xx': number; '3xx': number; '4xx': number; '5xx': number; errors: number }>;
    // One pending request fewer than connections: some are refused.
    await withServer({ maxPending: 31 }, async (url, runtime) => {
      using expected = await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: values }, 'ggml-q8_0');
      const request = binaryRequest('FP32', SHAPE, values, { parameters: { binary_data_output: true } });
      const codes = Buffer.from(bytesOfView(expected.data)).toString('latin1');
      let wrong = 0;
      let seen = 0;
      const statuses = new Set<number>();
      const result = await autocannon({
        url: `${url}/v2/models/ggml-q8_0/infer`,
        method: 'POST',
        ...request,
        connections: 32,
        amount: 2_000,
        setupClient: (client: { on(event: 'body' | 'headers', listener: (value: never) => void): void }) => {
          let status = 0;
          client.on('headers', ({ statusCode }: { statusCode: number }) => {
            status = statusCode;
            statuses.add(statusCode);
          });
          client.on('body', (body: Buffer) => {
            if (status !== 200) return;
            seen++;
            if (!Buffer.from(body).toString('latin1').endsWith(codes)) wrong++;
          });
        },
      });
      expect([wrong, result.errors, result['5xx']]).toEqual([0, 0, 0]);
      expect(seen).toBe(result['2xx']);
      expect(seen).toBeGreaterThan(100);
      expect(result['2xx'] + result['4xx']).toBe(2_000);
      expect([...statuses].filter((status) => status !== 200 && status !== 429)).toEqual([]);
    });
  });
});
