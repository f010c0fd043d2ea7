/**
 * The module that the thread of a lane runs. Piscina starts the thread and hands it one session. The session's promise
 * settles when the lane is ready and the lane runs on for as long as its thread does: Piscina keeps a process alive for a
 * task in flight, and an idle lane must not.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { type Endpoint, expose } from 'comlink';
import { bindKernels, createReference } from '../src/kernels/index.js';
import { LaneControl } from './control.js';
import { Lane } from './loop.js';

/** What a lane is started with. */
export interface Session {
  /** Index of the lane. */
  readonly lane: number;
  /** The arena. */
  readonly memory: WebAssembly.Memory;
  /** The compiled kernels; null for the scalar ones. */
  readonly kernels: WebAssembly.Module | null;
  /** The compiled kernels with relaxed instructions; null for none. */
  readonly relaxed: WebAssembly.Module | null;
  /** Port for the control channel. */
  readonly port: MessagePort;
}

/** Starts a lane on this thread; settles with its index when it is ready. */
export default function start(session: Session): number {
  const { lane: index, memory, kernels, relaxed, port } = session;
  const kernel = kernels === null ? createReference(memory.buffer) : bindKernels(kernels, memory, relaxed);
  const lane = new Lane(index, memory, kernel);
  expose(new LaneControl(lane), port as unknown as Endpoint);
  void lane.run().finally(() => port.close());
  return index;
}
