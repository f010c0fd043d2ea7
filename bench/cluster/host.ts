/**
 * A host as a process of its own: `quantlane node`.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NodeCounts } from '../../src/cluster/index.js';

// From dist/bench/cluster.
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A host that has joined. */
export class Host {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #out: Promise<string>;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#out = textOf(child);
  }

  /** Starts a host; `more` are further words of its command line. */
  static async start(name: string, servers: string, more: readonly string[] = []): Promise<Host> {
    const words = [MAIN, 'node', '--servers', servers, '--name', name, '--lanes', '0', '--memory', '64MiB', '--json'];
    const child = spawn(process.execPath, [...words, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    const host = new Host(name, child);
    const lines = createInterface(child.stderr!);
    const [line] = (await once(lines, 'line')) as [string];
    if (line.includes('takes batches of')) return host;
    throw new Error(`Expected a host that takes batches, got: ${line}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets it finish what it has in hand; gives what it has done. */
  async leave(): Promise<NodeCounts> {
    const exited = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    this.signal('SIGTERM');
    await exited;
    return JSON.parse(await this.#out) as NodeCounts;
  }

  /** Ends it, whatever it does. */
  end(): void {
    this.signal('SIGCONT');
    this.signal('SIGKILL');
  }
}

async function textOf(child: ChildProcess): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of child.stdout!) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
