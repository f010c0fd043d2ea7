/** Requests to a server, as a client of the protocol makes them, and a server for one test. */
import { connect } from 'node:net';
import { expect } from 'vitest';
import type { QuantizeOptions, StreamingRuntime } from '#src/index.js';
import { QuantlaneServer, type ServerOptions } from '#src/server/index.js';
import { withRuntime } from '../support/runtime.js';

/** A tensor of an answer: numbers of JSON, or bytes. */
export interface AnswerTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data?: number[];
  readonly bytes?: Buffer;
}

/** What became of a request. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of an answer
  readonly json: any;
  readonly outputs: ReadonlyMap<string, AnswerTensor>;
}

/** Runs `body` with a server, after which nothing is in use. */
export async function withServer<T>(
  options: ServerOptions,
  body: (url: string, runtime: StreamingRuntime, server: QuantlaneServer) => Promise<T>,
): Promise<T> {
  return withRuntime({ lanes: 0 }, async (runtime) => {
    const server = await QuantlaneServer.listen(runtime, { port: 0, ...options });
    try {
      return await body(server.url, runtime, server);
    } finally {
      await server.close();
      expect(server.pending).toBe(0);
    }
  });
}

/** The body and headers of a request with binary data. */
export function binaryRequest(
  datatype: string,
  shape: readonly number[],
  data: ArrayBufferView,
  more: object = {},
): { headers: Record<string, string>; body: Buffer } {
  const parameters = { binary_data_size: data.byteLength };
  const head = JSON.stringify({ inputs: [{ name: 'x', datatype, shape, parameters }], ...more });
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(Buffer.byteLength(head)),
    },
    body: Buffer.concat([Buffer.from(head), bytes]),
  };
}

/** The parameters of a request that stand for those of a call. */
export function requestParameters({ parameters, range }: QuantizeOptions): Record<string, unknown> {
  const { scale, zeroPoint } = (parameters ?? {}) as { scale?: number; zeroPoint?: number };
  const { min, max } = (range ?? {}) as { min?: number; max?: number };
  const all = { scale, zero_point: zeroPoint, min, max };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Posts to a model's `infer`. */
export async function infer(
  url: string,
  model: string,
  request: { headers?: Record<string, string>; body: Buffer | string },
): Promise<Answer> {
  const response = await fetch(`${url}/v2/models/${model}/infer`, { method: 'POST', ...request } as RequestInit);
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length') ?? bytes.length);
  const json = JSON.parse(bytes.subarray(0, length).toString());
  let at = length;
  const outputs = new Map<string, AnswerTensor>();
  for (const output of json.outputs ?? []) {
    const size = output.parameters?.binary_data_size;
    outputs.set(output.name, size === undefined ? output : { ...output, bytes: bytes.subarray(at, at + size) });
    at += size ?? 0;
  }
  if (response.ok) expect(at).toBe(bytes.length);
  return { status: response.status, headers: response.headers, json, outputs };
}

/** Sends bytes as they are, closes the sending side unless told not to, and gives all that comes back. */
export function raw(url: string, bytes: Buffer | string, isEnded = true): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      if (isEnded) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on('data', (part) => parts.push(part));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
}
