/**
 * How the streams of a runtime learn that it closes.
 * @module
 */
import { fail } from '../errors.js';
import { allowListeners } from '../host.js';
import type { Runtime } from '../runtime/index.js';

const closings = new WeakMap<Runtime, AbortController>();

/** Aborted, with ERR_QUANTLANE_CLOSED as its reason, when the runtime is closed. */
export function closingOf(runtime: Runtime): AbortSignal {
  return controllerOf(runtime).signal;
}

/** Ends the streams of a runtime. */
export function endStreams(runtime: Runtime): void {
  const closing = controllerOf(runtime);
  if (closing.signal.aborted) return;
  closing.abort(
    fail('ERR_QUANTLANE_CLOSED', 'Expected a runtime that stays open, got one that closes while it streams'),
  );
}

function controllerOf(runtime: Runtime): AbortController {
  const known = closings.get(runtime);
  if (known !== undefined) return known;
  const closing = new AbortController();
  // Every run of a stream listens.
  allowListeners(closing.signal);
  closings.set(runtime, closing);
  return closing;
}
