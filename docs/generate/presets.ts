/**
 * The page of presets and the short table of the README, from the table of presets.
 * @module
 */
import { type Granularity, PRESETS, type Preset, preset, type Scheme } from '../../src/index.js';
import { describeGranularity } from '../../src/scheme/index.js';
import { type Column, table } from './markdown.js';

/** A row of the table, and its scheme without options. */
interface Entry {
  readonly row: Preset & { readonly scaleRules?: object };
  readonly scheme: Scheme;
}

const INTRODUCTION = `# Presets

This page is made from the table of presets by \`npm run docs:presets\`. \`quantlane presets\` prints the same, and \`quantlane presets --json\` gives it to programs.

A preset is the name of a consumer's bytes. Its rules are the axes of a scheme, by the names of \`defineScheme\`; [quantization.md](quantization.md) states them in numbered equations. Axes that are \`null\` or \`false\` are not listed. A block format (\`format\`) has rules of its own, on the same page.

A row is a row of the last axis.`;

/** The page. */
export function presetsPage(): string {
  const entries = PRESETS.map((row) => ({ row, scheme: preset(row.name) }));
  return `${[INTRODUCTION, table(COLUMNS, entries), ...entries.map(sectionOf)].join('\n\n')}\n`;
}

/** The consumers, each with the names of its presets. */
export function presetsByConsumer(): string {
  const groups = new Map<string, string[]>();
  for (const { consumer, name } of PRESETS) {
    const system = /^[^,:(]+/.exec(consumer)![0].trim();
    groups.set(system, [...(groups.get(system) ?? []), `\`${name}\``]);
  }
  return table(
    [
      { head: 'Consumer', cell: ([system]) => system },
      { head: 'Presets', cell: ([, names]) => names.join(', ') },
    ],
    [...groups],
  );
}

const COLUMNS: readonly Column<Entry>[] = [
  { head: 'Preset', cell: ({ row }) => `[\`${row.name}\`](#${row.name.toLowerCase()})` },
  { head: 'Consumer', cell: ({ row }) => row.consumer },
  { head: 'Codes', cell: ({ row }) => row.dtypes.join(', ') },
  { head: 'One scale for', cell: (entry) => placeOf(entry) },
  { head: 'Zero point', cell: ({ scheme }) => zeroPointOf(scheme) },
  { head: 'Scale from', cell: ({ scheme }) => sourceOf(scheme) },
];

/** Which values share a scale, as it is and as it may be chosen. */
function placeOf({ row: { takes }, scheme: { granularity } }: Entry): string {
  const { axis, blockSize } = takes;
  const { kind } = granularity;
  if (kind === 'perToken') return 'a row';
  if (kind === 'perBlock') return `a block of ${granularity.size}${blockSize ? ', or of `blockSize`' : ''}`;
  if (kind === 'perChannel') return `an index of axis ${granularity.axis}${axis ? ', or of `axis`' : ''}`;
  return `the tensor${axis ? ', or an index of `axis`' : ''}${blockSize ? ', or a block of `blockSize`' : ''}`;
}

function zeroPointOf({ format, symmetric, zeroPointDtype }: Scheme): string {
  if (format !== null) return '–';
  if (symmetric) return 'no';
  return zeroPointDtype === 'codes' ? 'yes' : zeroPointDtype;
}

function sourceOf({ parameters }: Scheme): string {
  return parameters === 'dynamic' ? 'the values' : 'the caller';
}

/** The axes that a block format does not decide by itself. */
const OF_FORMATS: readonly string[] = ['dtype', 'codes', 'granularity', 'nonFinite', 'layout', 'format'];

function sectionOf({ row, scheme }: Entry): string {
  const isRead = (axis: string) => axis !== 'name' && (scheme.format === null || OF_FORMATS.includes(axis));
  const axes = Object.entries(scheme).filter(([axis, value]) => isRead(axis) && value !== null && value !== false);
  const facts = [
    `- Consumer: ${row.consumer}`,
    `- Source: ${row.source}`,
    `- Codes: ${row.dtypes.join(', ')}`,
    `- Options: ${optionsOf(row).join(', ')}`,
    `- Rules: ${axes.map(([axis, value]) => `\`${axis}\` ${axisText(value)}`).join(', ')}`,
  ];
  return `## ${row.name}\n\n${row.notes}\n\n${facts.join('\n')}`;
}

function optionsOf({ dtypes, takes, reduced, scaleRules }: Entry['row']): string[] {
  return [
    ...(dtypes.length > 1 ? ['`dtype`'] : []),
    ...(takes.axis ? ['`axis`'] : []),
    ...(takes.blockSize ? ['`blockSize`'] : []),
    ...(reduced === undefined ? [] : ['`reduceRange`']),
    ...(scaleRules === undefined ? [] : [`\`scaleRule\` (${Object.keys(scaleRules).join(', ')})`]),
    '`nonFinite`',
  ];
}

/** The value of an axis as one would write it. */
function axisText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('kind' in value) return describeGranularity(value as Granularity);
  const entries = Object.entries(value).map(([key, each]) => `${key}: ${each}`);
  return `{ ${entries.join(', ')} }`;
}
