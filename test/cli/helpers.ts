/** Command lines in this process and in one of their own, and files to give to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import type { Context } from '#src/cli/context.js';
import { runProgram } from '#src/cli/program.js';
import { createSafetensors, npyHeader } from '#src/formats/index.js';

/** The entry that the package's command starts. */
export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** What became of a command line. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A tensor of a file. */
export interface FileTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A new folder that is deleted after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quantlane-cli-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a command line in a process of its own. */
export async function spawned(
  words: readonly string[],
  options: { input?: Uint8Array; node?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const child = start(words, options);
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(options.input ?? '');
  return ended(child);
}

/** Starts a command line and leaves its standard input open. */
export function start(
  words: readonly string[],
  options: { node?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const env = { ...process.env, ...options.env };
  return spawn(process.execPath, [...(options.node ?? []), MAIN, ...words], { env });
}

/** What became of a process. */
export async function ended(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (chunk) => out.push(chunk));
  child.stderr!.on('data', (chunk) => err.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** Runs a command line in this process. */
export async function run(words: readonly string[], context: Partial<Context> = {}): Promise<Ran> {
  const input = { [Symbol.asyncIterator]: async function* () {} };
  const { signal } = new AbortController();
  const written: string[] = [];
  const { exitCode, out, problem } = await runProgram(words, {
    input,
    show: undefined,
    say: () => undefined,
    write: (text) => written.push(text),
    signal,
    ...context,
  });
  return { code: exitCode, out: written.join('') + out, err: problem };
}

/** Runs a command line that succeeds, with `--json`, and gives its object. */
export async function runJson<T>(words: readonly string[]): Promise<T> {
  const { code, out, err } = await run([...words, '--json']);
  expect(err).toBe('');
  expect(code).toBe(0);
  return JSON.parse(out) as T;
}

/** Runs a command line that does not, and gives the one line that it says. */
export async function problem(words: readonly string[], code: 1 | 2): Promise<string> {
  const ran = await run(words);
  expect(ran.err).not.toBe('');
  expect(ran.err).not.toContain('\n');
  expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  return ran.err;
}

/** Writes an npy file. */
export async function putNpy(
  path: string,
  dtype: Parameters<typeof npyHeader>[0],
  shape: readonly number[],
  data: ArrayBufferView,
): Promise<string> {
  await writeFile(path, Buffer.concat([npyHeader(dtype, shape), bytesOf(data)]));
  return path;
}

/** Writes a safetensors file. */
export async function putSafetensors(
  path: string,
  tensors: Readonly<Record<string, readonly [Parameters<typeof npyHeader>[0], readonly number[], ArrayBufferView]>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<string> {
  const entries = Object.entries(tensors);
  const writer = await createSafetensors(
    path,
    entries.map(([name, [dtype, shape]]) => ({ name, dtype, shape })),
    metadata,
  );
  for (const [name, [, , data]] of entries) await writer.write(name, 0, bytesOf(data));
  await writer.close();
  return path;
}

/** The tensors and the metadata of a safetensors file, by a second reader. */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Record<string, FileTensor>; metadata: Record<string, string> }> {
  const file = await readFile(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(file.toString('utf8', 8, start));
  const tensors: Record<string, FileTensor> = {};
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries<{
    dtype: string;
    shape: number[];
    data_offsets: [number, number];
  }>(entries)) {
    tensors[name] = { dtype, shape, bytes: Uint8Array.from(file.subarray(start + ends[0], start + ends[1])) };
  }
  return { tensors, metadata };
}

/** `count` normal values from a seed; the same ones every time. */
export function normal(count: number, seed = 1): Float32Array {
  let state = seed * 0x9e3779b1;
  const uniform = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  });
}

/** The bytes of a view. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
