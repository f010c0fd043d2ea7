import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binaryRequest, infer, raw, withServer } from './client.js';

const SHAPE = [1, 64];
const values = new Float32Array(64).fill(0.5);
const good = binaryRequest('FP32', SHAPE, values);
const MODEL = 'vllm-int8-per-token';

function json(change: object): { body: string } {
  const input = { name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] };
  return { body: JSON.stringify({ inputs: [{ ...input, ...change }] }) };
}

/** A whole request as bytes. */
function wire(headers: Record<string, string>, body: Buffer): Buffer {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`POST /v2/models/${MODEL}/infer HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    body,
  ]);
}

describe('hostile requests', () => {
  it.each([
    ['no JSON', { body: 'nope' }, 400, 'ERR_QUANTLANE_FORMAT: Expected JSON, got '],
    ['an array', { body: '[]' }, 400, 'Expected a request: an object'],
    ['no inputs', { body: '{}' }, 400, 'inputs: one tensor'],
    ['two inputs', { body: '{"inputs":[{},{}]}' }, 400, 'inputs: one tensor'],
    ['a name that is none', json({ name: 1 }), 400, 'inputs[0].name'],
    ['a foreign type', json({ datatype: 'INT64' }), 400, 'ERR_QUANTLANE_DTYPE'],
    ['FP16 as JSON', json({ datatype: 'FP16' }), 400, 'Expected binary data of FP16'],
    ['no shape', json({ shape: 'x' }), 400, 'inputs[0].shape'],
    ['a negative size', json({ shape: [-2] }), 400, 'ERR_QUANTLANE_SHAPE'],
    ['a fraction as a size', json({ shape: [1.5] }), 400, 'ERR_QUANTLANE_SHAPE'],
    ['too few numbers', json({ shape: [3] }), 400, 'Expected 3 numbers as data, got 2'],
    ['too many numbers', json({ shape: [1] }), 400, 'Expected 1 numbers as data, got 2 or more'],
    ['text among numbers', json({ data: [1, '2'] }), 400, 'Expected data: arrays of numbers'],
    ['NaN by its absence', json({ data: [1, null] }), 400, 'Expected data: arrays of numbers'],
    ['an empty tensor', json({ shape: [0], data: [] }), 400, 'ERR_QUANTLANE_SHAPE'],
    ['a huge tensor', json({ shape: [2 ** 30] }), 413, 'Expected a tensor of at most'],
    ['an impossible tensor', json({ shape: [2 ** 50, 2 ** 50] }), 400, 'ERR_QUANTLANE_SHAPE'],
    ['an unknown output', { body: json({}).body.replace(/}$/, ',"outputs":[{"name":"nope"}]}') }, 400, "got 'nope'"],
    ['an unknown option', { body: json({}).body.replace(/}$/, ',"parameters":{"nope":1}}') }, 400, "got 'nope'"],
    [
      'a wrong option',
      { body: json({}).body.replace(/}$/, ',"parameters":{"dtype":"int5"}}') },
      400,
      'ERR_QUANTLANE_DTYPE',
    ],
    [
      'a long head',
      { ...good, headers: { ...good.headers, 'inference-header-content-length': '99999999' } },
      413,
      'JSON',
    ],
    [
      'a head that is none',
      { ...good, headers: { ...good.headers, 'inference-header-content-length': '-1' } },
      400,
      "got '-1'",
    ],
    ['a body that is short', { ...good, body: good.body.subarray(0, -1) }, 400, 'Expected a body with 1 more bytes'],
    ['a body that is long', { ...good, body: Buffer.concat([good.body, Buffer.from('x')]) }, 400, 'Expected the end'],
    [
      'a wrong declaration',
      binaryRequest('FP32', [1, 65], values),
      400,
      'Expected 260 bytes for shape [1,65], got 256',
    ],
    ['a NaN', binaryRequest('FP32', [1, 1], Float32Array.of(Number.NaN)), 400, 'ERR_QUANTLANE_NON_FINITE'],
  ] as const)('refuses %s', async (_, request, status, text) => {
    await withServer({}, async (url) => {
      const answer = await infer(url, MODEL, request as { body: Buffer });
      expect([answer.status, answer.json.error]).toEqual([status, expect.stringContaining(text)]);
      expect((await infer(url, MODEL, good)).status).toBe(200);
    });
  });

  it('gives up a body that does not come, and one whose client goes', async () => {
    await withServer({ timeout: 200 }, async (url, runtime) => {
      const bytes = wire({ ...good.headers, 'content-length': String(good.body.length) }, good.body.subarray(0, -4));
      expect(await raw(url, bytes, false)).toMatch(/^HTTP\/1\.1 503 [\s\S]*Expected request and answer within 200 ms/);
      await raw(url, bytes);
      await expect.poll(() => runtime.metrics().arena.inUse).toBe(0);
      expect((await infer(url, MODEL, good)).status).toBe(200);
    });
  });

  it('survives ten thousand requests that were tampered with', { timeout: 120_000 }, async () => {
    await withServer({ timeout: 2_000 }, async (url, runtime, server) => {
      const before = process.memoryUsage().rss;
      const whole = wire(
        { ...good.headers, 'content-length': String(good.body.length), connection: 'close' },
        good.body,
      );
      const change = fc.oneof(
        fc.record({ kind: fc.constant('flip' as const), at: fc.nat(whole.length - 1), to: fc.nat(255) }),
        fc.record({ kind: fc.constant('cut' as const), at: fc.nat(whole.length - 1), to: fc.constant(0) }),
        fc.record({ kind: fc.constant('insert' as const), at: fc.nat(whole.length - 1), to: fc.nat(255) }),
      );
      let answered = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 50, maxLength: 50 }),
          async (batch) => {
            const answers = await Promise.all(
              batch.map((changes) => {
                let bytes = Buffer.from(whole);
                for (const { kind, at, to } of changes) {
                  if (kind === 'cut') bytes = bytes.subarray(0, at);
                  else if (kind === 'flip' && at < bytes.length) bytes[at] = to;
                  else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(to), bytes.subarray(at)]);
                }
                return raw(url, bytes);
              }),
            );
            for (const answer of answers)
              expect(answer).toMatch(/^$|^HTTP\/1\.1 (?:100|200|400|404|405|408|413|415|431|501|503|505) /);
            answered += answers.length;
          },
        ),
        { numRuns: 200, endOnFailure: true },
      );
      expect(answered).toBe(10_000);
      await expect.poll(() => [server.pending, runtime.metrics().arena.inUse], { timeout: 10_000 }).toEqual([0, 0]);
      expect((await infer(url, MODEL, good)).status).toBe(200);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
    });
  });
});
