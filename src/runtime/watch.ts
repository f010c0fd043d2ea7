/**
 * Calls that somebody watches on `quantlane:batch`.
 * @module
 */
import { type BatchEvent, type BatchPlace, batchChannel, type TraceContext } from '../channels.js';

/** What is noted of a call on its way. */
export interface Sighting {
  place: BatchPlace;
}

/** Options of a call, as far as they concern whoever watches. */
export interface Watchable {
  /** Where the call belongs in a trace: told to those who watch `quantlane:batch`, and nothing else. */
  readonly trace?: TraceContext | undefined;
  /** @internal Noted on the way; undefined where nobody watches. */
  readonly sighting?: Sighting | undefined;
}

/** What a call works on, but for one that will be refused: anything. */
interface Operand {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of a quantized tensor. */
  readonly scheme?: unknown;
}

/** Whether a call must be watched that is not yet. */
export function isWatched(options: Watchable): boolean {
  return batchChannel.hasSubscribers && options.sighting === undefined;
}

/**
 * Makes a call again, which notes its way, and tells of it when it is over. One that gives nothing has gone another way,
 * which is told of then. It makes closures so that calls that nobody watches need none.
 * @param args of the call: what it works on, perhaps its scheme, and at the end its options
 */
export function watched<A extends readonly unknown[], T>(
  runtime: object,
  operation: BatchEvent['operation'],
  call: (...args: A) => T,
  ...args: A
): T {
  const sighting: Sighting = { place: 'in-place' };
  const operand = args[0] as Operand | null;
  const options = args.at(-1) as Watchable;
  const start = performance.now();
  const tell = (error: unknown): void => {
    batchChannel.publish({
      operation,
      scheme: nameOf(operand?.scheme ?? args[1]),
      dtype: operand?.dtype as string,
      shape: operand?.shape as readonly number[],
      place: sighting.place,
      milliseconds: performance.now() - start,
      error,
      trace: options.trace,
    } satisfies BatchEvent);
  };
  const failed = (error: unknown): never => {
    tell(error);
    throw error;
  };
  const done = <V>(value: V): V => {
    if (value !== undefined) tell(undefined);
    return value;
  };
  let result: T;
  try {
    result = Reflect.apply(call, runtime, [...args.slice(0, -1), { ...options, sighting }]);
  } catch (error) {
    return failed(error);
  }
  return result instanceof Promise ? (result.then(done, failed) as T) : done(result);
}

/** The name of a scheme, or of none. */
function nameOf(scheme: unknown): string | undefined {
  return typeof scheme === 'string' ? scheme : (scheme as { name?: string } | null | undefined)?.name;
}
