/** Text in pieces of tokens. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextCodec } from '#src/generate/index.js';
import { MODEL } from './helpers.js';

const codec = await TextCodec.open(MODEL);

it('gives the text of tokens as they come', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const stream = codec.stream();
      const pieces = codec.encode(text).map((id) => stream.push(id));
      expect(pieces.join('') + stream.end()).toBe(codec.decode(codec.encode(text)));
      expect(pieces.filter((piece) => piece.includes('\ufffd'))).toEqual([]);
    }),
  );
});

it('waits for the rest of a character', () => {
  const stream = codec.stream();
  const pieces = codec.encode('a€').map((id) => stream.push(id));
  expect(pieces).toHaveLength(4);
  expect(pieces.slice(1)).toEqual(['', '', '€']);
});

it('gives bytes that are no character at the end', () => {
  const stream = codec.stream();
  const [first, second] = codec.encode('€');
  expect(stream.push(first!) + stream.push(second!)).toBe('');
  expect(stream.end()).toBe('\ufffd');
  expect(stream.end()).toBe('');
});

it('leaves special tokens out', () => {
  expect(codec.encode('<|endoftext|>a')[0]).toBe(0);
  expect(codec.decode([0, ...codec.encode('a')])).toBe('a');
  expect(codec.decode([])).toBe('');
});
