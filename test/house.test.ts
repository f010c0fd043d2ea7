/**
 * The house rules that a machine can check: rooms import from the floors below, nothing imports itself on a detour,
 * files are small, and no file knows the machine that it was written on.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The floor of every room; a room imports only from floors below it. A new room needs a line here. */
const FLOORS: Readonly<Record<string, number>> = {
  'src/channels.ts': 1,
  'src/errors.ts': 1,
  'src/host.ts': 1,
  'src/numbers.ts': 1,
  'src/typed-arrays.ts': 1,
  'src/version.ts': 1,
  'src/scheme': 2,
  'src/memory': 2,
  'src/kernels': 3,
  'src/quality': 3,
  'src/ranges': 3,
  'src/formats': 3,
  'src/protocol': 3,
  workers: 4,
  'src/runtime': 5,
  'src/stream': 6,
  'src/linear': 6,
  'src/kvcache': 6,
  'src/adapters': 6,
  'src/watch': 6,
  'src/metrics': 6,
  'src/server': 7,
  'src/browser': 7,
  'src/cluster': 7,
  'src/generate': 7,
  'src/client': 7,
  'src/index.ts': 8,
  'src/cli': 8,
  examples: 9,
  bench: 9,
  docs: 10,
};

/** Imports between two rooms of one floor. */
const NEIGHBOURS: readonly string[] = [
  // The page is served to be measured as it is served to be looked at.
  'bench/cases/browser.ts > examples/browser/static-server.ts',
  // The ring holds descriptors, whose words are numbered where the schemes are encoded into them.
  'src/memory/ring.ts > src/scheme/descriptor.ts',
  'src/memory/outcome-words.ts > src/scheme/descriptor.ts',
  'src/memory/run-words.ts > src/scheme/descriptor.ts',
];

/** The entry of the kernels: what it exports, the WebAssembly module exports. */
const KERNEL_ENTRY = 'src/kernels/assembly/index.ts';

const MAX_LINES = 300;

interface Import {
  readonly from: string;
  /** A file of the project. */
  readonly to: string;
}

/** Files below a folder, as paths from the root with `/`; none for a folder that does not exist. */
function filesIn(folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', '.git', 'coverage', 'results', 'scratch', 'vectors', 'api']);
  const found: string[] = [];
  if (!existsSync(join(root, folder))) return found;
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (skipped.has(entry.name) || path === 'site') continue;
    if (entry.isDirectory()) found.push(...filesIn(path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const sources = ['src', 'workers', 'examples', 'bench', 'docs'].flatMap(filesIn).filter((path) => path.endsWith('.ts'));

/** The statement without comments, so that an import in a comment is none. */
function code(path: string): string {
  return textOf(path).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** Imports and re-exports of one file that lead to files of the project. */
function importsOf(path: string): Import[] {
  const statement = /^(?:import|export)\s+(?:[^'";]*?\s+from\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  const found: Import[] = [];
  for (const [, statically, dynamically] of code(path).matchAll(statement)) {
    const specifier = statically ?? dynamically ?? '';
    const to = resolve(path, specifier);
    if (to !== undefined) found.push({ from: path, to });
  }
  return found;
}

/** The source that a specifier means; undefined for a package. The kernels' language leaves the ending away. */
function resolve(path: string, specifier: string): string | undefined {
  let target: string;
  if (specifier.startsWith('.')) target = join(dirname(path), specifier).replaceAll('\\', '/');
  else if (specifier.startsWith('#src/')) target = specifier.slice(1);
  else return specifier === 'quantlane' ? 'src/index.ts' : undefined;
  return `${target.replace(/\.js$/, '')}.ts`;
}

/** The room of a file: the file itself, or its folder in the table. */
function roomOf(path: string): string | undefined {
  return Object.keys(FLOORS).find((room) => path === room || path.startsWith(`${room}/`));
}

/** One cycle among the imports, as the files on it; undefined where there is none. */
function findCycle(imports: readonly Import[]): string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return undefined;
    for (const to of targets.get(path) ?? []) {
      const cycle = visit(to, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(path);
    return undefined;
  };
  for (const path of targets.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

const imports = sources.flatMap(importsOf);
const name = ({ from, to }: Import): string => `${from} > ${to}`;

describe('rooms', () => {
  it('have a floor each', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((path) => roomOf(path) === undefined)).toEqual([]);
  });

  it('import what exists', () => {
    const known = new Set(sources);
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.filter(({ to }) => !known.has(to)).map(name)).toEqual([]);
  });

  it('import only from floors below', () => {
    const isAllowed = (found: Import): boolean => {
      const from = roomOf(found.from)!;
      const to = roomOf(found.to)!;
      return from === to || FLOORS[to]! < FLOORS[from]! || NEIGHBOURS.includes(name(found));
    };
    expect(imports.filter((found) => !isAllowed(found)).map(name)).toEqual([]);
  });

  it('have no exception that is not needed', () => {
    const all = imports.map(name);
    expect(NEIGHBOURS.filter((exception) => !all.includes(exception))).toEqual([]);
  });

  it('have no cycles, of types neither', () => {
    expect(findCycle(imports)).toBeUndefined();
  });
});

describe('files', () => {
  it.each(sources.filter((path) => basename(path) === 'index.ts' && path !== KERNEL_ENTRY))(
    '%s only re-exports',
    (path) => {
      const rest = code(path).replace(/^export (?:type )?(?:\{[^}]*\}|\*) from '[^']+';$/gm, '');
      expect(rest.trim()).toBe('');
    },
  );

  it(`have at most ${MAX_LINES} lines`, () => {
    const lines = (path: string): number => textOf(path).trimEnd().split('\n').length;
    const long = sources.filter((path) => lines(path) > MAX_LINES).map((path) => `${path}: ${lines(path)}`);
    expect(long).toEqual([]);
  });

  it('name no path of a machine and no registry', () => {
    const texts = filesIn('').filter((path) => !/\.(?:npy|safetensors|gguf|bin|onnx|wasm|tgz|log)$/.test(path));
    const places = [root.slice(0, -1), homedir()].filter((place) => place.length > 1);
    const foreign =
      /(?<![\w.:/-])\/(?:home|root|Users|work|mnt(?!\/models)|opt|var)\/\w|\b[A-Z]:\\\w|\bregistry\.\w+\.\w+/;
    const wrong = texts.flatMap((path) => {
      const text = textOf(path);
      const found = places.find((place) => text.includes(`${place}/`)) ?? foreign.exec(text)?.[0];
      return found === undefined ? [] : [`${path}: ${found}`];
    });
    expect(wrong).toEqual([]);
  });

  it('lock versions, not the host that they came from', () => {
    expect(textOf('package-lock.json')).not.toContain('"resolved": "http');
  });
});
