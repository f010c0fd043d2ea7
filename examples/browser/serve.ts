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

const { values } = parseArgs({
  options: { 'no-isolation': { type: 'boolean', default: false }, port: { type: 'string', default: '8080' } },
});
const isIsolated = !values['no-isolation'];
const server = await listen({ routes: pageRoutes(), isIsolated, port: Number(values.port) });
console.log(`${server.url}/${isIsolated ? '' : ' without isolation: everything on one thread'}`);
console.log('Press Ctrl+C to end.');
