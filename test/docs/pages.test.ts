/** The pages that are made by a command are as it would make them now. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRESETS, preset } from '#src/index.js';
import { between } from '../../dist/bench/document.js';
import { presetsByConsumer, presetsPage } from '../../dist/docs/generate/presets.js';
import { qualityTable } from '../../dist/docs/generate/quality.js';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('npm run docs:presets', () => {
  it('has nothing to add to docs/presets.md', () => {
    expect(text('docs/presets.md')).toBe(presetsPage());
  });

  it('has nothing to add to the README', () => {
    const readme = text('README.md');
    expect(readme).toBe(between(readme, 'presets', presetsByConsumer()));
  });

  it('tells of every preset its consumer, source, notes, types of codes and axes', () => {
    const sections = text('docs/presets.md').split('\n## ').slice(1);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(PRESETS.map(({ name }) => name));
    for (const [at, { consumer, source, notes, dtypes }] of PRESETS.entries()) {
      for (const part of [consumer, source, notes, dtypes.join(', ')]) expect(sections[at]).toContain(part);
      expect(sections[at]).toContain('`granularity` per');
    }
  });
});

describe('npm run docs:quality', () => {
  it('has nothing to add to docs/quality.md', async () => {
    const page = text('docs/quality.md');
    expect(page).toBe(between(page, 'quality', await qualityTable()));
  });

  it('has every preset, as a row where it needs nothing given', () => {
    const page = text('docs/quality.md').split('<!-- /quality -->')[0]!;
    for (const { name } of PRESETS) expect(page).toContain(`\`${name}\``);
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const dynamic = PRESETS.filter(({ name }) => preset(name).parameters === 'dynamic');
    // Rows of one length do not fit every block, and some presets keep the direction of a row only.
    expect(rows.length).toBeGreaterThan(dynamic.length * 0.8);
  });

  it('leaves room for the recall of embeddings', () => {
    expect(() => between(text('docs/quality.md'), 'recall', '')).not.toThrow();
  });
});

it('fills no place that is not there', () => {
  expect(() => between('text', 'quality', '')).toThrow('Expected <!-- quality -->');
  expect(between('a <!-- x --> b <!-- /x --> c', 'x', 'new')).toBe('a <!-- x -->\n\nnew\n\n<!-- /x --> c');
});
