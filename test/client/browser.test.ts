/** What a browser would load with the client. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Every module that is reached from one, and every specifier that leads out of the project, by who imports it. */
function reached(entry: string): { modules: Set<string>; foreign: string[] } {
  const modules = new Set<string>();
  const foreign: string[] = [];
  const visit = (path: string): void => {
    if (modules.has(path)) return;
    modules.add(path);
    const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    const specifiers = /(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g;
    for (const [, specifier] of text.matchAll(specifiers)) {
      if (specifier!.startsWith('.')) visit(join(dirname(path), specifier!));
      else foreign.push(`${path} > ${specifier}`);
    }
  };
  visit(entry);
  return { modules, foreign };
}

it('is all of the project itself: no module of Node, no package, and nothing of the runtime', () => {
  const { modules, foreign } = reached(join(root, manifest.exports['./client'].default));
  expect(foreign).toEqual([]);
  const rooms = [...modules].map((path) => path.slice(join(root, 'dist/src/').length));
  expect(
    rooms.filter((path) => !/^(?:client|protocol)\/|^memory\/dtype\.js$|^errors\.js$|^numbers\.js$/.test(path)),
  ).toEqual([]);
  expect(modules.size).toBeGreaterThan(5);
});

it('would be found out otherwise', () => {
  const { foreign } = reached(join(root, manifest.exports['./server'].default));
  expect(foreign).toContainEqual(expect.stringContaining('> node:'));
  expect(foreign).toContainEqual(expect.stringContaining('> fastify'));
});
