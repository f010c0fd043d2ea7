/**
 * The question that `JSON.parse` cannot answer: is a key repeated in one object? It keeps the last value and hides
 * the others, so two readers of the same file may see different things.
 * @module
 */

/**
 * The first key that its object has twice, at any depth, or undefined. Keys are compared after their escapes.
 * @param text - JSON that `JSON.parse` has accepted; other text gives an arbitrary answer
 */
export function repeatedKey(text: string): string | undefined {
  /** The keys of each open object, outermost first; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        keyIsNext = true;
        break;
      case '[':
        open.push(undefined);
        keyIsNext = false;
        break;
      case '}':
      case ']':
        open.pop();
        keyIsNext = false;
        break;
      case ',':
        keyIsNext = true; // in an array there are no keys to compare with
        break;
      case '"': {
        const end = stringEnd(text, at);
        const keys = open.at(-1);
        if (keyIsNext && keys !== undefined) {
          const key = JSON.parse(text.slice(at, end)) as string;
          if (keys.has(key)) return key;
          keys.add(key);
          keyIsNext = false;
        }
        at = end - 1;
        break;
      }
    }
  }
  return undefined;
}

/** The index after the closing quote of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}
