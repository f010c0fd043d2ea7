/**
 * The streams of a cluster and the consumers of them.
 * @module
 */
import type { ConsumerConfig, ConsumerInfo, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { HOSTS, type Names } from './names.js';
import type { ClusterSettings } from './options.js';

/** Codes of JetStream: what is asked for is not there, or is there already. */
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;
const ALREADY_THERE = new Set([10_058, 10_148, 10_013]);

/** Milliseconds that the server knows the ids of messages for. */
const DUPLICATES_MS = 120_000;

/** Milliseconds after which the results of a client that is gone are nobody's. */
const INACTIVE_MS = 60 * 60 * 1000;

type Named<T> = Partial<T> & { readonly name: string };

/** The three streams, where they are not there yet; those that are stay as they are. */
export async function ensureStreams(jsm: JetStreamManager, settings: ClusterSettings): Promise<void> {
  const { names, storage, replicas, maxAge } = settings;
  const common = {
    storage,
    num_replicas: replicas,
    max_age: nanoseconds(maxAge),
    duplicate_window: nanoseconds(Math.min(DUPLICATES_MS, maxAge)),
    allow_direct: true,
  };
  // A message of the first two is gone when it is acknowledged; parts are, when the result was taken.
  const streams = [
    { ...common, name: names.work, subjects: [names.workOf('*')], retention: 'workqueue' },
    { ...common, name: names.results, subjects: [names.resultsOf('*')], retention: 'workqueue' },
    { ...common, name: names.parts, subjects: [names.partsOf()], retention: 'limits' },
  ] as const;
  for (const stream of streams) await ensureStream(jsm, stream as unknown as Named<StreamConfig>);
}

/** What decides how hosts share the work. */
export interface WorkSettings {
  /** Milliseconds after which a batch goes to another host, unless its host says that it works on it. */
  readonly ackWait: number;
  /** Batches that all hosts together may have in work. */
  readonly maxAckPending: number;
}

/**
 * The consumer of the work; the settings are those of the one that is there, unless others are given.
 * @returns the settings that hold
 */
export async function ensureHosts(
  jsm: JetStreamManager,
  names: Names,
  given: Partial<WorkSettings>,
  otherwise: WorkSettings,
): Promise<WorkSettings> {
  const { ackWait, maxAckPending } = { ...otherwise, ...given };
  const limits = { ack_wait: nanoseconds(ackWait), max_ack_pending: maxAckPending };
  // How often a batch was delivered, hosts look at: the server would only leave it lying there.
  const config = { durable_name: HOSTS, ack_policy: 'explicit', max_deliver: -1, ...limits };
  let info = await ensureConsumer(jsm, names.work, HOSTS, config as unknown as Partial<ConsumerConfig>);
  const isOther =
    (given.ackWait !== undefined && info.config.ack_wait !== limits.ack_wait) ||
    (given.maxAckPending !== undefined && info.config.max_ack_pending !== limits.max_ack_pending);
  if (isOther) info = await jsm.consumers.update(names.work, HOSTS, limits);
  return { ackWait: info.config.ack_wait! / 1e6, maxAckPending: info.config.max_ack_pending! };
}

/** The consumer of the results of one client. */
export async function ensureClient(jsm: JetStreamManager, names: Names, client: string): Promise<void> {
  const config = {
    durable_name: client,
    ack_policy: 'explicit',
    filter_subject: names.resultsOf(client),
    max_deliver: -1,
    inactive_threshold: nanoseconds(INACTIVE_MS),
  };
  await ensureConsumer(jsm, names.results, client, config as unknown as Partial<ConsumerConfig>);
}

/** Whether somebody listens for the results of a client. */
export async function hasClient(jsm: JetStreamManager, names: Names, client: string): Promise<boolean> {
  try {
    await jsm.consumers.info(names.results, client);
    return true;
  } catch (error) {
    if (codeOf(error) === CONSUMER_NOT_FOUND) return false;
    throw error;
  }
}

async function ensureStream(jsm: JetStreamManager, config: Named<StreamConfig>): Promise<void> {
  try {
    await jsm.streams.info(config.name);
  } catch (error) {
    if (codeOf(error) !== STREAM_NOT_FOUND) throw error;
    await orThere(() => jsm.streams.add(config));
  }
}

async function ensureConsumer(
  jsm: JetStreamManager,
  stream: string,
  name: string,
  config: Partial<ConsumerConfig>,
): Promise<ConsumerInfo> {
  try {
    return await jsm.consumers.info(stream, name);
  } catch (error) {
    if (codeOf(error) !== CONSUMER_NOT_FOUND) throw error;
    return (await orThere(() => jsm.consumers.add(stream, config))) ?? jsm.consumers.info(stream, name);
  }
}

/** Makes something; undefined where somebody else just did. */
async function orThere<T>(make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (ALREADY_THERE.has(codeOf(error) ?? 0)) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): number | undefined {
  return (error as { readonly code?: number } | null)?.code;
}

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6);
}
