/**
 * The limits of this machine, from a C program that is compiled for it and answers line by line.
 * @module
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contender } from './rounds.js';

/** What limits.c can do. */
export type LimitKernel = 'int8row' | 'uint8tensor' | 'copy' | 'read1' | 'read2';

// From dist/bench.
const SOURCE = fileURLToPath(new URL('../../bench/limits.c', import.meta.url));
const COMPILERS = ['cc', 'gcc', 'clang'];
const SAFE = ['-fno-math-errno', '-fno-trapping-math', '-ffinite-math-only', '-fno-signed-zeros'];
/** The best flags first; not every compiler knows all of them. */
const FLAGS = [
  ['-O3', '-march=native', '-mprefer-vector-width=512', ...SAFE],
  ['-O3', '-march=native', ...SAFE],
  ['-O3'],
];

/** The running program. It blocks on its input between requests, so it takes no time from its rivals. */
export class Limits {
  /** Compiler and flags. */
  readonly compiler: string;
  readonly #folder: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  /** What waits for a line. */
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];

  private constructor(compiler: string, folder: string, child: ChildProcessWithoutNullStreams) {
    this.compiler = compiler;
    this.#folder = folder;
    this.#child = child;
    this.#lines = createInterface(child.stdout);
    this.#lines.on('line', (line) => this.#waiting.shift()?.resolve(line));
    child.on('exit', (code) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`limits ended with ${code}`));
    });
  }

  /** Compiles and starts the program; undefined where there is no compiler. */
  static async start(): Promise<Limits | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-limits-'));
    const program = join(folder, 'limits');
    const compiler = await compile(program);
    if (compiler !== undefined) return new Limits(compiler, folder, spawn(program));
    await rm(folder, { recursive: true });
    return undefined;
  }

  /** A contender that runs a kernel on `count` floats (`int8row`, `uint8tensor`) or bytes. */
  contender(name: string, kernel: LimitKernel, count: number): Contender {
    return { name, time: async (runs) => Number(await this.#ask(`time ${kernel} ${count} ${runs}`)) };
  }

  /** The FNV-1a hash of the codes that a kernel makes of `limitValues`. */
  async check(kernel: 'int8row' | 'uint8tensor', count: number): Promise<number> {
    return Number.parseInt(await this.#ask(`check ${kernel} ${count}`), 16);
  }

  async #ask(request: string): Promise<string> {
    const answer = await new Promise<string>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${request}\n`);
    });
    if (answer === 'error') throw new Error(`Expected a request that limits.c knows, got ${request}`);
    return answer;
  }

  /** Ends the program and removes it. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end('quit\n');
    await ended;
    this.#lines.close();
    await rm(this.#folder, { recursive: true });
  }
}

/** Compiles with the first compiler and flags that can; undefined where none can. */
async function compile(program: string): Promise<string | undefined> {
  for (const compiler of COMPILERS) {
    for (const flags of FLAGS) {
      try {
        await promisify(execFile)(compiler, [...flags, SOURCE, '-o', program, '-lm', '-pthread']);
        return [compiler, ...flags].join(' ');
      } catch (error) {
        // The compiler is not there, or it does not know a flag.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') break;
      }
    }
  }
  return undefined;
}

/** The values that limits.c works on, in [−4, 4), bit for bit. */
export function limitValues(into: Float32Array): Float32Array {
  for (let index = 0; index < into.length; index++) {
    into[index] = ((Math.imul(index, 2654435761) >>> 8) / 16777216 - 0.5) * 8;
  }
  return into;
}

/** FNV-1a, as limits.c computes it. */
export function hashOf(codes: Uint8Array | Int8Array): number {
  let state = 2166136261;
  for (const code of codes) state = Math.imul(state ^ (code & 255), 16777619);
  return state >>> 0;
}
