/**
 * Runtimes of browsers.
 * @module
 */
import { fail, got, QuantlaneError } from '../errors.js';
import type { RuntimeOptions } from '../runtime/options.js';
import { settle, startEngine } from '../runtime/start.js';
import { WorkerLanes } from './lanes.js';
import { BrowserRuntime } from './runtime.js';

/** How a runtime of a browser is made. */
export interface BrowserOptions extends RuntimeOptions {
  /**
   * What happens where lanes cannot run, because the page is not cross-origin isolated, or because a worker does not load:
   * `one-thread` (default) works in slices on the caller's thread, and `runtime.fallback` says why; `error` rejects with
   * ERR_QUANTLANE_LANE_START.
   */
  readonly fallback?: 'one-thread' | 'error';
}

/**
 * Makes a runtime: an arena of memory, and lanes, which are Web Workers, that are ready when the promise settles. The
 * caller's thread is never blocked: what takes long is done by the lanes or in slices.
 * @throws ERR_QUANTLANE_ARGUMENT, ERR_QUANTLANE_KERNEL, and with `fallback: 'error'` ERR_QUANTLANE_LANE_START
 */
export async function createRuntime(options: BrowserOptions = {}): Promise<BrowserRuntime> {
  const { fallback = 'one-thread', ...rest } = options;
  if (fallback !== 'one-thread' && fallback !== 'error') {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected fallback 'one-thread' or 'error', got ${got(fallback)}`);
  }
  // Lanes that there cannot be are wrong where there are none, too.
  const { lanes } = settle(rest);
  const missing = lanes === 0 ? undefined : whatLanesMiss();
  try {
    if (missing !== undefined) throw fail('ERR_QUANTLANE_LANE_START', `Expected ${missing} for lanes, got none`);
    return new BrowserRuntime(await startEngine(rest, hostOf()), null);
  } catch (error) {
    const isLanes = error instanceof QuantlaneError && error.code === 'ERR_QUANTLANE_LANE_START';
    if (!isLanes || fallback === 'error') throw error;
    return new BrowserRuntime(await startEngine({ ...rest, lanes: 0 }, hostOf()), error);
  }
}

function hostOf() {
  return { start: WorkerLanes.start, isShared: canShare() };
}

/** What lanes need and this page does not have. */
function whatLanesMiss(): string | undefined {
  if (typeof Worker !== 'function') return 'a browser with Web Workers';
  if (globalThis.crossOriginIsolated !== true) return 'a page that is cross-origin isolated (headers COOP and COEP)';
  return typeof Atomics.waitAsync === 'function' ? undefined : 'a browser with Atomics.waitAsync';
}

/** Whether there is shared memory: some browsers have it in pages that are not isolated, where it cannot be sent. */
function canShare(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }).buffer.byteLength === 0;
  } catch {
    return false;
  }
}
