/**
 * How a server is made.
 * @module
 */
import { fail, got } from '../errors.js';
import { parseSize } from '../memory/index.js';
import type { GeneratorSettings } from './generation.js';
import type { ModelSettings } from './models.js';

/** What takes the lines of a log, such as `process.stderr`. */
export interface LogTarget {
  /** Takes a line, with its end. */
  write(line: string): unknown;
}

/** How a server is made. */
export interface ServerOptions {
  /** Address to listen on; default 127.0.0.1, which only this machine reaches. */
  readonly host?: string;
  /** Port; default 8000, 0 for any that is free. */
  readonly port?: number;
  /** Models beside the presets. */
  readonly models?: readonly ModelSettings[];
  /** A token that every request but those for health must bring: `Authorization: Bearer …`. */
  readonly token?: string;
  /** Certificate and key, in PEM, for TLS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Most bytes of a tensor, or text such as `'64MiB'` (default). */
  readonly maxTensor?: number | string;
  /** Most bytes of JSON; default `'8MiB'`. */
  readonly maxJson?: number | string;
  /** Requests in work at a time; one more is refused with 429. Default 1,024. */
  readonly maxPending?: number;
  /** Language models, for text. */
  readonly generators?: readonly GeneratorSettings[];
  /** Tokens of a text at most, and where a request tells none; default 512. */
  readonly maxTokens?: number;
  /** Texts that are made at a time; one more is refused with 429. Default 32. */
  readonly maxSessions?: number;
  /** Streams of batches at a time; one more is refused with 429. Default 64. */
  readonly maxStreams?: number;
  /** Milliseconds for a request from its first byte to the last of its answer; default 30,000. */
  readonly timeout?: number;
  /** The page `/dashboard` and its watch; by default where only this machine reaches the server, or it has a token. */
  readonly dashboard?: boolean;
  /** Whether `GET /metrics` needs no token; default false. */
  readonly metricsOpen?: boolean;
  /** Milliseconds without a sign of life from the lanes after which the server is not ready; default 5,000. */
  readonly healthDeadline?: number;
  /** Where a line of JSON goes for each request; default: nowhere. */
  readonly log?: LogTarget;
}

/** The options with their defaults. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly models: readonly ModelSettings[];
  readonly token: string | undefined;
  readonly tls: ServerOptions['tls'];
  readonly maxTensor: number;
  readonly maxJson: number;
  readonly maxPending: number;
  readonly maxStreams: number;
  readonly generators: readonly GeneratorSettings[];
  readonly maxTokens: number;
  readonly maxSessions: number;
  readonly timeout: number;
  readonly dashboard: boolean;
  readonly metricsOpen: boolean;
  readonly healthDeadline: number;
  readonly log: LogTarget | undefined;
}

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settleServer(options: ServerOptions): ServerSettings {
  const { host = '127.0.0.1', port = 8000, models = [], token, tls, log } = options;
  const {
    maxPending = 1_024,
    maxStreams = 64,
    timeout = 30_000,
    metricsOpen = false,
    healthDeadline = 5_000,
  } = options;
  if (typeof host !== 'string' || host === '') throw wrong('host: an address', host);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw wrong('port: 0 to 65535', port);
  if (token !== undefined && (typeof token !== 'string' || token === '')) throw wrong('token: a string', token);
  if (!Number.isSafeInteger(maxPending) || maxPending < 1) throw wrong('maxPending: at least 1', maxPending);
  if (!Number.isSafeInteger(maxStreams) || maxStreams < 1) throw wrong('maxStreams: at least 1', maxStreams);
  const { generators = [], maxTokens = 512, maxSessions = 32 } = options;
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) throw wrong('maxTokens: at least 1', maxTokens);
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) throw wrong('maxSessions: at least 1', maxSessions);
  if (!(timeout > 0 && timeout < 2 ** 31)) throw wrong('timeout: milliseconds', timeout);
  const { dashboard = token !== undefined || isLoopback(host) } = options;
  if (typeof dashboard !== 'boolean') throw wrong('dashboard: true or false', dashboard);
  if (typeof metricsOpen !== 'boolean') throw wrong('metricsOpen: true or false', metricsOpen);
  if (!(healthDeadline > 0 && healthDeadline < 2 ** 31)) throw wrong('healthDeadline: milliseconds', healthDeadline);
  if (log !== undefined && typeof log?.write !== 'function') throw wrong('log: what has write()', log);
  const maxTensor = parseSize(options.maxTensor ?? '64MiB');
  const maxJson = parseSize(options.maxJson ?? '8MiB');
  return {
    host,
    port,
    models,
    token,
    tls,
    maxTensor,
    maxJson,
    maxPending,
    maxStreams,
    generators,
    maxTokens,
    maxSessions,
    timeout,
    dashboard,
    metricsOpen,
    healthDeadline,
    log,
  };
}

/** Whether only this machine reaches an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(actual)}`);
}
