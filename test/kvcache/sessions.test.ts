/** Sessions that grow, fork, are cut, parked and resumed in any order hold what a naive model holds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Runtime } from '#src/index.js';
import { createKeyValueCache, type KeyValueCache, resumeKeyValueCache } from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';
import { attention, expectNear, rowsOf, SIZES } from './helpers.js';
import { MODEL_RULES, ModelLayer } from './model.js';

interface Session {
  cache: KeyValueCache;
  readonly model: readonly ModelLayer[];
}

type Step =
  | {
      readonly kind: 'append';
      readonly at: number;
      readonly layer: number;
      readonly tokens: number;
      readonly seed: number;
    }
  | { readonly kind: 'fork' | 'park' | 'release'; readonly at: number }
  | { readonly kind: 'truncate'; readonly at: number; readonly length: number };

const at = fc.nat({ max: 5 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      at,
      layer: fc.nat({ max: SIZES.layers - 1 }),
      tokens: fc.integer({ min: 1, max: 11 }),
      seed: fc.nat({ max: 1e6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('fork' as const, 'park' as const, 'release' as const), at }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('truncate' as const), at, length: fc.nat({ max: 24 }) }),
  },
);

/** A session with nothing in it. */
function begin(runtime: Runtime): Session {
  const model = Array.from({ length: SIZES.layers }, () => new ModelLayer());
  return { cache: createKeyValueCache(runtime, { ...SIZES, ...MODEL_RULES }), model };
}

function perform(runtime: Runtime, sessions: Session[], step: Step): void {
  const session = sessions[step.at % sessions.length]!;
  if (step.kind === 'append') {
    const [keys, values] = [rowsOf(step.seed, step.tokens), rowsOf(step.seed + 1, step.tokens)];
    session.cache.append(step.layer, keys, values);
    session.model[step.layer]!.append(keys, values);
  } else if (step.kind === 'truncate') {
    session.cache.truncate(step.length);
    for (const layer of session.model) layer.truncate(step.length);
  } else if (step.kind === 'fork') {
    const model = session.model.map((layer) => {
      const copy = new ModelLayer();
      copy.blocks = layer.blocks.map((block) => ({ ...block, rows: [...block.rows] }));
      return copy;
    });
    sessions.push({ cache: session.cache.fork(), model });
  } else if (step.kind === 'park') {
    const bytes = session.cache.serialize();
    session.cache.release();
    session.cache = resumeKeyValueCache(runtime, bytes);
    expect(Buffer.compare(session.cache.serialize(), bytes)).toBe(0);
  } else {
    session.cache.release();
    sessions.splice(sessions.indexOf(session), 1);
    if (sessions.length === 0) sessions.push(begin(runtime));
  }
}

/** Every session against its model. */
function compare(sessions: readonly Session[]): void {
  for (const { cache, model } of sessions) {
    for (const [index, layer] of model.entries()) {
      const expected = layer.read();
      const found = cache.read(index);
      expect(cache.lengthOf(index)).toBe(layer.tokens);
      expect([...found.keys]).toEqual(expected.keys);
      expect([...found.values]).toEqual(expected.values);
      if (layer.tokens === 0) continue;
      const query = rowsOf(index, 4, SIZES.headDim);
      const result = attention(found, query, SIZES.heads, SIZES.headDim, layer.tokens);
      expectNear(cache.attend(index, query), result, found.values);
    }
    expect(cache.length).toBe(Math.min(...model.map(({ tokens }) => tokens)));
  }
}

test('append, fork, truncate, park, resume and release', () =>
  withRuntime({}, (runtime) => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 25 }), (all) => {
        const sessions = [begin(runtime)];
        try {
          for (const step of all) perform(runtime, sessions, step);
          compare(sessions);
        } finally {
          for (const { cache } of sessions) cache.release();
        }
        expect(runtime.metrics().arena).toMatchObject({ leases: 0, inUse: 0 });
      }),
      { numRuns: 250 },
    );
  }));

test('a fork shares what both had, and writes to what is its own', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, ...MODEL_RULES });
    for (const layer of [0, 1]) cache.append(layer, rowsOf(1, 39), rowsOf(2, 39));
    const { leases } = runtime.metrics().arena;
    using fork = cache.fork();
    expect(runtime.metrics().arena.leases).toBe(leases);
    expect(fork.bytes).toBe(cache.bytes);
    const before = cache.serialize();
    // Of 39 tokens 2 are sinks, 32 quantized in blocks of 4, and 5 float32; the last page, which has one, is copied.
    fork.append(0, rowsOf(3, 1), rowsOf(4, 1));
    expect(runtime.metrics().arena.leases).toBe(leases + 1);
    expect(Buffer.compare(cache.serialize(), before)).toBe(0);
    expect(fork.lengthOf(0)).toBe(40);
  }));
