/**
 * What the library needs of its host, Node.js or a browser. It is found by looking: modules that run in both import nothing
 * of either.
 * @module
 */

/** Modules of Node.js; undefined in a browser, and with what bundlers put in the place of `process`. */
const node: typeof process.getBuiltinModule | undefined = globalThis.process?.getBuiltinModule;

/** Calls back once in a later turn of the event loop. Timers of browsers would wait 4 ms; a message to oneself does not. */
export const atNextTurn: (callback: () => void) => unknown = globalThis.setImmediate ?? byMessages();

/** Settles in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => atNextTurn(resolve));
}

/** Threads that may run at a time, at least 1. */
export function parallelism(): number {
  return node?.('node:os').availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/**
 * The bytes at a URL that belongs to the package.
 * @throws what the host throws, or an error with the status of an answer that is none
 */
export async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (node !== undefined && url.protocol === 'file:') {
    return node('node:fs/promises').readFile(url) as Promise<Uint8Array<ArrayBuffer>>;
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Lets any number listen to a signal; Node.js takes more than ten for a mistake. */
export function allowListeners(signal: AbortSignal): void {
  node?.('node:events').setMaxListeners(0, signal);
}

/** Number of this thread among those of the process; 0 where the host does not number them. */
export function threadNumber(): number {
  return node?.('node:worker_threads').threadId ?? 0;
}

/** What keeps a process alive while it is held; a page lives on anyhow. */
export interface KeepAlive {
  ref(): void;
  unref(): void;
  close(): void;
}

/** A timer that does nothing but to keep the process alive; not held at first. */
export function keepAlive(): KeepAlive {
  if (node === undefined) return { ref: ignore, unref: ignore, close: ignore };
  const timer = setInterval(ignore, 2 ** 30).unref();
  return { ref: () => timer.ref(), unref: () => timer.unref(), close: () => clearInterval(timer) };
}

function ignore(): void {
  // There is nothing to do.
}

function byMessages(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()!();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(null);
  };
}
