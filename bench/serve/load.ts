/**
 * Load on a server, in a process of its own: for each message from its parent that says where and how long, tells what came
 * of it. Its connections send the same bytes again and again and only look for the end of an answer, so that one core of
 * load can fill one core of a server; a whole client would need as much time for a request as the server.
 * @module
 */
import { connect, type Socket } from 'node:net';
import { quantile } from '../statistics.js';
import { type LoadOrder, type LoadResult, requestOf } from './request.js';

/** The bytes of a request. */
function wire(elements: number): Buffer {
  const { body, headers } = requestOf(elements);
  const all = { host: 'localhost', 'content-length': body.length, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST /v2/models/onnx-dynamic/infer HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

/** Bytes of the answer whose beginning came, and whether it is good. */
function announced(part: Buffer): { readonly bytes: number; readonly isGood: boolean } {
  const end = part.indexOf('\r\n\r\n');
  const head = part.toString('latin1', 0, end);
  const length = /\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (end < 0 || length === undefined) throw new Error(`Expected headers with content-length, got ${head}`);
  return { bytes: end + 4 + Number(length), isGood: head.startsWith('HTTP/1.1 200 ') };
}

function load({ url, seconds, connections, elements }: LoadOrder): Promise<LoadResult> {
  const { hostname, port } = new URL(url);
  const request = wire(elements);
  const times: number[] = [];
  const sockets: Socket[] = [];
  let failed = 0;
  const open = (): void => {
    let missing = 0;
    let sent = 0;
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const send = (): void => {
      sent = performance.now();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('error', () => failed++);
    socket.on('data', (part) => {
      if (missing === 0) {
        const { bytes, isGood } = announced(part);
        missing = bytes;
        if (!isGood) failed++;
      }
      missing -= part.length;
      if (missing > 0) return;
      times.push(performance.now() - sent);
      send();
    });
    sockets.push(socket);
  };
  for (let index = 0; index < connections; index++) open();
  const begin = performance.now();
  return new Promise((resolve) => {
    const end = (): void => {
      // On a machine that is busy with something else.
      if (times.length < connections && failed === 0) {
        setTimeout(end, 100);
        return;
      }
      const rate = (times.length / (performance.now() - begin)) * 1000;
      for (const socket of sockets) socket.destroy();
      const [p50, p99] = times.length === 0 ? [0, 0] : [quantile(times, 0.5), quantile(times, 0.99)];
      resolve({ requests: times.length, rate, p50, p99, failed });
    };
    setTimeout(end, seconds * 1000);
  });
}

process.on('message', (order: LoadOrder) => void load(order).then((result) => process.send!(result)));
process.on('disconnect', () => process.exit());
