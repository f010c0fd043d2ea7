/** Sessions: tokens as they are made, cancelled, forked, parked and batched, and what they hold. */
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { type GeneratedToken, onLanes, PLAIN, type Session, TextGenerator } from '#src/generate/index.js';
import { createRuntime } from '#src/index.js';
import { chanceOf } from '#src/kernels/reference/chance.js';
import { golden, MODEL, putSmall, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const small = await TextGenerator.open(await putSmall(join(folder, 'small')), PLAIN);

/** The tokens that a session makes. */
function made(session: Session, options: Parameters<Session['generate']>[0]): Promise<GeneratedToken[]> {
  return lastValueFrom(session.generate(options).pipe(toArray()));
}

const idsOf = (tokens: readonly GeneratedToken[]): number[] => tokens.map(({ id }) => id);
const textOf = (tokens: readonly GeneratedToken[]): string => tokens.map(({ text }) => text).join('');

describe('tokens', () => {
  it('are those of PyTorch, and their text is whole', async () => {
    using generator = await TextGenerator.open(MODEL, PLAIN);
    const [, each] = golden.cases;
    expect(generator.codec.encode(each!.prompt)).toEqual(each!.prompt_ids);
    const tokens = await lastValueFrom(generator.generate(each!.prompt, { maxTokens: 64 }).pipe(toArray()));
    expect(idsOf(tokens)).toEqual(each!.greedy_ids);
    expect(textOf(tokens)).toBe(each!.greedy);
    expect(tokens.map(({ finish }) => finish)).toEqual([...Array(63).fill(null), 'tokens']);
  });

  it('come one by one, and go on where they stopped', async () => {
    await using session = small.session([3, 4]);
    const whole = await made(small.session([3, 4]), { maxTokens: 12 });
    const first = await made(session, { maxTokens: 5 });
    const second = await made(session, { maxTokens: 7 });
    expect(idsOf([...first, ...second])).toEqual(idsOf(whole));
    expect(session.ids).toEqual([3, 4, ...idsOf(whole)]);
  });

  it('end with the end of the text', async () => {
    const [token] = await made(small.session([9]), { maxTokens: 1 });
    const path = await putSmall(join(folder, 'ends'), { config: { eos_token_id: [2000, token!.id] } });
    using generator = await TextGenerator.open(path, PLAIN);
    const tokens = await made(generator.session([9]), { maxTokens: 10 });
    expect(tokens.map(({ id, finish }) => [id, finish])).toEqual([[token!.id, 'end']]);
  });

  it('end with the positions of the model', async () => {
    const tokens = await made(small.session(Array(60).fill(7)), {});
    expect(tokens.map(({ finish }) => finish)).toEqual([null, null, null, 'positions']);
    expect(await made(small.session(Array(64).fill(7)), { maxTokens: 3 })).toEqual([]);
  });

  it('may be none', async () => {
    await using session = small.session([1]);
    expect(await made(session, { maxTokens: 0 })).toEqual([]);
    expect(session.ids).toEqual([1]);
  });

  it('are drawn anew from the same seed, and others from another', async () => {
    const draw = async (seed: number) => idsOf(await made(small.session([1]), { temperature: 2, seed, maxTokens: 20 }));
    const first = await draw(7);
    expect(await draw(7)).toEqual(first);
    expect(await draw(8)).not.toEqual(first);
    expect(first).not.toEqual(idsOf(await made(small.session([1]), { maxTokens: 20 })));
  });

  it('are drawn as often as they are likely', async () => {
    const [logits] = await small.model.forward([{ cache: small.caches.create(), ids: [1] }]);
    const weights = [...logits!].map((logit) => Math.exp(logit / 0.5));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const best = weights.indexOf(Math.max(...weights));
    const draws = 300;
    let hits = 0;
    for (let seed = 0; seed < draws; seed++) {
      const options = { temperature: 0.5, seed, maxTokens: 1 };
      if ((await firstValueFrom(small.generate([1], options))).id === best) hits++;
    }
    const share = weights[best]! / total;
    expect(share).toBeGreaterThan(0.02);
    expect(Math.abs(hits / draws - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / draws));
  });
});

describe('a session', () => {
  it('stops when nobody listens, and goes on later', async () => {
    const whole = idsOf(await made(small.session([5]), { maxTokens: 10 }));
    await using session = small.session([5]);
    await lastValueFrom(session.generate({}).pipe(take(3)));
    // The step that ran is finished, and its token is not lost.
    await using fork = await session.fork();
    const rest = await made(fork, { maxTokens: 11 - fork.ids.length });
    expect([...session.ids.slice(1), ...idsOf(rest)]).toEqual(whole);
    expect(fork.ids.slice(1)).toEqual(whole);
  });

  it('is forked in the middle', async () => {
    await using session = small.session([5]);
    const whole = made(session, { maxTokens: 20 });
    await using fork = await session.fork();
    const rest = await made(fork, { maxTokens: 20 });
    await whole;
    expect(rest).toHaveLength(20);
    expect(fork.ids.slice(0, 21)).toEqual(session.ids);
    await using other = await fork.fork();
    const [a, b] = [
      { temperature: 3, seed: 1, maxTokens: 5 },
      { temperature: 3, seed: 2, maxTokens: 5 },
    ];
    const drawn = [idsOf(await made(other, a)), idsOf(await made(fork, b))];
    expect(drawn[0]).not.toEqual(drawn[1]);
  });

  it('is parked and comes back', async () => {
    const whole = idsOf(await made(small.session([5]), { maxTokens: 10 }));
    const session = small.session([5]);
    const first = await made(session, { maxTokens: 4 });
    const parked = structuredClone(await session.park());
    expect(session.byteLength).toBe(0);
    const rest = await made(small.resume(parked), { maxTokens: 6 });
    expect(idsOf([...first, ...rest])).toEqual(whole);
    await expect(session.park()).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LEASE_RELEASED' });
    await expect(session.fork()).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LEASE_RELEASED' });
    await expect(made(session, {})).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LEASE_RELEASED' });
    await session.release();
    expect(() => small.resume({ ...parked, ids: [5] })).toThrow(
      expect.objectContaining({ code: 'ERR_QUANTLANE_FORMAT' }),
    );
  });

  it('makes one text at a time', async () => {
    await using session = small.session([5]);
    const running = made(session, { maxTokens: 3 });
    await expect(made(session, { maxTokens: 3 })).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    expect(await running).toHaveLength(3);
  });

  it.each([
    ['no tokens', []],
    ['too many', Array(65).fill(1)],
    ['a token beyond the vocabulary', [2048]],
    ['a token that is none', [1.5]],
  ])('is refused with %s', (_what, ids) => {
    expect(() => small.session(ids)).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_ARGUMENT' }));
  });

  it.each([{ maxTokens: -1 }, { maxTokens: 1.5 }, { temperature: -1 }, { temperature: Number.NaN }, { seed: 0.5 }])(
    'refuses %j',
    async (options) => {
      await using session = small.session([1]);
      await expect(made(session, options)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
      expect(await made(session, { maxTokens: 1 })).toHaveLength(1);
    },
  );
});

describe('sessions on lanes', async () => {
  const path = await putSmall(join(folder, 'on lanes'));

  it('fail alone where there is no room, and the others go on', async () => {
    await using runtime = await createRuntime({ lanes: 0, memory: '384KiB' });
    using generator = await TextGenerator.open(path, onLanes(runtime, { cache: 'float32' }));
    const before = runtime.metrics().arena;
    const prompts = Array.from({ length: 40 }, (_, at) => [at + 1]);
    const all = (ids: readonly number[]) =>
      lastValueFrom(generator.generate(ids, { maxTokens: 60 }).pipe(toArray())).then(idsOf);
    const outcomes = await Promise.allSettled(prompts.map(all));
    const failed = outcomes.filter(({ status }) => status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(40);
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_FULL' });
      else expect(outcome.value).toEqual(await all(prompts[at]!));
    }
    expect(runtime.metrics().arena.inUse).toBe(before.inUse);
  });

  it('leave nothing behind, however they end', async () => {
    await using runtime = await createRuntime({ lanes: 2, memory: '32MiB' });
    using generator = await TextGenerator.open(path, onLanes(runtime, { cache: 'int2' }));
    const before = runtime.metrics().arena;
    let turn = 0;
    const chance = (most: number): number => Math.floor(chanceOf(1, turn++) * most);
    const alone = new Map<number, number[]>();
    const lives = Array.from({ length: 100 }, async (_, at) => {
      const prompt = Array.from({ length: 1 + (at % 7) }, () => chance(2048));
      let session = generator.session(prompt);
      const [way, count, cut] = [at % 4, 1 + chance(40), 1 + chance(10)];
      if (way === 0) alone.set(at, [...prompt, ...idsOf(await made(session, { maxTokens: count }))]);
      if (way === 1) await lastValueFrom(session.generate({}).pipe(take(cut)));
      if (way === 2) {
        const running = made(session, { maxTokens: count });
        const fork = await session.fork();
        await made(fork, { maxTokens: cut, temperature: 1, seed: at });
        await fork.release();
        await running;
      }
      if (way === 3) {
        const running = made(session, { maxTokens: count });
        const parked = await session.park();
        await running;
        session = generator.resume(parked);
        await made(session, { maxTokens: cut });
      }
      await session.release();
    });
    await Promise.all(lives);
    expect(runtime.metrics().arena).toMatchObject({ inUse: before.inUse, leases: before.leases, leaked: 0 });
    // Each alone makes what it made among the others.
    expect(alone.size).toBe(25);
    for (const [at, ids] of alone) {
      await using session = generator.session(ids.slice(0, 1 + (at % 7)));
      await made(session, { maxTokens: ids.length - 1 - (at % 7) });
      expect(session.ids).toEqual(ids);
    }
  });
});

describe('the text of a session does not depend on others', async () => {
  const options = { scheme: 'vllm-int8-per-token', cache: 'int8' } as const;
  const prompts = Array.from({ length: 32 }, (_, at) => golden.cases[at % 3]!.prompt_ids.slice(0, 1 + (at % 24)));
  const expected: number[][] = [];

  it.each([0, 1, 2])('on %d lanes', async (lanes) => {
    await using runtime = await createRuntime({ lanes, memory: '64MiB' });
    using generator = await TextGenerator.open(MODEL, onLanes(runtime, options));
    const sessions = prompts.map((prompt) => generator.session(prompt));
    const together = await Promise.all(sessions.map((session) => made(session, { maxTokens: 12 })));
    if (lanes === 0) {
      for (const prompt of prompts) {
        await using session = generator.session(prompt);
        expected.push(idsOf(await made(session, { maxTokens: 12 })));
      }
    }
    expect(together.map(idsOf)).toEqual(expected);
    for (const session of sessions) await session.release();
  });

  it('to the last bit of its logits', async () => {
    await using runtime = await createRuntime({ lanes: 1, memory: '64MiB' });
    using generator = await TextGenerator.open(MODEL, onLanes(runtime, options));
    const caches = prompts.map(() => generator.caches.create());
    const together = await generator.model.forward(prompts.map((ids, at) => ({ cache: caches[at]!, ids })));
    for (const cache of caches) cache.release();
    for (const [at, ids] of prompts.entries()) {
      const cache = generator.caches.create();
      const [logits] = await generator.model.forward([{ cache, ids }]);
      expect(logits).toEqual(together[at]!.slice());
      cache.release();
    }
  });
});

afterAll(() => small.release());
