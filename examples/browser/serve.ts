/**
 * Serves the page of this folder on loopback.
 *
 *     npm run browser
 *     node dist/examples/browser/serve.js --no-isolation --port 8080
 * @module
 */
import { parseArgs } from 'node:util';
import { pageRoutes } from './routes.js';
import { listen } from './static-server.js';

const USAGE = `npm run browser -- [--port N] [--no-isolation]

Serves a page that quantizes tensors in the browser, on 127.0.0.1.

  --port N         port (default: 8080; 0 for any that is free)
  --no-isolation   without the headers that let a page share memory with workers: everything on one thread`;

/** What the command line asks for; undefined for its own text. */
function readArguments(): { isIsolated: boolean; port: number } | undefined {
  const { values } = parseArgs({
    options: {
      'no-isolation': { type: 'boolean', default: false },
      port: { type: 'string', default: '8080' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`Expected a port, got ${values.port}`);
  return values.help ? undefined : { isIsolated: !values['no-isolation'], port };
}

/** Serves until the process is ended. */
async function main(): Promise<void> {
  let wanted: ReturnType<typeof readArguments>;
  try {
    wanted = readArguments();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (wanted === undefined) return console.log(USAGE);
  const { url } = await listen({ ...wanted, routes: pageRoutes() });
  console.log(`${url}/${wanted.isIsolated ? '' : ' without isolation: everything on one thread'}`);
}

await main().catch((error: NodeJS.ErrnoException) => {
  console.error(`Expected to listen, got ${error.code ?? error.message}`);
  process.exitCode = 1;
});
