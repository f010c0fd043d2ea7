/**
 * `quantlane presets`: whose bytes there are, and everything that decides them.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { describeGranularity, PRESETS, type Preset, preset, type Scheme } from '../scheme/index.js';
import { type Report, valueText, WIDTH } from './report.js';
import { JSON_ARG } from './runtime-options.js';

const args = { ...JSON_ARG } as const satisfies ArgsDef;

/** The command. */
export const presetsCommand = defineCommand({
  meta: { name: 'presets', description: 'List every preset with all its axes and its source' },
  args,
  run: () => allPresets(),
});

function allPresets(): Report {
  const all = PRESETS.map((row) => ({ row, scheme: preset(row.name) }));
  return {
    lines: all.flatMap(({ row, scheme }, index) => [...(index > 0 ? [''] : []), ...linesOf(row, scheme)]),
    json: {
      command: 'presets',
      presets: all.map(({ row, scheme }) => {
        const { name, consumer, source, notes, dtypes, takes } = row;
        return { name, consumer, source, notes, dtypes, takes, scheme };
      }),
    },
  };
}

function linesOf(row: Preset, scheme: Scheme): string[] {
  const takes = [row.takes.axis && '--axis', row.takes.blockSize && '--block-size'].filter(Boolean).join(', ');
  const facts: readonly (readonly [string, string])[] = [
    ['consumer', row.consumer],
    ['source', row.source],
    ['notes', row.notes],
    ['dtype', row.dtypes.join(', ')],
    ['codes', scheme.codes.join(' to ')],
    ['granularity', describeGranularity(scheme.granularity) + (takes && `; takes ${takes}`)],
    ['parameters', scheme.parameters],
    ['symmetric', scheme.symmetric ? 'yes' : 'no'],
    ['divisor', String(scheme.divisor)],
    ['scale form', scheme.scaleForm],
    ['apply', scheme.apply],
    ['rounding', scheme.rounding],
    ['zero point', scheme.zeroPointRule],
    ['floor', scheme.floor === null ? 'none' : `${scheme.floor.on} at least ${valueText(scheme.floor.value)}`],
    ['all zero', allZeroText(scheme)],
    ['non-finite', scheme.nonFinite],
    ['NaN', `code ${scheme.nan.code}${scheme.nan.poisons ? ', poisons its group' : ''} where it propagates`],
    ['scale dtype', scheme.scaleDtype],
    ['layout', layoutText(scheme)],
  ];
  return [row.name, ...facts.flatMap(([name, text]) => wrapped(name, text))];
}

function allZeroText({ allZero }: Scheme): string {
  return allZero === null ? 'no rule' : `${allZero.on} 0: scale ${allZero.scale}, multiplier ${allZero.multiplier}`;
}

function layoutText({ layout }: Scheme): string {
  return layout === 'planar' ? layout : `blocks of ${layout.blockBytes} bytes, codes from byte ${layout.codesAt}`;
}

/** A fact in as many lines of 80 columns as it needs. */
function wrapped(name: string, text: string): string[] {
  const indent = `  ${name.padEnd(12)}`;
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(indent.length);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
