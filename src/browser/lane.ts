/**
 * The module that the Web Worker of a lane runs. The page starts the lane over Comlink.
 * @module
 */
import { expose } from 'comlink';
import start from '../../workers/lane.js';

/** What a worker can be asked for. */
export interface LaneHost {
  /** Starts the one lane of this thread; settles with its index when it is ready. */
  start: typeof start;
}

expose({ start } satisfies LaneHost);
