/**
 * What Piscina loads on the thread of a soak's lane, as `workers/entry` is on that of another.
 * @module
 */
import type { Session } from '../../workers/lane.js' with { 'resolution-mode': 'import' };

const lane = import('./lane.js');
lane.catch(() => undefined);

/** Starts the lane on this thread. */
async function start(session: Session): Promise<number> {
  return (await lane).default(session);
}

export = start;
