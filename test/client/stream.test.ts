import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Client, type ClientTensor, RemoteError, type WebSocketClass } from '#src/client/index.js';
import { framed, unframed } from '#src/protocol/index.js';
import { withServer } from '../server/client.js';
import { bytesOfView } from '../support/vectors.js';

const options = { WebSocket: WebSocket as unknown as WebSocketClass };
const MODEL = 'torchao-int8';

function batch(number: number, columns = 64): ClientTensor & { data: Float32Array } {
  const data = Float32Array.from({ length: columns }, (_, index) => Math.sin(index + number) * (1 + (number % 5)));
  return { dtype: 'float32', shape: [1, columns], data };
}

const hex = (view: ArrayBufferView): string => Buffer.from(bytesOfView(view)).toString('hex');

/** A socket of the stream, and all that comes back. */
async function opened(url: string, protocols = ['quantlane.v2']) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v2/models/${MODEL}/stream`, protocols);
  const messages: Buffer[] = [];
  socket.on('message', (data) => messages.push(data as Buffer));
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const json = (at: number) => JSON.parse(Buffer.from(unframed(messages[at]!).head).toString());
  return { socket, messages, closed, json };
}

function message(head: object, bytes: ArrayBufferView = new Uint8Array()): Buffer {
  return Buffer.concat([framed(Buffer.from(JSON.stringify(head))), bytesOfView(bytes)]);
}

function request(id: string, data: Float32Array): Buffer {
  const parameters = { binary_data_size: data.byteLength };
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, data.length], parameters }];
  return message({ id, inputs, parameters: { binary_data_output: true } }, data);
}

describe('a stream of the client', () => {
  it.each([64, 70_000])('gives what the library gives, in order, of %i columns', async (columns) => {
    await withServer({ token: 'se/cr?et' }, async (url, runtime) => {
      const count = columns === 64 ? 200 : 20;
      const batches = Array.from({ length: count }, (_, number) => batch(number, columns));
      const client = new Client(url, { ...options, token: 'se/cr?et' });
      let at = 0;
      for await (const { codes, scale } of client.stream(MODEL, batches)) {
        using expected = await runtime.quantize(batches[at++]!, MODEL);
        expect([hex(codes), hex(scale!)]).toEqual([hex(expected.data), hex(expected.scale!)]);
      }
      expect(at).toBe(count);
    });
  });

  it('pulls its source only as fast as results are taken', async () => {
    await withServer({}, async (url) => {
      let pulled = 0;
      let isLeft = false;
      async function* source() {
        try {
          for (;;) yield batch(pulled++);
        } finally {
          isLeft = true;
        }
      }
      const stream = new Client(url, options).stream(MODEL, source(), { credits: 3 });
      for (let taken = 1; taken <= 5; taken++) {
        await stream.next();
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(pulled).toBeLessThanOrEqual(taken + 3);
      }
      await stream.return!();
      await expect.poll(() => isLeft).toBe(true);
    });
  });

  it('goes on after a batch that is refused where somebody is told of it, and else ends', async () => {
    await withServer({}, async (url, runtime) => {
      const batches = [batch(0), { ...batch(1), data: new Float32Array(64).fill(Number.NaN) }, batch(2)];
      const client = new Client(url, options);
      const told: [number, string | undefined][] = [];
      const stream = client.stream(MODEL, batches, { onError: ({ code }, number) => told.push([number, code]) });
      const found: string[] = [];
      for await (const { codes } of stream) found.push(hex(codes));
      const last = await runtime.quantize(batch(2), MODEL);
      expect([found.length, found[1]]).toEqual([2, hex(last.data)]);
      last.release();
      expect(told).toEqual([[1, 'ERR_QUANTLANE_NON_FINITE']]);
      const run = async () => {
        for await (const _ of client.stream(MODEL, batches));
      };
      await expect(run()).rejects.toBeInstanceOf(RemoteError);
      await expect.poll(() => runtime.metrics().arena.inUse).toBe(0);
    });
  });

  it('ends with what its source throws, with its signal, and where there is no server', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      const client = new Client(url, { ...options, token: 'secret' });
      const run = async (of: Client, source: AsyncIterable<ClientTensor> | ClientTensor[], signal?: AbortSignal) => {
        for await (const _ of of.stream(MODEL, source, { ...(signal && { signal }) }));
      };
      async function* failing() {
        yield batch(0);
        throw new Error('mine');
      }
      async function* endless() {
        yield batch(0);
        await new Promise(() => undefined);
      }
      await expect(run(client, failing())).rejects.toThrow('mine');
      await expect(run(client, endless(), AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
      for (const wrong of [new Client(url, options), new Client('http://127.0.0.1:1', options)]) {
        await expect(run(wrong, [batch(0)])).rejects.toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
      }
      await expect(run(client, [{ ...batch(0), shape: [3] }])).rejects.toMatchObject({ code: 'ERR_QUANTLANE_SHAPE' });
      await expect(async () => {
        for await (const _ of client.stream(MODEL, [], { credits: 0 }));
      }).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
      await run(client, []);
    });
  });

  it.skipIf(globalThis.WebSocket === undefined)('uses the WebSocket of Node from 22 on', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      let count = 0;
      for await (const _ of new Client(url, { token: 'secret' }).stream(MODEL, [batch(0), batch(1)])) count++;
      expect(count).toBe(2);
    });
  });
});

describe('streams of the server', () => {
  it('answers errors for a message each, in order, and goes on', async () => {
    await withServer({}, async (url) => {
      const { socket, messages, json } = await opened(url);
      socket.send(request('a', batch(0).data));
      socket.send(Buffer.of(1, 2));
      socket.send(Buffer.from([255, 255, 255, 255, 1]));
      socket.send(message({ id: 'b' }));
      socket.send(request('c', batch(0).data).subarray(0, -1));
      socket.send(request('d', batch(0).data));
      await expect.poll(() => messages.length).toBe(6);
      const errors = [1, 2, 3, 4].map((at) => json(at));
      expect(errors.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
      expect(errors.map(({ id }) => id)).toEqual([undefined, undefined, 'b', 'c']);
      for (const { error } of errors) expect(error).toMatch(/^ERR_QUANTLANE_FORMAT: Expected /);
      expect([json(0).id, json(5).id]).toEqual(['a', 'd']);
      socket.close();
    });
  });

  it('answers text with text', async () => {
    await withServer({}, async (url) => {
      const { socket, messages } = await opened(url);
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, -1] }];
      socket.send(JSON.stringify({ id: 'a', inputs }));
      socket.send('nope');
      await expect.poll(() => messages.length).toBe(2);
      expect(JSON.parse(messages[0]!.toString())).toMatchObject({ id: 'a', outputs: [{ data: [127, -127] }, {}] });
      expect(JSON.parse(messages[1]!.toString())).toMatchObject({ status: 400 });
      socket.close();
    });
  });

  it('refuses handshakes', async () => {
    await withServer({ token: 'secret', maxStreams: 1 }, async (url) => {
      const told = Buffer.from('secret').toString('base64url');
      const token = `quantlane.bearer.${told}`;
      const status = (path: string, protocols: string[]) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`${url.replace('http', 'ws')}/v2/models/${path}`, protocols);
          socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
          socket.on('open', () => resolve('open'));
          socket.on('error', () => undefined);
        });
      expect(await status(`${MODEL}/stream`, ['quantlane.v2'])).toBe(401);
      expect(await status(`${MODEL}/stream`, ['quantlane.v2', `${token}abcd`])).toBe(401);
      expect(await status('nope/stream', ['quantlane.v2', token])).toBe(404);
      expect(await status('%ff/stream', ['quantlane.v2', token])).toBe(404);
      expect(await status(`${MODEL}/nope`, ['quantlane.v2', token])).toBe(404);
      expect(await status(`${MODEL}/stream`, [token])).toBe(400);
      const { socket, closed } = await opened(url, ['quantlane.v2', token]);
      expect(socket.protocol).toBe('quantlane.v2');
      expect(await status(`${MODEL}/stream`, ['quantlane.v2', token])).toBe(429);
      socket.close();
      await closed;
      await expect.poll(() => status(`${MODEL}/versions/1/stream`, ['quantlane.v2', token])).toBe('open');
    });
  });

  it('ends a stream with a message that is too large', async () => {
    await withServer({ maxTensor: 1_024, maxJson: 1_024 }, async (url) => {
      const { socket, closed } = await opened(url);
      socket.send(Buffer.alloc(2_053));
      expect(await closed).toBe(1009);
    });
  });

  it('does not read a client that does not read, and cuts it off in the end', { timeout: 20_000 }, async () => {
    await withServer({ timeout: 1_000 }, async (url, runtime, server) => {
      const { socket } = await opened(url);
      socket.pause();
      const data = new Float32Array(1 << 20).fill(1);
      for (let number = 0; number < 60; number++) socket.send(request(String(number), data));
      await expect.poll(() => server.pending).toBeGreaterThan(0);
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, server.pending);
      }, 5);
      // The client is cut off, which shows when it reads again.
      await expect.poll(() => server.pending, { timeout: 10_000 }).toBe(0);
      clearInterval(watch);
      expect(most).toBeLessThanOrEqual(16);
      await expect.poll(() => runtime.metrics().arena.inUse).toBe(0);
      socket.terminate();
    });
  });

  it('loses no lease with a client that is lost', async () => {
    await withServer({}, async (url, runtime, server) => {
      for (let round = 0; round < 8; round++) {
        const { socket } = await opened(url);
        for (let number = 0; number < 20; number++) socket.send(request(String(number), batch(number, 20_000).data));
        await new Promise((resolve) => setTimeout(resolve, round));
        socket.terminate();
      }
      await expect.poll(() => [server.pending, runtime.metrics().arena.inUse], { timeout: 10_000 }).toEqual([0, 0]);
    });
  });

  it('ends a client that answers no ping', { timeout: 10_000 }, async () => {
    await withServer({ timeout: 200 }, async (url) => {
      const { hostname, port } = new URL(url);
      const dumb = connect(Number(port), hostname);
      dumb.write(
        `GET /v2/models/${MODEL}/stream HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
          'sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n' +
          'sec-websocket-protocol: quantlane.v2\r\n\r\n',
      );
      const { socket } = await opened(url);
      dumb.resume();
      await new Promise((resolve) => dumb.on('close', resolve));
      // One that answers stays.
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.close();
    });
  });

  it('answers what it took before it goes away', async () => {
    await withServer({}, async (url, _runtime, server) => {
      const { socket, messages, closed, json } = await opened(url);
      const idle = await opened(url);
      for (let number = 0; number < 5; number++) socket.send(request(String(number), batch(number, 70_000).data));
      await expect.poll(() => messages.length).toBeGreaterThan(0);
      await server.close();
      expect([await closed, await idle.closed]).toEqual([1001, 1001]);
      expect(messages.map((_, at) => json(at).id)).toEqual(messages.map((_, at) => String(at)));
    });
  });
});
