/**
 * What the library tells those who watch it, on channels of `node:diagnostics_channel`. A channel that nobody watches
 * costs a look at a property; what is told is made only for somebody.
 * @module
 */
import type { Channel } from 'node:diagnostics_channel';

/** Where a call belongs in a trace, in the terms of the W3C's Trace Context. */
export interface TraceContext {
  /** Of the whole trace: 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** Of the request as the server has it: 16 digits. */
  readonly spanId: string;
  /** Of the span that the client was in: 16 digits; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  /** Bit 0: the client has recorded the trace. */
  readonly flags: number;
  /** What systems on the way have added, as it came. */
  readonly tracestate: string | undefined;
}

/** Told on `quantlane:batch` when a call is over. */
export interface BatchEvent {
  readonly operation: 'quantize' | 'dequantize' | 'range' | 'outliers' | 'rotate' | 'smooth' | 'fold' | 'transpose';
  /** Name of the scheme; undefined for transforms, which have none. */
  readonly scheme: string | undefined;
  /** Type of the values. */
  readonly dtype: string;
  /** Shape of the values. */
  readonly shape: readonly number[];
  /** Where it ran: at once or in slices on the thread of the caller, or on lanes. */
  readonly place: BatchPlace;
  /** From the call to its end, waiting included. */
  readonly milliseconds: number;
  /** Why it failed; undefined where it did not. */
  readonly error: unknown;
  /** What the call was given as `trace`. */
  readonly trace: TraceContext | undefined;
}

/** Where a call ran. */
export type BatchPlace = 'in-place' | 'sliced' | 'lanes';

/** Told on `quantlane:lane`. */
export interface LaneEvent {
  /** Index of the lane. */
  readonly lane: number;
  /**
   * `started` and `restarted`: it is ready for work; `stalled`: its thread is ended, for it took too long for a part of a
   * batch; `lost`: its thread has ended; `gone`: it is not started again.
   */
  readonly event: 'started' | 'stalled' | 'lost' | 'restarted' | 'gone';
}

/** Told on `quantlane:arena`. */
export interface ArenaEvent {
  /** `waits`: a request has to wait for room; `leaked`: a lease was forgotten. */
  readonly event: 'waits' | 'leaked';
  /** Bytes of the request, or those that are lost. */
  readonly bytes: number;
}

/** Told on `quantlane:server:request` when a request is over. */
export interface RequestEvent {
  readonly method: string;
  /** The path with its parameters by name, such as `/v2/models/:name/infer`; `other` for none of the server's. */
  readonly route: string;
  /** The model; `other` for one that there is not, empty where the path has none. */
  readonly model: string;
  /** 499 where the client was gone, or was cut off, before the last byte of the answer. */
  readonly status: number;
  /** From the head of the request to the last byte of its answer. */
  readonly milliseconds: number;
  readonly trace: TraceContext;
}

/** What a channel is where there is no `node:diagnostics_channel`, as in a browser: nobody watches. */
const NOBODY: Pick<Channel, 'hasSubscribers' | 'publish'> = { hasSubscribers: false, publish: () => undefined };

/** The channel of a name. An import would keep these modules from every host but Node.js. */
function channel(name: string): typeof NOBODY {
  return globalThis.process?.getBuiltinModule?.('node:diagnostics_channel').channel(name) ?? NOBODY;
}

/** `quantlane:batch`, with a `BatchEvent` for every call. */
export const batchChannel = channel('quantlane:batch');
/** `quantlane:server:request`, with a `RequestEvent` for every request. */
export const requestChannel = channel('quantlane:server:request');

const lanes = channel('quantlane:lane');
const arenas = channel('quantlane:arena');

/** Something has become of a lane. */
export function tellLane(lane: number, event: LaneEvent['event']): void {
  if (lanes.hasSubscribers) lanes.publish({ lane, event } satisfies LaneEvent);
}

/** Something has become of memory. */
export function tellArena(event: ArenaEvent['event'], bytes: number): void {
  if (arenas.hasSubscribers) arenas.publish({ event, bytes } satisfies ArenaEvent);
}
