/** Text over HTTP: whole, and as Server-Sent Events. */
import { fileURLToPath } from 'node:url';
import { Observable } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Client, RemoteError } from '#src/client/index.js';
import { PLAIN, TextGenerator } from '#src/generate/index.js';
import type { TextPiece, TextSource } from '#src/server/index.js';
import { ended, start } from '../cli/helpers.js';
import { withServer } from './client.js';
import { faults } from './schema.js';

const MODEL = fileURLToPath(new URL('../../examples/model', import.meta.url));
const PROMPT = ' appears as firm as at any former period and as likely to continue as that of any other nation';

/** Two pieces, and then what is told: an error, or nothing any more. */
function source(then: 'fail' | 'wait', onLeft: () => void = () => undefined): TextSource {
  return {
    generate: () =>
      new Observable<TextPiece>((subscriber) => {
        subscriber.next({ text: 'a', finish: null });
        subscriber.next({ text: 'b', finish: null });
        if (then === 'fail') subscriber.error(new Error('secret'));
        return onLeft;
      }),
  };
}

function post(url: string, path: string, body: object | string): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${url}/v2/models/${path}`, { method: 'POST', body: text });
}

describe('generation', () => {
  let generator: TextGenerator;
  let expected: string;
  beforeAll(async () => {
    generator = await TextGenerator.open(MODEL, PLAIN);
    const texts: string[] = [];
    await new Promise<void>((complete, error) =>
      generator
        .generate(PROMPT, { maxTokens: 12 })
        .subscribe({ next: ({ text }) => texts.push(text), complete, error }),
    );
    expected = texts.join('');
  }, 30_000);

  it('answers with the whole text, or with an event for each token', async () => {
    await withServer({ generators: [{ name: 'llama', generator }] }, async (url) => {
      const body = { text_input: PROMPT, parameters: { max_tokens: 12, stream: false, temperature: 0 } };
      const whole = await (await post(url, 'llama/generate', body)).json();
      expect(faults('generate_response', whole)).toBe('');
      expect(whole).toEqual({ model_name: 'llama', model_version: '1', text_output: expected });
      const response = await post(url, 'llama/versions/1/generate_stream', body);
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const events = (await response.text()).split('\n\n').slice(0, -1);
      const pieces = events.map((event) => JSON.parse(event.replace(/^data: /, '')));
      expect(pieces).toHaveLength(12);
      for (const piece of pieces) expect(faults('generate_stream_response', piece)).toBe('');
      expect(pieces.map(({ text_output }) => text_output).join('')).toBe(expected);
      expect(pieces.map(({ done }) => done)).toEqual([...new Array(11).fill(false), true]);
      for (const path of ['llama', 'llama/ready']) expect((await fetch(`${url}/v2/models/${path}`)).status).toBe(200);
      expect(faults('metadata_model_response', await (await fetch(`${url}/v2/models/llama`)).json())).toBe('');
    });
  });

  it('makes many texts at a time, each as it would be alone', async () => {
    await withServer({ generators: [{ name: 'llama', generator }] }, async (url) => {
      const client = new Client(url);
      const texts = await Promise.all(
        Array.from({ length: 6 }, async () => {
          let text = '';
          for await (const piece of client.generate('llama', { prompt: PROMPT, maxTokens: 12 })) text += piece;
          return text;
        }),
      );
      expect(texts).toEqual(new Array(6).fill(expected));
    });
  });

  it.each([
    ['no JSON', 'nope', 400, 'Expected JSON'],
    ['no text', {}, 400, 'Expected text_input'],
    ['an empty text', { text_input: '' }, 400, 'Expected a prompt of 1 to'],
    ['too many tokens', { text_input: 'a', parameters: { max_tokens: 21 } }, 400, 'Expected max_tokens from 0 to 20'],
    ['an unknown parameter', { text_input: 'a', parameters: { nope: 1 } }, 400, "got 'nope'"],
    ['a wrong temperature', { text_input: 'a', parameters: { temperature: -1 } }, 400, 'Expected a temperature'],
  ] as const)('refuses %s', async (_, body, status, text) => {
    await withServer({ generators: [{ name: 'llama', generator }], maxTokens: 20 }, async (url) => {
      for (const path of ['llama/generate', 'llama/generate_stream']) {
        const response = await post(url, path, body);
        const json = await response.json();
        expect([response.status, json.error]).toEqual([status, expect.stringContaining(text)]);
        expect(faults('error_response', json)).toBe('');
      }
    });
  });

  it('tells of an error after the first token as an event, and nothing of its text', async () => {
    await withServer({ generators: [{ name: 'x', generator: source('fail') }] }, async (url) => {
      const text = await (await post(url, 'x/generate_stream', { text_input: 'a' })).text();
      expect(text.split('\n\n').slice(2)).toEqual(['event: error\ndata: {"error":"Internal error"}', '']);
      expect((await post(url, 'x/generate', { text_input: 'a' })).status).toBe(500);
      const found: string[] = [];
      const run = async () => {
        for await (const piece of new Client(url).generate('x', { prompt: 'a' })) found.push(piece);
      };
      await expect(run()).rejects.toBeInstanceOf(RemoteError);
      expect(found).toEqual(['a', 'b']);
    });
  });

  it('ends a text whose client goes, and refuses one too many', async () => {
    let left = 0;
    const generators = [{ name: 'x', generator: source('wait', () => left++) }];
    await withServer({ generators, maxSessions: 1, token: 'secret' }, async (url, _runtime, server) => {
      const client = new Client(url, { token: 'secret' });
      const text = client.generate('x', { prompt: 'a' });
      expect((await text.next()).value).toBe('a');
      expect(server.pending).toBe(1);
      await expect(client.generate('x', { prompt: 'a' }).next()).rejects.toMatchObject({ status: 429, retryAfter: 1 });
      await text.return();
      await expect.poll(() => [left, server.pending]).toEqual([1, 0]);
      await expect(client.generate('nope', { prompt: 'a' }).next()).rejects.toMatchObject({ status: 404 });
      await expect(new Client(url).generate('x', { prompt: 'a' }).next()).rejects.toMatchObject({ status: 401 });
    });
  });

  it('refuses names that are taken or none', async () => {
    for (const name of ['onnx-dynamic', 'a/b']) {
      const run = withServer({ generators: [{ name, generator }] }, async () => undefined);
      await expect(run).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    }
  });
});

it('is what quantlane serve --generate does', { timeout: 30_000 }, async () => {
  const child = start(['serve', '--port', '0', '--lanes', '0', '--generate', MODEL, '--generate-name', 'tiny']);
  const done = ended(child);
  const url = await new Promise<string>((resolve) => {
    child.stderr!.on('data', (part) => {
      const found = /http:\/\/[\d.:]+/.exec(String(part));
      if (found) resolve(found[0]);
    });
  });
  const pieces: string[] = [];
  for await (const piece of new Client(url).generate('tiny', { prompt: PROMPT, maxTokens: 5 })) pieces.push(piece);
  expect(pieces.join('')).toMatch(/^ will be made/);
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ code: 0 });
});
