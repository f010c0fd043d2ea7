/** What is in the package: everything that it refers to, and nothing that is of no use to those who install it. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// The build is there; scripts would make it again.
const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
const options = { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' } as const;
const [packed]: [{ files: { path: string }[] }] = JSON.parse(execFileSync('npm', args, options));
const files = packed.files.map((file) => file.path);

const wanted = new Set([
  ...Object.values<string | Record<string, string>>(manifest.exports).flatMap((node) =>
    typeof node === 'string' ? [node] : Object.values(node),
  ),
  ...Object.values<string>(manifest.bin),
]);

it('has every file that the manifest names', () => {
  const missing = [...wanted].map((path) => path.slice('./'.length)).filter((path) => !files.includes(path));
  expect(missing).toEqual([]);
});

it('has the lanes, the kernels and the papers', () => {
  const kernels = ['dist/src/kernels/kernels.wasm', 'dist/src/kernels/kernels-relaxed.wasm'];
  const lanes = ['dist/workers/entry.cjs', 'dist/workers/lane.js', 'dist/src/browser/lane.js'];
  const bundle = ['dist/src/standalone/index.js', 'dist/src/standalone/lane.js'];
  const needed = [...lanes, ...bundle, ...kernels, 'README.md', 'LICENSE', 'CHANGELOG.md'];
  expect(needed.filter((path) => !files.includes(path))).toEqual([]);
});

it('has types for every module but the bundles', () => {
  const modules = files.filter((path) => /\.c?js$/.test(path) && !path.startsWith('dist/src/standalone/'));
  const typesOf = (path: string) => path.replace(/\.(c?)js$/, '.d.$1ts');
  expect(modules.filter((path) => !files.includes(typesOf(path)))).toEqual([]);
});

it('has nothing else', () => {
  const known =
    /^(?:dist\/(?:src|workers)\/[\w/-]+\.(?:c?js|d\.c?ts|wasm)|README.md|LICENSE|CHANGELOG.md|package.json)$/;
  const page = /^dist\/src\/server\/dashboard\/page\/[\w-]+\.(?:html|css|svg)$/;
  expect(files.filter((path) => !known.test(path) && !page.test(path))).toEqual([]);
});

it('has commands that a shell can start', () => {
  for (const path of Object.values<string>(manifest.bin)) {
    expect(readFileSync(join(root, path), 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  }
});

it('tells nothing of the machine that built it', () => {
  const places = [root.slice(0, -1), homedir()].filter((place) => place.length > 1);
  const wrong = files.filter((path) => {
    const text = readFileSync(join(root, path), 'latin1');
    return places.some((place) => text.includes(`${place}/`));
  });
  expect(wrong).toEqual([]);
});
