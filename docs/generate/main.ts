/**
 * `npm run docs:presets` and `npm run docs:quality`: write what the pages say of presets again.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import { filled } from './markdown.js';
import { presetsByConsumer, presetsPage } from './presets.js';
import { qualityTable } from './quality.js';

/** A file of the project. */
function at(path: string): URL {
  return new URL(`../../../${path}`, import.meta.url);
}

async function fill(path: string, name: string, content: string): Promise<void> {
  await writeFile(at(path), filled(await readFile(at(path), 'utf8'), name, content));
}

const [page] = process.argv.slice(2);
if (page === 'presets') {
  await writeFile(at('docs/presets.md'), presetsPage());
  await fill('README.md', 'presets', presetsByConsumer());
} else if (page === 'quality') {
  await fill('docs/quality.md', 'quality', await qualityTable());
} else {
  console.error(`Expected presets or quality, got ${page ?? 'nothing'}`);
  process.exitCode = 2;
}
