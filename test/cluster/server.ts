/** Whether there is a NATS server, without which tests are left out. */
import { spawnSync } from 'node:child_process';

export { NatsServer } from '../../dist/bench/cluster/nats-server.js';

/** Whether there is a server on this machine. */
export const HAS_NATS = spawnSync('nats-server', ['--version']).status === 0;

/** Why tests are left out; part of their name. */
export const NEEDS_NATS = HAS_NATS ? '' : ' (left out: there is no nats-server on the path)';
