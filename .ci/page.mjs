/** Puts the files of the dashboard's page that no compiler makes beside those that it makes. Uses nothing but Node itself. */
import { cpSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const from = new URL('src/server/dashboard/page/', root);
const to = new URL('dist/src/server/dashboard/page/', root);

mkdirSync(to, { recursive: true });
for (const name of ['index.html', 'style.css', 'icon.svg'])
  cpSync(fileURLToPath(new URL(name, from)), fileURLToPath(new URL(name, to)));
