/**
 * `npm run docs:presets` and `npm run docs:quality`: write what the pages say of presets again.
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { writeBetween } from '../../bench/document.js';
import { presetsByConsumer, presetsPage } from './presets.js';
import { qualityTable } from './quality.js';

/** A file of the project. */
function at(path: string): URL {
  return new URL(`../../../${path}`, import.meta.url);
}

const [page] = process.argv.slice(2);
if (page === 'presets') {
  await writeFile(at('docs/presets.md'), presetsPage());
  await writeBetween(at('README.md'), 'presets', presetsByConsumer());
} else if (page === 'quality') {
  await writeBetween(at('docs/quality.md'), 'quality', await qualityTable());
} else {
  console.error(`Expected presets or quality, got ${page ?? 'nothing'}`);
  process.exitCode = 2;
}
