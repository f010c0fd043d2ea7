/**
 * `npm run docs:presets`, `docs:quality` and `docs:guides`: write again what pages say of presets, and the code of guides.
 * @module
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { writeBetween } from '../../bench/document.js';
import { guidePage } from './guides.js';
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
} else if (page === 'guides') {
  const outputs = new Map<string, Promise<string>>();
  for (const name of await readdir(at('docs/guides'))) {
    const guide = at(`docs/guides/${name}`);
    await writeFile(guide, await guidePage(await readFile(guide, 'utf8'), outputs));
  }
} else {
  console.error(`Expected presets, quality or guides, got ${page ?? 'nothing'}`);
  process.exitCode = 2;
}
