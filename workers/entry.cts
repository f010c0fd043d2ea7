/**
 * The module that Piscina loads on the thread of a lane: it imports `lane` at once, and hands it the session.
 *
 * Piscina requires a module first. Node 20 ends the whole process where a thread is terminated while it requires an ES
 * module, and of one that cannot be linked only says that it could not be required. Neither holds for a module of
 * CommonJS that imports.
 * @module
 */
import type { Session } from './lane.js' with { 'resolution-mode': 'import' };

const lane = import('./lane.js');
// The session reports it.
lane.catch(() => undefined);

/** Starts a lane on this thread; settles with its index when it is ready. */
async function start(session: Session): Promise<number> {
  return (await lane).default(session);
}

export = start;
