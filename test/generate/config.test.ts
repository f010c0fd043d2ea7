/** `config.json`: what it means, and what is refused. */
import { describe, expect, it } from 'vitest';
import { llamaConfig, type RotaryScaling } from '#src/generate/index.js';
import { Rotary } from '#src/generate/rotary.js';
import { SMALL } from './helpers.js';

const read = (changes: object) => llamaConfig({ ...SMALL, ...changes }, 'config.json');

it('has defaults where a config leaves something out', () => {
  const config = { model_type: 'llama', vocab_size: 9, hidden_size: 12, intermediate_size: 4, num_hidden_layers: 1 };
  expect(llamaConfig({ ...config, num_attention_heads: 2, eos_token_id: null }, 'x')).toMatchObject({
    keyValueHeads: 2,
    headDim: 6,
    epsilon: 1e-6,
    positions: 2048,
    isTied: false,
    attentionBias: false,
    innerBias: false,
    ends: [],
    rotary: { base: 10_000, scaling: { type: 'default' } },
  });
});

it('takes one end or several', () => {
  expect(read({ eos_token_id: 7 }).ends).toEqual([7]);
  expect(read({ eos_token_id: [7, 9] }).ends).toEqual([7, 9]);
});

const LLAMA3 = {
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

it('takes rotary scaling in the old and the new spelling', () => {
  expect(read({ rope_theta: 5e5, rope_scaling: { type: 'linear', factor: 2 } }).rotary).toEqual({
    base: 5e5,
    scaling: { type: 'linear', factor: 2 },
  });
  expect(read({ rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...LLAMA3 } }).rotary).toEqual({
    base: 5e5,
    scaling: { type: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, original: 8192 },
  });
});

it.each([
  ['another architecture', { model_type: 'gpt2' }, 'Expected model_type "llama", got "gpt2"'],
  ['another activation', { hidden_act: 'gelu' }, 'Expected hidden_act "silu", got "gelu"'],
  ['a size that is none', { hidden_size: '16' }, 'Expected hidden_size to be an integer from 1, got "16"'],
  ['no size', { vocab_size: undefined }, 'Expected vocab_size to be an integer from 1, got undefined'],
  ['heads that cannot be grouped', { num_key_value_heads: 3 }, 'a multiple of 3, got 2'],
  ['a head of odd size', { head_dim: 5 }, 'Expected an even head_dim, got 5'],
  ['an epsilon that is none', { rms_norm_eps: -1 }, 'Expected rms_norm_eps to be a number from 0, got -1'],
  ['a flag that is none', { tie_word_embeddings: 1 }, 'Expected tie_word_embeddings to be true or false, got 1'],
  ['ends that are no tokens', { eos_token_id: ['</s>'] }, 'Expected eos_token_id to be a token or a list'],
  ['a base that is none', { rope_theta: 0 }, 'Expected rope_theta to be a positive number, got 0'],
  ['scaling that is no object', { rope_scaling: 'yarn' }, 'Expected rope_scaling to be an object, got "yarn"'],
  ['another scaling', { rope_scaling: { rope_type: 'yarn', factor: 4 } }, '"linear" or "llama3", got "yarn"'],
  ['scaling without its factor', { rope_scaling: { type: 'linear' } }, 'Expected factor to be a positive number'],
  [
    'factors in the wrong order',
    { rope_scaling: { type: 'llama3', ...LLAMA3, low_freq_factor: 9 } },
    'Expected high_freq_factor above 9, got 4',
  ],
])('refuses %s', (_what, changes, message) => {
  expect(() => read(changes)).toThrow(
    expect.objectContaining({ code: 'ERR_QUANTLANE_FORMAT', message: expect.stringContaining(message) }),
  );
});

it('refuses what is no object', () => {
  expect(() => llamaConfig(null, 'c.json')).toThrow('c.json: Expected an object, got null');
});

describe('Rotary', () => {
  /** The angle by which the pair `i` of a head of 64 is turned at a position. */
  function angleOf(scaling: RotaryScaling, i: number, position: number): number {
    const head = new Float32Array(64);
    head[i] = 1;
    new Rotary({ base: 5e5, scaling }, 64).turn(head, 0, 1, position);
    return Math.atan2(head[32 + i]!, head[i]!);
  }
  const frequency = (i: number): number => 5e5 ** (-i / 32);

  it('turns the halves of a head by position times frequency', () => {
    for (const i of [0, 1, 7, 31]) {
      const expected = 3 * frequency(i);
      expect(angleOf({ type: 'default' }, i, 3)).toBeCloseTo(Math.atan2(Math.sin(expected), Math.cos(expected)), 6);
      expect(angleOf({ type: 'linear', factor: 4 }, i, 3)).toBeCloseTo(expected / 4, 6);
    }
  });

  it('scales only the long waves for llama3', () => {
    const scaling = { type: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, original: 8192 } as const;
    // The pair 0 turns 1,303 times in the original length, the pair 31 a 240th of a time, the pair 16 about 1.8 times.
    expect(angleOf(scaling, 0, 1)).toBeCloseTo(1, 6);
    expect(angleOf(scaling, 31, 1000)).toBeCloseTo((1000 * frequency(31)) / 8, 7);
    const share = ((8192 * frequency(16)) / (2 * Math.PI) - 1) / 3;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
    const mixed = ((1 - share) / 8 + share) * frequency(16);
    expect(angleOf(scaling, 16, 500)).toBeCloseTo(500 * mixed, 6);
  });

  it('keeps positions that it was not asked for before', () => {
    const rotary = new Rotary({ base: 1e4, scaling: { type: 'default' } }, 4);
    const turned = (position: number): number[] => {
      const head = Float32Array.of(1, 2, 3, 4);
      rotary.turn(head, 0, 1, position);
      return [...head];
    };
    const early = turned(5);
    expect(turned(500)).not.toEqual(early);
    expect(turned(5)).toEqual(early);
    expect(turned(0)).toEqual([1, 2, 3, 4]);
  });
});
