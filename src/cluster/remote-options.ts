/**
 * How a remote runtime is made.
 * @module
 */
import { parseSize } from '../memory/index.js';
import type { RuntimeOptions } from '../runtime/index.js';
import { type ClusterOptions, type ClusterSettings, milliseconds, settleCluster, wholeNumber } from './options.js';

/** How a remote runtime is made. */
export interface RemoteOptions extends ClusterOptions, Pick<RuntimeOptions, 'memory' | 'kernels' | 'maxPending'> {
  /** Batches that are on their way at a time; others wait here. Default 64. */
  readonly maxInFlight?: number;
  /** Bytes of the values of those; a batch that is alone may have more. Default `'64MiB'`. */
  readonly maxBytes?: number | string;
  /**
   * Bytes from which on a tensor is cut into pieces for several hosts, where its scheme has ranges of rows, of blocks of rows
   * or of the whole tensor; default `'32MiB'`.
   */
  readonly splitAbove?: number | string;
  /** Most bytes of the values of a batch or piece, and of a result; default `'256MiB'`. */
  readonly maxTensor?: number | string;
  /** Milliseconds for a result to come from the moment that the batch is sent; default 60,000. */
  readonly timeout?: number;
}

/** The options with their defaults. */
export interface RemoteSettings {
  readonly cluster: ClusterSettings;
  readonly maxInFlight: number;
  readonly maxBytes: number;
  readonly splitAbove: number;
  readonly maxTensor: number;
  readonly timeout: number;
}

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settleRemote(options: RemoteOptions): RemoteSettings {
  return {
    cluster: settleCluster(options),
    maxInFlight: wholeNumber('maxInFlight', options.maxInFlight ?? 64, 1),
    maxBytes: parseSize(options.maxBytes ?? '64MiB'),
    splitAbove: parseSize(options.splitAbove ?? '32MiB'),
    maxTensor: parseSize(options.maxTensor ?? '256MiB'),
    timeout: milliseconds('timeout', options.timeout ?? 60_000),
  };
}
