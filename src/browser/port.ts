/**
 * The page's end of a lane's channel.
 * @module
 */
import type { LanePort } from '../runtime/control.js';

/**
 * A message port that can be told that its lane is gone: ports of browsers do not notice. It takes the place of a port of
 * Node.js, and of an endpoint of Comlink.
 */
export class WorkerPort implements LanePort {
  readonly #port: MessagePort;
  readonly #listeners: (() => void)[] = [];
  #isClosed = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    this.#port.addEventListener(type, listener);
  }

  removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    this.#port.removeEventListener(type, listener);
  }

  start(): void {
    this.#port.start();
  }

  once(_event: 'close', listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** A page lives on anyhow. */
  ref(): void {
    // There is nothing to hold.
  }

  unref(): void {
    // There is nothing to let go.
  }

  /** The lane is gone, or nobody asks it anything any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    for (const listener of this.#listeners) listener();
  }
}
