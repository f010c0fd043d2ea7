/** What a page loads: nothing of Node.js, two packages, and so many bytes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

const DIST = new URL('../../dist/', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, DIST), 'utf8');

/** All modules that `entries` lead to, statically or not, and the packages that these import. */
function graphOf(entries: readonly string[]): { modules: Set<string>; packages: Set<string> } {
  const modules = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (modules.has(path)) return;
    modules.add(path);
    const code = text(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    const statement =
      /^\s*(?:import|export)\s+(?:[^'"`;]*?\s+from\s+)?'([^']+)'|\bimport\(\s*['"`]([^'"`]+)['"`]\s*\)/gm;
    for (const [, statically, dynamically] of code.matchAll(statement)) {
      const specifier = statically ?? dynamically!;
      if (!specifier.startsWith('.')) packages.add(specifier);
      else visit(new URL(specifier, new URL(path, DIST)).href.slice(DIST.href.length));
    }
  };
  for (const entry of entries) visit(entry);
  return { modules, packages };
}

describe('the modules', () => {
  const { modules, packages } = graphOf(['src/browser/index.js', 'src/browser/lane.js', 'src/ranges/index.js']);

  test('lead to comlink and rxjs only', () => {
    expect(modules.size).toBeGreaterThan(100);
    expect([...packages].sort()).toEqual(['comlink', 'rxjs']);
  });

  test('name what is of Node.js only where they look at the host', () => {
    const named = /\bprocess\b|\bBuffer\b|\bsetImmediate\b|\b__dirname\b|\brequire\(|'node:/;
    const code = (path: string) => text(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    expect([...modules].filter((path) => named.test(code(path))).sort()).toEqual(['src/channels.js', 'src/host.js']);
  });

  test('would be found out by this walk where they did', () => {
    expect([...graphOf(['src/index.js']).packages]).toEqual(expect.arrayContaining(['node:worker_threads', 'piscina']));
  });
});

describe('the bundle for pages without a bundler', () => {
  const files = ['src/standalone/index.js', 'src/standalone/lane.js', 'src/kernels/kernels.wasm'] as const;

  test('is two modules that import nothing', () => {
    for (const path of files.slice(0, 2)) {
      const code = text(path);
      // Not by `toMatch`, which would print it all.
      expect(/\bimport\s*[{*"'`]|\bfrom\s*["'`]|\bimport\(/.exec(code)?.[0]).toBeUndefined();
      expect(code.slice(0, 80)).toMatch(/^\/\*! quantlane [\d.]+, with comlink .*Apache-2.0 \*\//);
    }
  });

  test('is as large as docs/browser.md says, but for a twentieth', () => {
    const page = readFileSync(new URL('../docs/browser.md', DIST), 'utf8');
    for (const path of files) {
      const bytes = readFileSync(fileURLToPath(new URL(path, DIST)));
      const row = new RegExp(`\\| \`dist/${path}\`[^|]*\\|\\s*([\\d.]+) kB\\s*\\|\\s*([\\d.]+) kB\\s*\\|`).exec(page);
      const [, whole, packed] = row!;
      expect(Math.abs(bytes.length / 1000 / Number(whole) - 1), path).toBeLessThan(0.05);
      expect(Math.abs(gzipSync(bytes).length / 1000 / Number(packed) - 1), path).toBeLessThan(0.05);
    }
  });
});
