/**
 * A histogram of codes.
 * @module
 */
import type { CodeCounts } from './code-counts.js';
import { make } from './elements.js';
import { share, whole } from './numbers.js';

/** The most bars. */
const BARS = 64;
const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 100;

/** A bar: the codes from `first` to `last`. */
interface Bar {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** The histogram, its ends below it, and what it shows in words for who does not see it. */
export function histogram({ of, lo, counts }: CodeCounts): HTMLElement[] {
  const bars = barsOf(lo, counts);
  const most = Math.max(...bars.map(({ count }) => count));
  const all = bars.reduce((sum, { count }) => sum + count, 0);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${bars.length * 10} ${HEIGHT + 1}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', words(of, bars, all));
  for (const [index, bar] of bars.entries()) svg.append(rectangle(bar, index, bars.length, most, all));
  const axis = document.createElementNS(SVG, 'line');
  for (const [name, value] of Object.entries({ x1: 0, x2: bars.length * 10, y1: HEIGHT + 0.5, y2: HEIGHT + 0.5 })) {
    axis.setAttribute(name, String(value));
  }
  axis.setAttribute('class', 'axis');
  svg.append(axis);
  const scale = make('div');
  scale.className = 'scale';
  const middle = bars[Math.floor(bars.length / 2)]!;
  scale.append(...[lo, middle.first, lo + counts.length - 1].map((code) => make('span', String(code))));
  const figure = make('div');
  figure.append(svg);
  return [figure, scale];
}

function rectangle({ first, last, count }: Bar, index: number, bars: number, most: number, all: number): SVGElement {
  const rect = document.createElementNS(SVG, 'rect');
  const height = count === 0 ? 0 : Math.max(0.75, (count / most) * HEIGHT);
  const places = { x: index * 10 + 0.75, width: 8.5, y: HEIGHT - height, height };
  for (const [name, value] of Object.entries(places)) rect.setAttribute(name, String(value));
  rect.setAttribute('class', index === 0 || index === bars - 1 ? 'bar at-end' : 'bar');
  const title = document.createElementNS(SVG, 'title');
  const codes = first === last ? String(first) : `${first} to ${last}`;
  title.textContent = `${codes}: ${whole(count)} (${share(count, all)})`;
  rect.append(title);
  return rect;
}

/** As many codes in each bar. */
function barsOf(lo: number, counts: ArrayLike<number>): Bar[] {
  const width = Math.ceil(counts.length / BARS);
  const bars: Bar[] = [];
  for (let at = 0; at < counts.length; at += width) {
    let count = 0;
    for (let code = at; code < at + width; code++) count += counts[code]!;
    bars.push({ first: lo + at, last: lo + at + width - 1, count });
  }
  return bars;
}

function words(of: string, bars: readonly Bar[], all: number): string {
  const used = bars.filter(({ count }) => count > 0);
  const top = used.reduce((best, bar) => (bar.count > best.count ? bar : best));
  const ends = bars[0]!.count + bars.at(-1)!.count;
  const range = `from ${used[0]!.first} to ${used.at(-1)!.last}`;
  return `${of}: ${range}, most often ${top.first} to ${top.last} (${share(top.count, all)}); ${share(ends, all)} at the ends.`;
}
