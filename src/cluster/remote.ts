/**
 * The ways to a runtime: one of this process, that of another thread, or that of other hosts.
 * @module
 */
import { LanePool, startEngine } from '../runtime/index.js';
import { attachRuntime, createRuntime } from '../stream/index.js';
import { Client } from './client.js';
import { type RemoteOptions, settleRemote } from './remote-options.js';
import { RemoteRuntime } from './remote-runtime.js';

/**
 * A runtime whose work is done by the hosts of a cluster (`quantlane node`), with the same API as a local one and the same
 * bytes. Close it, or let `await using` do so: its connection keeps the process alive.
 * @throws ERR_QUANTLANE_UNREACHABLE where no server answers or it refuses, ERR_QUANTLANE_ARGUMENT
 */
export async function remote(options: RemoteOptions = {}): Promise<RemoteRuntime> {
  const settings = settleRemote(options);
  const { memory, kernels, maxPending } = options;
  const client = await Client.open(settings.cluster, settings.maxTensor);
  try {
    const own = {
      lanes: 0,
      ...(memory !== undefined && { memory }),
      ...(kernels !== undefined && { kernels }),
      ...(maxPending !== undefined && { maxPending }),
    };
    const engine = await startEngine(own, LanePool);
    return new RemoteRuntime(engine, client, settings);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The ways to a runtime. */
export interface RuntimeWays {
  /** One of this process; see `createRuntime`. */
  readonly create: typeof createRuntime;
  /** That of another thread; see `attachRuntime`. */
  readonly attach: typeof attachRuntime;
  /** That of other hosts; see `remote`. */
  readonly remote: typeof remote;
}

/** The ways to a runtime: `runtime.create()`, `runtime.attach(port)` and `runtime.remote({ servers })`. */
export const runtime: RuntimeWays = Object.freeze({ create: createRuntime, attach: attachRuntime, remote });
