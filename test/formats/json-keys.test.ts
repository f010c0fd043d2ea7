import fc from 'fast-check';
import { expect, test } from 'vitest';
import { repeatedKey } from '#src/formats/json-keys.js';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{ "a" : [ {"b":1} ] , "c":{"b":1,"b":1} }', 'b'],
  ['[{"a":{},"a":{}}]', 'a'],
  ['{"":1,"":2}', ''],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"a\\"":1,"a\\"":2}', 'a"'],
  ['{"a":"x,\\"a\\":","b":[1,{"a":2}],"a":3}', 'a'],
])('%s repeats a key', (text, key) => {
  expect(JSON.parse(text)).toBeDefined();
  expect(repeatedKey(text)).toBe(key);
});

test.each([
  '{}',
  '[]',
  '"a"',
  '1',
  '{"a":"a","b":"a"}',
  '["a","a"]',
  '{"a":["a","a",{"a":"a"}]}',
  '[{"a":1},{"a":1}]',
  '{"a":"{\\"a\\":1","b":"\\\\"}',
  '{"constructor":1,"__proto__":{"constructor":1}}',
])('%s repeats none', (text) => {
  expect(JSON.parse(text)).toBeDefined();
  expect(repeatedKey(text)).toBeUndefined();
});

test('no JSON of JavaScript objects repeats a key', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(repeatedKey(text)).toBeUndefined();
    }),
  );
});

test('an object with one more member of a known key is found at any place', () => {
  const members = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { minLength: 1, selector: ([key]) => key });
  fc.assert(
    fc.property(members, fc.nat(), fc.nat(), (unique, from, to) => {
      const [key] = unique[from % unique.length];
      const texts = unique.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      texts.splice(to % (texts.length + 1), 0, `${JSON.stringify(key)}: {}`);
      expect(repeatedKey(`[0, {"outer": {${texts.join(', ')}}}]`)).toBe(key);
    }),
  );
});
