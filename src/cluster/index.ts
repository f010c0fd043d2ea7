/**
 * Many hosts: batches go through NATS JetStream to hosts that quantize them, and come back in order, once.
 * @module
 */

export type { ClientCounts } from './client.js';
export { ClusterNode, type NodeCounts, type NodeMetrics } from './node.js';
export type { NodeOptions } from './node-options.js';
export type { ClusterOptions, ClusterTls } from './options.js';
export { type RuntimeWays, remote, runtime } from './remote.js';
export type { RemoteOptions } from './remote-options.js';
export {
  type RemoteCallOptions,
  type RemoteMetrics,
  type RemoteQuantizeOptions,
  RemoteRuntime,
  type RemoteStreamOptions,
} from './remote-runtime.js';
