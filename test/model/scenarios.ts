/** What is explored: small enough to visit every state, large enough for every step of the protocol. */
import type { Scenario } from './system.js';

const one = { chunks: 1, isTwoPass: false };
const two = { chunks: 2, isTwoPass: false };
const both = { chunks: 1, isTwoPass: true };
const wide = { chunks: 2, isTwoPass: true };

/** Scenarios of the test. Two callers have a job each, unless there is one; two lanes. */
export const SCENARIOS = {
  'two callers': { slots: 2, jobs: [one, one] },
  'two callers and a crash': { slots: 2, jobs: [one, one], crashes: 1 },
  'two callers and one slot': { slots: 1, jobs: [one, one] },
  'a job in two parts and a crash': { slots: 2, jobs: [two], crashes: 1 },
  'two passes and a crash': { slots: 2, jobs: [both], crashes: 1 },
  'two passes and an abort': { slots: 2, jobs: [both], aborts: 1 },
  'a poison batch beside another': { slots: 2, jobs: [one, one], poison: 0 },
  'a lane is drained': { slots: 2, jobs: [one, one], drains: 1 },
  'a lane is drained, and a stop': { slots: 2, jobs: [one], drains: 1, stops: true },
  'a crash, and a stop': { slots: 2, jobs: [one], crashes: 1, stops: true },
} as const satisfies Record<string, Scenario>;

/** Larger ones, of minutes. */
export const DEEP = {
  'two passes in slots that were used': { slots: 2, jobs: [one, both] },
  'two callers, one of whom aborts': { slots: 2, jobs: [one, one], aborts: 1 },
  'two callers, an abort and a crash': { slots: 2, jobs: [one, one], aborts: 1, crashes: 1 },
  'two passes beside another job': { slots: 4, jobs: [both, one] },
  'two passes in two parts': { slots: 4, jobs: [wide] },
} as const satisfies Record<string, Scenario>;

/** All of them, by their names. */
export const ALL: Record<ScenarioName, Scenario> = { ...SCENARIOS, ...DEEP };

/** The name of one. */
export type ScenarioName = keyof typeof SCENARIOS | keyof typeof DEEP;
