/**
 * `quantlane node`: a host of a cluster, until a signal ends it.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type ArgsDef, defineCommand } from 'citty';
import { ClusterNode, type NodeOptions } from '../cluster/index.js';
import { integerOption, type Words, wordsOf } from './arguments.js';
import type { Context } from './context.js';
import { asUsage, usage } from './failure.js';
import type { Report } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';

const args = {
  servers: { type: 'string', description: 'Of NATS, with commas; default nats://127.0.0.1:4222', valueHint: 'URLS' },
  stream: { type: 'string', description: 'Name of the cluster, default quantlane', valueHint: 'NAME' },
  name: { type: 'string', description: 'Of this host; default its name and process', valueHint: 'NAME' },
  credits: { type: 'string', description: 'Batches in hand, default what the arena holds', valueHint: 'N' },
  'ack-wait': { type: 'string', description: 'Until others get a batch, default 5000', valueHint: 'MS' },
  'max-deliver': { type: 'string', description: 'Hosts that get a batch, default 5', valueHint: 'N' },
  'max-tensor': { type: 'string', description: 'Of a batch, default 256MiB', valueHint: 'SIZE' },
  creds: { type: 'string', description: 'Credentials file of NATS', valueHint: 'FILE' },
  'token-file': { type: 'string', description: 'Holds a token', valueHint: 'FILE' },
  user: { type: 'string', description: 'With --password-file', valueHint: 'NAME' },
  'password-file': { type: 'string', description: 'Holds a password', valueHint: 'FILE' },
  tls: { type: 'boolean', description: 'Ask for TLS' },
  'tls-ca': { type: 'string', description: 'Authorities, PEM', valueHint: 'FILE' },
  'tls-cert': { type: 'string', description: 'Certificate of this host, PEM', valueHint: 'FILE' },
  'tls-key': { type: 'string', description: 'Its key, PEM', valueHint: 'FILE' },
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const nodeCommand = defineCommand({
  meta: { name: 'node', description: 'Work as a host of a cluster over NATS JetStream' },
  args,
  run: ({ args, data }) => node(wordsOf(args), data as Context),
});

async function node(words: Words, context: Context): Promise<Report> {
  const options = await nodeOptions(words);
  await using runtime = await startRuntime(runtimeOptions(words));
  const host = await ClusterNode.join(runtime, options).catch((error: unknown) => () => {
    throw error;
  });
  if (typeof host === 'function') return asUsage('node', host);
  const { credits } = host.metrics();
  context.say(`quantlane node: ${host.name} takes batches of ${options.stream ?? 'quantlane'}, ${credits} at a time`);
  const stop = () => void host.leave();
  context.signal.addEventListener('abort', stop, { once: true });
  if (context.signal.aborted) stop();
  try {
    await host.left;
  } finally {
    context.signal.removeEventListener('abort', stop);
  }
  const { taken, redelivered, done, failed, poisoned, returned } = host.metrics();
  return {
    lines: [`${done} results of ${taken} batches, ${redelivered} redelivered, ${failed} failed`],
    json: { command: 'node', name: host.name, taken, redelivered, done, failed, poisoned, returned },
  };
}

async function nodeOptions(words: Words): Promise<NodeOptions> {
  const [creds, token, password] = await Promise.all([
    textOf('creds', words),
    textOf('token-file', words),
    textOf('password-file', words),
  ]);
  const credits = integerOption('credits', words('credits'));
  const ackWait = integerOption('ack-wait', words('ack-wait'));
  const maxDeliver = integerOption('max-deliver', words('max-deliver'));
  const tls = tlsOptions(words);
  const texts = { servers: words('servers'), stream: words('stream'), user: words('user') };
  const given = { ...texts, creds, token, password, tls, credits, ackWait, maxDeliver, maxTensor: words('max-tensor') };
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { name: words('name') ?? `${hostname()}-${process.pid}`, ...Object.fromEntries(present) };
}

function tlsOptions(words: Words): NodeOptions['tls'] {
  const files = { caFile: words('tls-ca'), certFile: words('tls-cert'), keyFile: words('tls-key') };
  const present = Object.entries(files).filter(([, value]) => value !== undefined);
  // A flag that is set is true, whatever its type says.
  const isAsked = (words('tls') as unknown) === true;
  return present.length === 0 && !isAsked ? undefined : Object.fromEntries(present);
}

/** What a file holds, without the end of its line. */
async function textOf(option: string, words: Words): Promise<string | undefined> {
  const path = words(option);
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw usage(`Expected a file for --${option}, got '${path}' (${cause.code})`);
  });
  return text.trim();
}
