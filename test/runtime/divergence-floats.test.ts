/** Small floats, small codes and embeddings: presets that are nearly equal differ exactly where their systems do. */
import { describe, expect } from 'vitest';
import { gaussian } from '../support/families.js';
import { BLOCK, TIES } from '../support/golden/inputs.js';
import { hexOf, padded } from '../support/golden/row.js';
import { between, row, shareOf } from './one-row.js';

/** 64 rows of 128 values. */
const SHAPE = [64, 128];
const NORMAL = gaussian(64 * 128, 5);

describe('float8', () => {
  between(
    ['vllm-fp8-per-token', 'vllm-fp8-per-tensor'],
    'vLLM divides per token and multiplies per tensor',
    async () => {
      // One row: both have the same range, and next to ties another code.
      const many = gaussian(65_536, 6);
      const [divided, multiplied] = [await row('vllm-fp8-per-token', many), await row('vllm-fp8-per-tensor', many)];
      expect(multiplied.scale).toBe(divided.scale);
      const share = shareOf(divided.codes, multiplied.codes);
      expect(share).toBeLessThan(1e-3);
    },
  );

  between(['vllm-fp8-group', 'sglang-fp8-group'], 'amax / 448 of vLLM, amax · (1 / 448) of SGLang', async () => {
    const [vllm, sglang] = [
      await row('vllm-fp8-group', NORMAL, {}, SHAPE),
      await row('sglang-fp8-group', NORMAL, {}, SHAPE),
    ];
    expect(shareOf(vllm.scales, sglang.scales)).toBeGreaterThan(0.3);
    expect(shareOf(vllm.codes, sglang.codes)).toBeLessThan(0.01);
  });

  between(
    ['deepseek-fp8-1x128', 'deepgemm-fp8-1x128'],
    'zeros: no rule of DeepSeek, a smallest amax of DeepGEMM',
    async () => {
      const zeros = new Array<number>(128).fill(0);
      const [deepseek, deepgemm] = [await row('deepseek-fp8-1x128', zeros), await row('deepgemm-fp8-1x128', zeros)];
      expect([deepseek.scale, deepseek.bytes]).toEqual([0, '7f'.repeat(128)]);
      expect([deepgemm.scale, deepgemm.bytes]).toEqual([Math.fround(Math.fround(1e-4) / 448), '00'.repeat(128)]);
    },
  );

  between(['te-current', 'torchao-float8'], 'the inverse of a multiplier, and a quotient', async () => {
    const scalesOf = async (name: string) => {
      const scales: number[] = [];
      for (let at = 0; at < 40; at++) scales.push((await row(name, [1 + at / 40])).scale);
      return scales;
    };
    const share = shareOf(await scalesOf('te-current'), await scalesOf('torchao-float8'));
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.6);
  });
});

describe('E2M1', () => {
  const ties = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6];

  between(['mx-fp4', 'ggml-mxfp4'], 'ties to even, and towards zero', async () => {
    const [mx, ggml] = [await row('mx-fp4', padded(ties, 32)), await row('ggml-mxfp4', padded(ties, 32))];
    expect(mx.values.slice(0, 8)).toEqual([0, 1, 1, 2, 2, 4, 4, 6]);
    expect(ggml.values.slice(0, 8)).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6]);
  });

  between(['mx-fp4', 'ggml-mxfp4'], 'a zero keeps its sign, and loses it', async () => {
    const values = padded([6, -0, -0.1], 32);
    expect((await row('mx-fp4', values)).bytes.slice(0, 4)).toBe('8708');
    // Codes j and j + 16 share a byte; none is 8.
    expect((await row('ggml-mxfp4', values)).bytes.slice(0, 8)).toBe('7f070000');
  });

  between(['nvfp4-torchao', 'ggml-nvfp4'], 'scales in E4M3: ties to even, and up', async () => {
    // 6.375 / 6 = 1.0625 lies halfway between 1 (38) and 1.125 (39).
    const values = padded([6.375], 64);
    expect((await row('nvfp4-torchao', values)).scale).toBe(0x38);
    expect((await row('ggml-nvfp4', values)).bytes.slice(0, 2)).toBe('39');
  });

  between(['nvfp4-torchao', 'ggml-nvfp4'], 'scales in E4M3: at least 2^-6, and subnormal', async () => {
    const values = padded([6 * 2 ** -9], 64);
    expect((await row('nvfp4-torchao', values)).scale).toBe(0x08);
    expect((await row('ggml-nvfp4', values)).bytes.slice(0, 2)).toBe('01');
  });
});

describe('exponents of scales', () => {
  between(['mx-fp8-e4m3', 'deepgemm-fp8-1x128'], 'down, so that amax saturates; and up', async () => {
    const values = padded([500], 32);
    const [mx, deepgemm] = [await row('mx-fp8-e4m3', values), await row('deepgemm-fp8-1x128', values)];
    expect([mx.scale, mx.values[0]]).toEqual([127, 448]);
    expect(deepgemm.values[0]).toBeCloseTo(500, 3);
  });

  between(['mx-int8', 'mx-fp8-e4m3'], 'MXINT8 rounds halves away from zero', async () => {
    // The scale is 1; codes are 64ths.
    const values = padded([1, 0.5 / 64, 1.5 / 64, 2.5 / 64, -0.5 / 64], 32);
    expect((await row('mx-int8', values)).bytes.slice(0, 10)).toBe(hexOf([64, 1, 2, 3, -1]));
  });
});

describe('codes that share a byte', () => {
  const values = padded([6, 6, 6, -6], 32);

  between(['mx-fp4', 'bnb-nf4', 'ggml-mxfp4'], 'the first low, the first high, and halves of a block', async () => {
    expect((await row('mx-fp4', values)).bytes).toBe(`77f7${'00'.repeat(14)}`);
    // The codes of 1, −1 and 0.
    expect((await row('bnb-nf4', values)).bytes).toBe(`fff0${'77'.repeat(14)}`);
    expect((await row('ggml-mxfp4', values)).bytes).toBe(`7f0707070f${'00'.repeat(12)}`);
  });

  between(['bnb-fp4', 'mx-fp4'], 'the 4-bit floats of bitsandbytes are not E2M1', async () => {
    const steps = [0, 0.0625, 8, 12, 4, 6, 2, 3].map((value) => value / 2);
    const codes = (await row('bnb-fp4', padded(steps, 64))).bytes.slice(0, 8);
    expect(codes).toBe('01234567');
    expect((await row('mx-fp4', padded(steps, 32))).bytes.slice(0, 8)).not.toBe(codes);
  });

  between(['st-ubinary', 'qdrant-binary', 'st-binary', 'usearch-b1'], 'bits: the first high, or low', async () => {
    const bits = [1, -1, -1, 1, 1, 1, -1, -1, 1];
    expect((await row('st-ubinary', bits)).bytes).toBe('9c80');
    expect((await row('usearch-b1', bits)).bytes).toBe('9c80');
    expect((await row('qdrant-binary', bits)).bytes).toBe('3901');
    // byte − 128, as int8
    expect((await row('st-binary', bits)).bytes).toBe('1c00');
  });
});

describe('embeddings', () => {
  const column = [BLOCK.length, 1];

  between(['st-uint8', 'st-int8'], 'signed codes are 128 less', async () => {
    const [unsigned, signed] = [await row('st-uint8', BLOCK, {}, column), await row('st-int8', BLOCK, {}, column)];
    expect(hexOf([...Buffer.from(signed.bytes, 'hex')].map((byte) => byte ^ 0x80))).toBe(unsigned.bytes);
  });

  between(['st-uint8', 'faiss-sq8'], 'read back from the start of a step, and from its middle', async () => {
    const [st, faiss] = [await row('st-uint8', BLOCK, {}, column), await row('faiss-sq8', BLOCK, {}, column)];
    expect(faiss.bytes).toBe(st.bytes);
    const step = 7.875 / 255;
    for (const [at, value] of st.values.entries()) expect(faiss.values[at]! - value).toBeCloseTo(step / 2, 5);
  });

  between(['st-uint8', 'qdrant-int8'], '255 steps cut off, 127 steps rounded', async () => {
    const [st, qdrant] = [await row('st-uint8', BLOCK, {}, column), await row('qdrant-int8', BLOCK)];
    // 4 is the largest value, and 125.48 of 255 steps are 62.49 of 127.
    expect([st.codes[5], qdrant.codes[5]]).toEqual([255, 127]);
    expect(qdrant.codes).not.toEqual(st.codes.map((code) => code >> 1));
  });

  between(['usearch-i8', 'vllm-int8-per-token'], 'usearch divides by the norm and cuts off', async () => {
    const [usearch, vllm] = [await row('usearch-i8', TIES), await row('vllm-int8-per-token', TIES)];
    expect(usearch.bytes.slice(0, 4)).toBe(hexOf([54, -54]));
    expect(vllm.codes.slice(0, 2)).toEqual([127, -127]);
  });
});

describe('outliers', () => {
  between(['bnb-int8', 'vllm-int8-per-token'], 'LLM.int8() leaves them out of the range', async () => {
    const values = [1, -0.5, 0.25, 60];
    const [bnb, vllm] = [await row('bnb-int8', values), await row('vllm-int8-per-token', values)];
    expect(bnb.codes.map((code) => (code << 24) >> 24)).toEqual([127, -64, 32, 0]);
    expect(vllm.codes).toEqual([2, -1, 1, 127]);
  });
});
