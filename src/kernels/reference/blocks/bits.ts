/**
 * A bit a value: whether it is positive (sentence-transformers `quantize_embeddings`, USearch `cast_to_b1x8_gt`, pgvector
 * `binary_quantize`, Qdrant `encode_one_bit_vector`). Read back, a bit is 1 or −1.
 * @module
 */
import { MAX_FLOAT32 } from '../../../numbers.js';
import type { BlockTwin } from './block.js';

/** Bits whose first value is at `places[0]` of its byte, which `bias` is taken off; any number of values. */
function bits(places: readonly number[], bias: number): BlockTwin {
  return {
    largest: MAX_FLOAT32,
    encode(values, view, at) {
      for (let from = 0; from < values.length; from += 8) {
        let byte = 0;
        values.subarray(from, from + 8).forEach((value, i) => {
          if (value > 0) byte += 2 ** places[i]!;
        });
        view.setUint8(at + from / 8, byte - bias);
      }
    },
    decode(view, at, values) {
      for (let i = 0; i < values.length; i++) {
        const byte = view.getUint8(at + Math.floor(i / 8)) + bias;
        values[i] = Math.floor(byte / 2 ** places[i % 8]!) % 2 === 1 ? 1 : -1;
      }
    },
  };
}

const HIGH = [7, 6, 5, 4, 3, 2, 1, 0];

export const bitsHigh = bits(HIGH, 0);
export const bitsHighInt8 = bits(HIGH, 128);
export const bitsLow = bits(HIGH.toReversed(), 0);
