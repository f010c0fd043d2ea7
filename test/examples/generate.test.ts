/** The first part of `npm start`: text of the bundled model, and how it looks on a terminal. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LiveText } from '../../dist/examples/generate/live-text.js';

const MAIN = fileURLToPath(new URL('../../dist/examples/generate/main.js', import.meta.url));

/** What a screen shows of what is written to it. */
class Screen {
  readonly isTTY = true;
  #lines = [''];
  #row = 0;

  write(text: string): void {
    const [plain, ...commands] = text.split('\x1b[');
    this.#print(plain!);
    for (const command of commands) {
      const [, code, after] = /^(\d*[AK])([\s\S]*)$/.exec(command)!;
      if (code === 'K') this.#lines[this.#row] = '';
      else if (code === '1A') this.#row--;
      this.#print(after!);
    }
  }

  #print(text: string): void {
    for (const letter of text) {
      if (letter === '\n') this.#lines[++this.#row] ??= '';
      else if (letter !== '\r') this.#lines[this.#row] += letter;
    }
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}

it('tells that a small model writes, writes, and sums up', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN]);
  expect(stderr).toBe('');
  const [introduction, text, sum] = stdout.trimEnd().split('\n\n');
  expect(introduction).toContain('small language model');
  expect(text!.replaceAll('\n', ' ')).toMatch(/^Fellow-Citizens of the Senate and House of Representatives: The /);
  expect(text!.length).toBeGreaterThan(400);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const [, rate, ratio, cache] = /^(\d+) tokens\/s, activations ([\d.]+) dB SQNR, cache (\d+) KiB$/.exec(sum!)!;
  expect(Number(rate)).toBeGreaterThan(0);
  expect(Number(ratio)).toBeGreaterThan(30);
  expect(Number(cache)).toBeGreaterThan(100);
}, 60_000);

describe('LiveText', () => {
  const words = 'word '.repeat(40);

  it('replaces the line below the text on a terminal', () => {
    const screen = new Screen();
    const text = new LiveText(screen);
    text.add('one ');
    text.say('1 token');
    text.add('two ');
    text.say('2 tokens');
    expect(screen.text).toBe('one two \n2 tokens');
    text.add(words);
    expect(screen.text.split('\n').at(-1)).toBe('2 tokens');
    text.end('the end');
    expect(screen.text.replace(/\s+/g, ' ')).toBe(`one two ${words}the end `);
    expect(screen.text.split('\n').filter((line) => line.length > 79)).toEqual([]);
    expect(screen.text).not.toContain('2 tokens');
  });

  it('is plain text elsewhere', () => {
    const written: string[] = [];
    const text = new LiveText({ write: (piece: string) => written.push(piece) });
    text.add('a\nb');
    text.say('1 token');
    text.add('c');
    text.end('the end');
    expect(written.join('')).toBe('a\nbc\n\nthe end\n');
  });

  it('breaks a word that is longer than a line', () => {
    const written: string[] = [];
    const text = new LiveText({ write: (piece: string) => written.push(piece) });
    text.add('x'.repeat(100));
    text.end('');
    expect(written.join('')).toBe(`${'x'.repeat(79)}\n${'x'.repeat(21)}\n\n\n`);
  });
});
