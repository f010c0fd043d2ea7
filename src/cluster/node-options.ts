/**
 * How a host takes part in a cluster.
 * @module
 */
import { parseSize } from '../memory/index.js';
import { type ClusterOptions, type ClusterSettings, milliseconds, settleCluster, wholeNumber } from './options.js';
import type { WorkSettings } from './streams.js';

/** How a host takes part in a cluster. */
export interface NodeOptions extends ClusterOptions {
  /** Batches that the host has in hand at a time; by default as many as its arena has room for, at most 64. */
  readonly credits?: number;
  /** Most bytes of a batch; default `'256MiB'`. */
  readonly maxTensor?: number | string;
  /**
   * Milliseconds after which a batch goes to another host unless its host says that it works on it, for all hosts; default
   * 5,000, or what the hosts before have chosen.
   */
  readonly ackWait?: number;
  /** Batches that all hosts together may have in hand; default 1,024, or what the hosts before have chosen. */
  readonly maxAckPending?: number;
  /** Hosts that a batch is given to before it comes back with ERR_QUANTLANE_POISON_BATCH; default 5. */
  readonly maxDeliver?: number;
}

/** The options with their defaults. */
export interface NodeSettings {
  readonly cluster: ClusterSettings;
  readonly credits: number | undefined;
  readonly maxTensor: number;
  readonly maxDeliver: number;
  /** What was asked for of the consumer that all hosts share. */
  readonly work: Partial<WorkSettings>;
}

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settleNode(options: NodeOptions): NodeSettings {
  const { credits, ackWait, maxAckPending, maxDeliver = 5 } = options;
  return {
    cluster: settleCluster(options),
    credits: credits === undefined ? undefined : wholeNumber('credits', credits, 1),
    maxTensor: parseSize(options.maxTensor ?? '256MiB'),
    maxDeliver: wholeNumber('maxDeliver', maxDeliver, 1),
    work: {
      ...(ackWait !== undefined && { ackWait: milliseconds('ackWait', ackWait) }),
      ...(maxAckPending !== undefined && { maxAckPending: wholeNumber('maxAckPending', maxAckPending, 1) }),
    },
  };
}
