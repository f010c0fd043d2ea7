/**
 * The figures of a result.
 * @module
 */
import { make } from './elements.js';
import { bytes, share, short, whole } from './numbers.js';
import type { Finding, Spread } from './quantizing.js';

/** Terms with their values, for a list of them. */
export function figures(found: Finding): HTMLElement[] {
  const { stats, elements, before, after, milliseconds, scale, zeroPoint } = found;
  const rate = elements / Math.max(milliseconds, 0.001) / 1e3;
  return [
    figure('Signal to noise', `${short(stats.sqnr)} dB`, 'SQNR: the higher, the closer'),
    figure('Largest error', short(stats.maxError)),
    figure('Saturated codes', whole(stats.saturated), `${share(stats.saturated, elements)} of ${whole(elements)}`),
    figure('Scale', ...ends(scale, 'within the blocks')),
    figure('Zero point', ...ends(zeroPoint, 'none')),
    figure('Size', bytes(after), `${short(before / after)} times smaller than ${bytes(before)}`),
    figure('Time', `${short(milliseconds)} ms`, `${short(rate)} million values a second`),
  ];
}

/** `[2048, 704] float32 as vllm-int8-per-token`. */
export function title({ name, shape, dtype, scheme }: Finding): string {
  return `${name}, ${dtype} [${shape.join(', ')}], as ${scheme.name}`;
}

function ends(spread: Spread | undefined, without: string): [string, string?] {
  if (spread === undefined) return [without];
  const { least, most, count, isRaw } = spread;
  const text = least === most ? short(least) : `${short(least)} to ${short(most)}`;
  return [text, `${count === 1 ? 'one' : `${whole(count)} of them`}${isRaw ? ', raw bits' : ''}`];
}

function figure(term: string, value: string, note?: string): HTMLElement {
  const dd = make('dd', value);
  if (note !== undefined) dd.append(make('small', note));
  const pair = make('div');
  pair.append(make('dt', term), dd);
  return pair;
}
