/** `quantlane generate`: the text as it is made, as JSON, and what is refused. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { problem, run, runJson, spawned, temporaryFolder } from './helpers.js';

const MODEL = fileURLToPath(new URL('../../examples/model', import.meta.url));
const PROMPT = ' appears as firm as at any former period and as likely to continue as that of any other nation';
/** What PyTorch makes of it. */
const TEXT = ' will be made to the Congress. The report of the Secretary of the Treasury';
const MADE = ['generate', '--model', MODEL, '--prompt', PROMPT, '--lanes', '0'];

interface Answer {
  readonly text: string;
  readonly ids: readonly number[];
  readonly finish: string;
  readonly cacheBytes: number;
  readonly tokensPerSecond: number;
}

it('writes the text of the model, and no more', async () => {
  const words = [...MADE, '--max-tokens', '15', '--scheme', 'none', '--kv', 'none'];
  expect(await spawned(words)).toEqual({ code: 0, out: `${TEXT}\n`, err: '' });
});

it('writes tokens as they are made', async () => {
  const pieces: string[] = [];
  const ran = await run([...MADE, '--max-tokens', '5'], { write: (text) => pieces.push(text) });
  expect(ran).toEqual({ code: 0, out: '\n', err: '' });
  expect(pieces).toHaveLength(5);
  expect(TEXT.startsWith(pieces.join(''))).toBe(true);
});

it('says all of it as JSON', async () => {
  const words = [...MADE, '--max-tokens', '15'];
  const answer = await runJson<Answer>(words);
  expect(answer).toMatchObject({ command: 'generate', model: MODEL, scheme: 'vllm-int8-per-token', kv: 'int8' });
  expect(answer.text).toMatch(/^ will be made to the Congress\. The /);
  expect(answer.ids).toHaveLength(15);
  expect(answer.finish).toBe('tokens');
  expect(answer.tokensPerSecond).toBeGreaterThan(0);
  const floats = await runJson<Answer>([...words, '--kv', 'none']);
  expect(floats.cacheBytes).toBeGreaterThan(answer.cacheBytes);
});

it('draws the same text from the same seed', async () => {
  const draw = (seed: string) =>
    runJson<Answer>([...MADE, '--max-tokens', '8', '--temperature', '1.5', '--seed', seed]).then(({ ids }) => ids);
  const first = await draw('5');
  expect(await draw('5')).toEqual(first);
  expect(await draw('6')).not.toEqual(first);
});

it('stops where it is told to', async () => {
  const stop = new AbortController();
  const write = () => stop.abort(new Error('stopped'));
  const ran = await run(MADE, { signal: stop.signal, write });
  expect(ran).toEqual({ code: 1, out: '', err: 'quantlane generate: stopped' });
});

describe('refuses', async () => {
  const folder = await temporaryFolder();

  it.each([
    [['generate', '--model', MODEL], 'Expected --prompt, got none'],
    [['generate', '--prompt', 'x'], 'Expected --model, got none'],
    [[...MADE, '--max-tokens', '-1'], 'for --max-tokens'],
    [[...MADE, '--max-tokens', '1.5'], 'Expected an integer for --max-tokens'],
    [[...MADE, '--temperature', '-1'], 'Expected a number from 0 for --temperature'],
    [[...MADE, '--seed', 'x'], 'Expected an integer for --seed'],
    [[...MADE, '--scheme', 'nope'], "got 'nope'"],
    [[...MADE, '--scheme', 'onnx-static'], "found at run time, got 'onnx-static'"],
    [[...MADE, '--scheme', 'bnb-int8'], "outliers of other tokens, got 'bnb-int8'"],
    [[...MADE, '--scheme', 'st-binary'], "the length of a row, got 'st-binary'"],
    [[...MADE, '--scheme', 'st-int8'], "each token or parts of it, got 'st-int8'"],
    [[...MADE, '--kv', 'nope'], "got 'nope'"],
    [['generate', '--model', MODEL, '--prompt', ''], 'Expected a prompt of 1 to 256 tokens, got 0'],
  ])('%j', async (words, message) => expect(await problem(words, 2)).toContain(message));

  it('a folder without a model', async () => {
    const words = ['generate', '--model', folder, '--prompt', 'x'];
    expect(await problem(words, 1)).toMatch(/^quantlane generate: ERR_QUANTLANE_FORMAT: .*config\.json: .*ENOENT$/);
  });

  it('a model of another architecture', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'config.json'), '{"model_type": "gpt2"}');
    const words = ['generate', '--model', other, '--prompt', 'x'];
    expect(await problem(words, 1)).toContain('Expected model_type "llama", got "gpt2"');
  });

  it('memory that the weights do not fit in', async () => {
    expect(await problem([...MADE, '--memory', '1MiB'], 1)).toContain('ERR_QUANTLANE_ARENA');
  });
});
