/** The text format of Prometheus, read by a parser that is not that of the writer, and checked line by line. */
import parse from 'parse-prometheus-text-format';
import { expect } from 'vitest';

/** One metric with all of its series. */
export interface Family {
  readonly name: string;
  readonly metrics: readonly { readonly value: string; readonly labels?: Readonly<Record<string, string>> }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const LINES = [
  new RegExp(`^# HELP (${NAME}) \\S`),
  new RegExp(`^# TYPE (${NAME}) (?:counter|gauge|histogram|summary|untyped)$`),
  new RegExp(`^(${NAME})(?:\\{${LABEL}(?:,${LABEL})*\\})? (?:[-+]?(?:\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?|Inf)|Nan)$`, 'i'),
  /^$/,
];

/** The metrics of a text, by name. Every line is one of the format, and every series has its text and type before it. */
export function exposition(text: string): ReadonlyMap<string, Family> {
  expect(text.endsWith('\n')).toBe(true);
  const seen = { help: '', type: '' };
  const series = new Set<string>();
  for (const line of text.split('\n')) {
    const at = LINES.findIndex((form) => form.test(line));
    expect(at, line).toBeGreaterThanOrEqual(0);
    const name = LINES[at]!.exec(line)![1] ?? '';
    if (at === 0) seen.help = name;
    if (at === 1) seen.type = name;
    if (at !== 2) continue;
    expect([seen.help, seen.type], line).toEqual([seen.type, expect.anything()]);
    expect(name.replace(/^(.*)_(?:bucket|sum|count)$/, (all, base) => (base === seen.type ? base : all))).toBe(
      seen.type,
    );
    const key = line.slice(0, line.lastIndexOf(' '));
    expect(series.has(key), `${key}, twice`).toBe(false);
    series.add(key);
  }
  // The parser knows no labels of histograms: without their types it reads each series of theirs by itself.
  const families = parse(text.replace(/^# TYPE \S+ histogram$/gm, ''));
  const found = new Map<string, Family>();
  for (const { name, metrics } of families) {
    found.set(name, { name, metrics: [...(found.get(name)?.metrics ?? []), ...metrics] });
  }
  return found;
}

/** The value of a series; undefined where there is none. */
export function seriesOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const metrics = families.get(name)?.metrics ?? [];
  const found = metrics.filter(({ labels: own = {} }) =>
    Object.entries({ ...own, ...labels }).every(([key, value]) => own[key] === value && labels[key] === value),
  );
  expect(found.length).toBeLessThan(2);
  return found[0] === undefined ? undefined : Number(found[0].value);
}

/** Asserts the conventions for names: counters end with `_total`, others do not, and units are base units. */
export function expectConventions(text: string): void {
  const types = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \1 (\S+)$/gm)];
  expect(types.length).toBeGreaterThan(0);
  for (const [, name = '', help = '', type] of types) {
    // What a host calls its own is its own.
    if (!name.startsWith('quantlane_')) continue;
    expect(name).toMatch(/^[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name).not.toMatch(/_(?:ms|milliseconds|microseconds|kb|mb|kib|mib|percent)(?:_|$)/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(help.length, name).toBeGreaterThan(10);
  }
}
