/**
 * The runtime of a page.
 * @module
 */
import { fail, type QuantlaneError } from '../errors.js';
import type { Engine } from '../runtime/engine.js';
import { StreamingRuntime } from '../stream/streaming-runtime.js';

/** A runtime whose lanes are Web Workers. */
export class BrowserRuntime extends StreamingRuntime {
  /** Why there are no lanes although some were asked for; null where there are, or where none were. */
  readonly fallback: QuantlaneError | null;

  constructor(engine: Engine, fallback: QuantlaneError | null) {
    super(engine);
    this.fallback = fallback;
  }

  /**
   * Threads cannot be connected in a browser, where nobody learns that one has ended.
   * @throws ERR_QUANTLANE_ARGUMENT, always
   */
  override connect(): never {
    throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected a runtime of Node.js to connect a thread to, got one of a browser');
  }
}
