/** The command line of the benchmarks. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { between } from '../../bench/document.js';
import { readOptions, UsageError, usage } from '../../bench/options.js';
import { CASES } from '../../dist/bench/cases.js';

const PROGRAM = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));
const NAMES = ['one', 'two', 'three'];

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe('options', () => {
  it('mean all cases where none is named, and keep their order', () => {
    const plain = { isHelp: false, isQuick: false, isWriting: false, json: undefined };
    expect(readOptions([], NAMES)).toEqual({ ...plain, cases: NAMES });
    expect(readOptions(['three', 'one'], NAMES)).toEqual({ ...plain, cases: ['one', 'three'] });
    const all = readOptions(['two', '--quick', '--json', 'file'], NAMES);
    expect(all).toEqual({ ...plain, cases: ['two'], isQuick: true, json: 'file' });
    expect(readOptions(['--write'], NAMES).isWriting).toBe(true);
    expect(readOptions(['-h'], NAMES).isHelp).toBe(true);
  });

  it('are refused in one line', () => {
    const refused = (args: string[]) => expect(() => readOptions(args, NAMES));
    refused(['four', 'one']).toThrow(new UsageError('Expected cases of one, two, three; got four'));
    refused(['--quick', '--write']).toThrow(UsageError);
    refused(['--wrong']).toThrow(UsageError);
    refused(['--json']).toThrow(UsageError);
  });

  it('are told with every case', () => {
    const text = usage(CASES);
    for (const { name, question } of CASES)
      expect(text).toMatch(new RegExp(`^  ${name} +${question.slice(0, 20)}`, 'm'));
    for (const option of ['--json', '--write', '--quick', '--help']) expect(text).toContain(option);
  });
});

describe('the program', () => {
  it('tells how it is used', async () => {
    expect(await bench('--help')).toEqual({ code: 0, stdout: usage(CASES), stderr: '' });
  });

  it.each([['wrong'], ['--wrong'], ['--quick', '--write']])(
    'refuses %s with one line and exit code 2',
    async (...args) => {
      const { code, stdout, stderr } = await bench(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    },
  );

  it('measures, says whether bars are met, and writes the same as JSON', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-bench-'));
    try {
      const file = join(folder, 'answers.json');
      const { code, stdout, stderr } = await bench('halves', 'pipeline', '--quick', '--json', file);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^\| vllm-int8-per-token from float16.*≥ 0\.8 × \| (met|missed)/m);
      const { answers, effort } = JSON.parse(await readFile(file, 'utf8'));
      expect(Object.keys(answers)).toEqual(['halves', 'pipeline']);
      expect(effort.isQuick).toBe(true);
      for (const { measured } of [...answers.halves.bars, ...answers.pipeline.bars]) {
        expect(measured.low).toBeGreaterThan(0);
        expect(measured.low).toBeLessThanOrEqual(measured.value);
        expect(measured.high).toBeGreaterThanOrEqual(measured.value);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('has a place in a document for every case', () => {
  const elsewhere: Readonly<Record<string, string>> = {
    recall: 'quality',
    generation: 'generation',
    tokens: 'generation',
  };
  for (const { name } of CASES) {
    const document = elsewhere[name] ?? 'performance';
    const marker = name in elsewhere ? name : `bench:${name}`;
    const page = readFileSync(new URL(`../../docs/${document}.md`, import.meta.url), 'utf8');
    expect(between(page, marker, 'new')).toContain(`<!-- ${marker} -->\n\nnew\n\n`);
  }
});
