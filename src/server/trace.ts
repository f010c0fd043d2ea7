/**
 * The W3C's Trace Context, Level 1 with the flag of Level 2 (https://www.w3.org/TR/trace-context/): the trace that a
 * request belongs to, and the span of the server within it.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TraceContext } from '../channels.js';

/** Version, trace, span and flags; versions to come may have more behind them. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
/** Bits of the flags that are known: the trace is recorded, and its number is random. Others must not be passed on. */
const FLAGS = 3;

/** Systems that a tracestate may hold. */
const MEMBERS = 32;
const KEY = '[a-z][_0-9a-z\\-*/]{0,255}|[a-z0-9][_0-9a-z\\-*/]{0,240}@[a-z][_0-9a-z\\-*/]{0,13}';
const VALUE = '[ -+\\--<>-~]{0,255}[!-+\\--<>-~]';
const MEMBER = new RegExp(`^(${KEY})=${VALUE}$`);

const traces = new WeakMap<IncomingMessage, TraceContext>();

/** The trace of a request: the one that it brings, with a span of its own; or else a new one. Always the same. */
export function traceOf(request: IncomingMessage): TraceContext {
  let trace = traces.get(request);
  if (trace === undefined) {
    trace = { ...(givenBy(request) ?? begun()), spanId: random(8) };
    traces.set(request, trace);
  }
  return trace;
}

/** Headers by which an answer carries the trace of its request: names and values in turns. */
export function traceHeaders({ traceId, spanId, flags, tracestate }: TraceContext): string[] {
  const own = ['traceparent', `00-${traceId}-${spanId}-0${flags}`];
  return tracestate === undefined ? own : [...own, 'tracestate', tracestate];
}

/** Has an answer carry the trace of its request, unless it does. */
export function writeTrace(to: ServerResponse, trace: TraceContext): void {
  if (to.hasHeader('traceparent')) return;
  const headers = traceHeaders(trace);
  for (let at = 0; at < headers.length; at += 2) to.setHeader(headers[at]!, headers[at + 1]!);
}

type Given = Omit<TraceContext, 'spanId'>;

function begun(): Given {
  return { traceId: random(16), parentId: undefined, flags: 0, tracestate: undefined };
}

/** What a request brings; undefined where that is not valid, and then its tracestate is worth nothing either. */
function givenBy({ headers }: IncomingMessage): Given | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return undefined;
  const [, version, traceId = '', parentId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  const state = String(tracestate ?? '');
  return {
    traceId,
    parentId,
    flags: Number.parseInt(flags, 16) & FLAGS,
    tracestate: isTracestate(state) ? state : undefined,
  };
}

/** Whether it is a list of systems, each of them once; empty members do not count. */
function isTracestate(text: string): boolean {
  const members = text
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => MEMBER.exec(member)?.[1]));
  return members.length > 0 && members.length <= MEMBERS && keys.size === members.length && !keys.has(undefined);
}

/** Bytes that are asked for at a time: to ask costs more than most of what a small request does. */
const POOL = 4_096;
let pool = '';
let used = 0;

/** So many random bytes in hexadecimal digits, which are not all zero. */
function random(bytes: number): string {
  if (used + 2 * bytes > pool.length) {
    pool = randomBytes(POOL).toString('hex');
    used = 0;
  }
  const digits = pool.slice(used, used + 2 * bytes);
  used += 2 * bytes;
  return /^0+$/.test(digits) ? random(bytes) : digits;
}
