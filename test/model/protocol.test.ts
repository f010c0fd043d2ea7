/**
 * The protocol of ring and leases, checked in every state that two callers, two lanes and a fault can bring about. With
 * `MODEL=deep` in the environment larger scenarios are explored, too, which takes minutes.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explore } from './explore.js';
import { MISTAKES, RING_MISTAKES } from './mistakes.js';
import { ringOf } from './rings.js';
import { ALL, SCENARIOS } from './scenarios.js';
import { type Scenario, systemOf } from './system.js';

const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
/** The document without the spaces that align its tables. */
const document = page.replace(/ {2,}/g, ' ');
const isDeep = process.env['MODEL'] === 'deep';
const scenarios: [string, Scenario][] = Object.entries(isDeep ? ALL : SCENARIOS);
let states = 0;

describe('every property holds in every state', () => {
  it.each(scenarios)('%s', { timeout: 1_800_000 }, async (name, scenario) => {
    const report = explore(systemOf(await ringOf(scenario.slots), scenario), isDeep ? 12_000_000 : 400_000);
    expect([report.violation, ...report.trace]).toEqual([undefined]);
    expect(report.ends).toBeGreaterThan(0);
    expect(report.states).toBeGreaterThan(500);
    states += report.states;
    const [visited, steps] = [report.states, report.moves].map((count) => count.toLocaleString('en'));
    if (process.env['MODEL'] !== undefined) console.log(`| ${name} | ${visited} | ${steps} |`);
    // The figures of the document are those of today.
    else expect(document).toContain(`| ${name} | ${visited} | ${steps} |`);
  });

  it('and the states are many', () => {
    expect(states).toBeGreaterThan(300_000);
  });
});

describe('a mistake is found', () => {
  it.each(RING_MISTAKES)('of the ring: $name', { timeout: 120_000 }, async ({ changes, scenario, property }) => {
    const right = ALL[scenario];
    const report = explore(systemOf(await ringOf(right.slots, changes), right), 400_000);
    expect(report.violation).toMatch(property);
    expect(report.trace.length).toBeGreaterThan(0);
  });

  it.each(MISTAKES)('of $name', { timeout: 120_000 }, async ({ mistakes, scenario, property }) => {
    const right = ALL[scenario];
    const report = explore(systemOf(await ringOf(right.slots), { ...right, mistakes }), 400_000);
    expect(report.violation).toMatch(property);
    expect(report.trace.length).toBeGreaterThan(0);
  });
});
