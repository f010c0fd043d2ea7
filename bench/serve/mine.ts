/**
 * The server of this library, in a process of its own: tells where it listens and ends with its parent.
 * @module
 */
import { createRuntime } from '../../src/index.js';
import { QuantlaneServer } from '../../src/server/index.js';

const runtime = await createRuntime();
const server = await QuantlaneServer.listen(runtime, { port: 0, dashboard: false });
process.on('disconnect', () => process.exit());
process.send!(server.url);
