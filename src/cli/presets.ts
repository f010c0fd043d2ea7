/**
 * `quantlane presets`: whose bytes there are, and everything that decides them.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { describeGranularity, PRESETS, type Preset, preset, type Scheme, zeroPointDtype } from '../scheme/index.js';
import { codeEnds } from './block-parts.js';
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
    ['codes', codeEnds(scheme).join(' to ')],
    ['granularity', describeGranularity(scheme.granularity) + (takes && `; takes ${takes}`)],
    ...(scheme.format === null
      ? rulesOf(scheme)
      : ([['format', `${scheme.format}, which has its own rules`]] as const)),
    ['non-finite', scheme.nonFinite],
    ['layout', layoutText(scheme)],
  ];
  return [row.name, ...facts.flatMap(([name, text]) => wrapped(name, text))];
}

/** The axes that a block format does not have. */
function rulesOf(scheme: Scheme): readonly (readonly [string, string])[] {
  return [
    ['parameters', scheme.parameters],
    ['symmetric', scheme.symmetric ? 'yes' : 'no'],
    ['divisor', String(scheme.divisor)],
    ['scale form', scheme.scaleForm],
    ['apply', scheme.apply],
    ['rounding', scheme.rounding],
    ['range', scheme.rangeIncludesZero ? 'extended to zero' : 'of the values alone'],
    ['arithmetic', scheme.arithmetic],
    ['zero point', zeroPointText(scheme)],
    ['floor', scheme.floor === null ? 'none' : `${scheme.floor.on} at least ${valueText(scheme.floor.value)}`],
    ['all zero', allZeroText(scheme)],
    ['NaN', `code ${scheme.nan.code}${scheme.nan.poisons ? ', poisons its group' : ''} where it propagates`],
    ['scale dtype', scheme.scaleDtype],
    ...(scheme.outliers === null
      ? []
      : ([['outliers', `from ${scheme.outliers.threshold} on, kept apart; takes --threshold`]] as const)),
  ];
}

function zeroPointText(scheme: Scheme): string {
  const { zeroPointRule, zeroPointRounding, zeroPointAdded, zeroPointCodes } = scheme;
  if (scheme.symmetric) return 'none';
  const among = zeroPointCodes === null ? '' : `, among ${zeroPointCodes.join(' to ')}`;
  const rule = scheme.parameters === 'given' ? 'given' : `${zeroPointRule}, rounded ${zeroPointRounding}${among}`;
  return `${rule}; ${zeroPointDtype(scheme)}, added ${zeroPointAdded}`;
}

function allZeroText({ allZero }: Scheme): string {
  if (allZero === null) return 'no rule';
  const test = allZero.on === 'reciprocal' ? '1 / scale infinite' : `${allZero.on} 0`;
  const zeroPoint = allZero.zeroPoint === undefined ? '' : `, zero point ${allZero.zeroPoint}`;
  return `${test}: scale ${allZero.scale}, multiplier ${allZero.multiplier}${zeroPoint}`;
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
