/**
 * What is asked of the load, and the request that it sends.
 * @module
 */
import { activations } from '../work.js';

/** What is asked for. */
export interface LoadOrder {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  /** Values of a request. */
  readonly elements: number;
}

/** What came of it. */
export interface LoadResult {
  readonly requests: number;
  /** Requests a second. */
  readonly rate: number;
  /** Milliseconds until an answer was there: the middle one, and what all but one of a hundred stayed below. */
  readonly p50: number;
  readonly p99: number;
  /** Answers other than 200, and connections that failed. */
  readonly failed: number;
}

/** A request of the protocol for one row of float32, answered with bytes. */
export function requestOf(elements: number): {
  readonly body: Buffer<ArrayBuffer>;
  readonly headers: Record<string, string>;
} {
  const values = activations(new Float32Array(elements));
  const input = { name: 'x', datatype: 'FP32', shape: [1, elements], parameters: { binary_data_size: elements * 4 } };
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return {
    body: Buffer.concat([head, Buffer.from(values.buffer)]),
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
  };
}
