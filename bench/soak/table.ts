/**
 * Results as tables of Markdown, for a terminal and for the document.
 * @module
 */
import type { OverloadRow } from './overload.js';
import type { SoakResult } from './soak.js';

const MIB = 2 ** 20;

/** What a soak did and found. */
export function soakTable(result: SoakResult): string {
  const rows: [string, string][] = [
    ['minutes', (result.seconds / 60).toFixed(1)],
    ['batches compared with the scalar twin', count(result.delivered)],
    ['values of those', count(result.elements)],
    ['streams', count(result.streams)],
    ['calls made one by one', count(result.calls)],
    ['given up by the caller', count(result.cancelled)],
    ['dropped by an overflow policy', count(result.dropped)],
    ['given up because they were late', count(result.late)],
    ['streams failed of an overflow', count(result.overflows)],
    ['poison batches, each rejected', count(result.poisoned)],
    ['threads ended from outside', count(result.kills)],
    ['threads ended because a batch held them too long', count(result.stalls)],
    ['lanes started again', count(result.restarts)],
    ['lanes given up', count(result.gone)],
    ['rejected after two threads under them were ended from outside', count(result.unlucky)],
    ['runtimes drained and checked', count(result.rounds)],
    ['peak resident memory, MiB', mib(result.peakRss)],
    ['violations', count(result.violated)],
  ];
  return markdown(['', 'count'], rows);
}

/** What each policy did under overload. */
export function overloadTable(rows: readonly OverloadRow[]): string {
  const lines = rows.map(({ policy, seconds, offered, delivered, dropped, overflows, peakRss, allowed, baseRss }) => [
    policy,
    count(Math.round(offered / seconds)),
    count(Math.round(delivered / seconds)),
    count(dropped),
    count(overflows),
    mib(baseRss),
    mib(peakRss),
    mib(allowed),
  ]);
  const head = ['overflow', 'batches/s in', 'out', 'dropped', 'failed', 'RSS before, MiB', 'peak RSS', 'allowed'];
  return markdown(head, lines);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, column) => Math.max(3, text.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((text, column) =>
      column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function mib(bytes: number): string {
  return count(Math.round(bytes / MIB));
}
