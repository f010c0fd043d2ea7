/**
 * How a cluster is reached, by those who send batches and by hosts alike.
 * @module
 */
import { fail, got } from '../errors.js';
import { Names } from './names.js';

/** How a cluster is reached. Credentials go to NATS and nowhere else: no message or metric repeats them. */
export interface ClusterOptions {
  /** NATS servers, such as `nats://127.0.0.1:4222` (the default). */
  readonly servers?: string | readonly string[];
  /** Name of the cluster, which its streams begin with; default `quantlane`. */
  readonly stream?: string;
  /** What the connection is called in the server's lists. */
  readonly name?: string;
  /** Text of a credentials file of NATS, with a JWT and a seed. */
  readonly creds?: string | Uint8Array;
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
  /** TLS, with what Node takes: paths or PEM text of the authority, certificate and key. `{}` asks for TLS alone. */
  readonly tls?: ClusterTls;
  /** Milliseconds within which a server must answer at first; default 5,000. */
  readonly connectTimeout?: number;
  /** Milliseconds without a server after which the connection is given up; default 60,000. */
  readonly reconnectFor?: number;
  /** Where streams are kept that are not there yet; default `file`, which outlives the server. */
  readonly storage?: 'file' | 'memory';
  /** Copies of streams that are not there yet, in a cluster of servers; default 1. */
  readonly replicas?: number;
  /** Milliseconds that a message may wait in streams that are not there yet; default one day. */
  readonly maxAge?: number;
}

/** Files or texts for TLS. */
export interface ClusterTls {
  readonly caFile?: string;
  readonly ca?: string;
  readonly certFile?: string;
  readonly cert?: string;
  readonly keyFile?: string;
  readonly key?: string;
}

/** The options with their defaults. */
export interface ClusterSettings {
  readonly servers: readonly string[];
  readonly names: Names;
  readonly name: string;
  readonly creds: Uint8Array | undefined;
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: ClusterTls | undefined;
  readonly connectTimeout: number;
  readonly reconnectFor: number;
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  readonly maxAge: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settleCluster(options: ClusterOptions): ClusterSettings {
  const { name = 'quantlane', creds, token, user, password, tls } = options;
  const { storage = 'file', replicas = 1 } = options;
  const given = options.servers ?? 'nats://127.0.0.1:4222';
  const servers = typeof given === 'string' ? given.split(',') : [...given];
  if (servers.length === 0 || servers.some((server) => typeof server !== 'string' || server.trim() === '')) {
    throw wrong('servers: addresses such as nats://127.0.0.1:4222', `${servers.length} of them`);
  }
  // They would end up in messages and lists of processes.
  if (servers.some((server) => server.includes('@'))) {
    throw wrong('servers without credentials, which have options of their own', 'an address with @');
  }
  for (const [what, value] of Object.entries({ name, token, user, password })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw wrong(`${what}: a text`, typeof value);
  }
  if ((user === undefined) !== (password === undefined)) throw wrong('user and password', 'one of them');
  if (storage !== 'file' && storage !== 'memory') throw wrong("storage 'file' or 'memory'", got(storage));
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 5) throw wrong('1 to 5 replicas', got(replicas));
  return {
    servers: servers.map((server) => server.trim()),
    names: new Names(options.stream),
    name,
    creds: typeof creds === 'string' ? new TextEncoder().encode(creds) : creds,
    token,
    user,
    password,
    tls,
    connectTimeout: milliseconds('connectTimeout', options.connectTimeout ?? 5_000),
    reconnectFor: milliseconds('reconnectFor', options.reconnectFor ?? 60_000),
    storage,
    replicas,
    maxAge: milliseconds('maxAge', options.maxAge ?? DAY_MS),
  };
}

/**
 * Passes milliseconds that a timer can wait.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function milliseconds(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  throw wrong(`${name}: milliseconds above 0`, got(value));
}

/**
 * Passes a whole number from `least` on.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(`${name}: a whole number from ${least}`, got(value));
}

function wrong(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${actual}`);
}
