import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, RemoteError } from '#src/client/index.js';
import { PRESETS, preset } from '#src/index.js';
import { requestParameters, withServer } from '../server/client.js';
import { callOf } from '../support/variants.js';

const SHAPE = [4, 256];
const values = Float32Array.from({ length: 1024 }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 7)));
const tensor = { dtype: 'float32', shape: SHAPE, data: values } as const;

function plain(view: ArrayBufferView | null): unknown {
  if (view === null) return null;
  return [view.constructor.name, Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex')];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers as told. */
async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the client', () => {
  it('asks what the server and its models are', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      const client = new Client(`${url}/`, { token: 'secret' });
      expect(await client.ready()).toBe(true);
      expect(await client.metadata()).toMatchObject({ name: 'quantlane' });
      expect((await client.model('onnx-dynamic')).outputs.map(({ name }) => name)).toEqual([
        'codes',
        'scale',
        'zero_point',
      ]);
      await expect(new Client(url).metadata()).rejects.toMatchObject({ status: 401, code: undefined });
      await expect(client.model('a/b')).rejects.toMatchObject({ status: 404 });
    });
  });

  it.each(PRESETS.map(({ name }) => name))('gives what the library gives: %s', async (name) => {
    await withServer({}, async (url, runtime) => {
      const call = callOf(preset(name));
      using expected = await runtime.quantize(tensor, name, call);
      const found = await new Client(url).infer(name, tensor, { parameters: requestParameters(call) });
      expect(found.shape).toEqual(expected.dataShape);
      expect(plain(found.codes)).toEqual(plain(expected.data));
      expect(plain(found.scale)).toEqual(plain(expected.scale));
      expect(plain(found.zeroPoint)).toEqual(plain(expected.zeroPoint));
      expect(plain(found.tensorScale)).toEqual(plain(expected.tensorScale));
      if (expected.scale !== null) expect(found.parameterShape).toEqual(expected.parameterShape);
    });
  });

  it('sends 16-bit floats, views, and shared memory, whatever the values', async () => {
    await withServer({}, async (url, runtime) => {
      const client = new Client(url);
      const shared = new Float32Array(new SharedArrayBuffer(64), 8, 6);
      shared.set(values.subarray(0, 6));
      const found = await client.infer('torchao-int8', { dtype: 'float32', shape: [6], data: shared });
      using expected = await runtime.quantize({ dtype: 'float32', shape: [6], data: shared }, 'torchao-int8');
      expect(plain(found.codes)).toEqual(plain(expected.data));
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('float16' as const, 'bfloat16' as const),
          // No bits of infinity or NaN in either type.
          fc.uint16Array({ minLength: 1, maxLength: 70, max: 0x7bff }),
          async (dtype, data) => {
            const batch = { dtype, shape: [1, data.length], data };
            const answer = await client.infer('vllm-int8-per-token', batch);
            using direct = await runtime.quantize(batch, 'vllm-int8-per-token');
            expect(plain(answer.codes)).toEqual(plain(direct.data));
            expect(plain(answer.scale)).toEqual(plain(direct.scale));
          },
        ),
        { numRuns: 50 },
      );
    });
  });

  it('tells what is wrong with a tensor before it is sent, and what the server found', async () => {
    await withServer({}, async (url) => {
      const client = new Client(url);
      const wrong = (change: object) => client.infer('torchao-int8', { ...tensor, ...change });
      await expect(wrong({ dtype: 'float64' })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_DTYPE' });
      await expect(wrong({ dtype: 'float16' })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_DTYPE' });
      await expect(wrong({ data: [1, 2] })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_DTYPE' });
      await expect(wrong({ shape: [3] })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_SHAPE' });
      const error = await wrong({ data: new Float32Array(1024).fill(Number.NaN) }).catch((caught) => caught);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ status: 400, code: 'ERR_QUANTLANE_NON_FINITE', name: 'RemoteError' });
      expect(error.message).not.toContain('ERR_');
      await expect(client.infer('nope', tensor)).rejects.toMatchObject({ status: 404 });
    });
  });

  it('tries again only when asked, after the time that the answer tells', async () => {
    let refusals = 2;
    const url = await answering((request, response) => {
      request.resume();
      if (refusals-- > 0) response.writeHead(429, { 'retry-after': '0' }).end('{"error":"later"}');
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"x"}');
    });
    await expect(new Client(url).metadata()).rejects.toMatchObject({ status: 429, retryAfter: 0, message: 'later' });
    expect(await new Client(url, { retries: 1 }).metadata()).toEqual({ name: 'x' });
    refusals = 1_000;
    await expect(new Client(url).metadata({ retries: 3 })).rejects.toMatchObject({ status: 429 });
    expect(refusals).toBe(996);
  });

  it('gives up while it waits to try again', async () => {
    const url = await answering((_, response) =>
      response.writeHead(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end(),
    );
    expect(await new Client(url).ready()).toBe(false);
    const signal = AbortSignal.timeout(100);
    await expect(new Client(url, { retries: 1 }).metadata({ signal })).rejects.toBe(await aborted(signal));
  });

  it('refuses answers that are none', async () => {
    const answers = ['nope', '{}', '{"model_name":"x","outputs":[{}]}', '{"model_name":"x","outputs":[]}'];
    const short = { name: 'codes', datatype: 'INT8', shape: [9], parameters: { binary_data_size: 9 } };
    answers.push(JSON.stringify({ model_name: 'x', outputs: [short] }));
    for (const answer of answers) {
      const url = await answering((request, response) => {
        request.resume();
        response.end(answer);
      });
      await expect(new Client(url).infer('x', tensor)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_FORMAT' });
    }
  });

  it.each([
    ['ftp://x', {}],
    ['nope', {}],
    ['http://x?y', {}],
    ['http://x', { token: '' }],
    ['http://x', { retries: -1 }],
  ])('refuses wrong options: %s %o', (url, options) => {
    expect(() => new Client(url, options)).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' }));
  });
});

async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return signal.reason;
}
