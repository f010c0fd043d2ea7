/**
 * `npm run docs:site`: builds the site and checks its links.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { buildSite } from './build.js';
import { faultsOf } from './links.js';
import { ROOT } from './pages.js';

const out = fileURLToPath(new URL('site', ROOT));
await buildSite(out);
const { faults, pages, links } = await faultsOf(out);
for (const fault of faults) console.error(fault);
console.log(`site: ${pages} pages, ${links} links, ${faults.length} of them wrong`);
if (faults.length > 0) process.exitCode = 1;
