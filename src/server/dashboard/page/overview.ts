/**
 * What the server does as a whole: throughput, latency, queue, memory and lanes.
 * @module
 */
import type { DashboardState } from '../state.js';
import { byId, datum, make, setDatum } from './dom.js';
import { bytesText, countText, rateText, shareText, timeText } from './format.js';
import { TimeChart } from './time-chart.js';

/** A number of a tile. */
interface Reading {
  /** Words before and behind the number. */
  readonly before?: string;
  readonly after?: string;
  readonly text: (value: number) => string;
  /** Gives the number; null where there is none. */
  readonly of: (state: DashboardState) => number | null;
}

/** A tile: a large reading and some small ones. */
interface Tile {
  readonly id: string;
  readonly title: string;
  readonly large: Reading;
  readonly small: readonly Reading[];
  /** A share that a bar shows. */
  readonly meter?: (state: DashboardState) => number;
}

const TILES: readonly Tile[] = [
  {
    id: 'throughput',
    title: 'Throughput',
    large: { after: 'batches/s', text: rateText, of: ({ rate }) => rate.batches },
    small: [
      { after: 'elements/s', text: rateText, of: ({ rate }) => rate.elements },
      { after: '/s', text: bytesText, of: ({ rate }) => rate.bytes },
    ],
  },
  {
    id: 'latency',
    title: 'Latency, to the codes',
    large: { before: 'p50', text: timeText, of: ({ latency }) => latency?.p50 ?? null },
    small: [
      { before: 'p90', text: timeText, of: ({ latency }) => latency?.p90 ?? null },
      { before: 'p99', text: timeText, of: ({ latency }) => latency?.p99 ?? null },
    ],
  },
  {
    id: 'queue',
    title: 'Queue',
    large: { after: 'requests', text: countText, of: ({ pending }) => pending },
    small: [
      { before: 'of', text: countText, of: ({ maxPending }) => maxPending },
      { after: 'wait for memory', text: countText, of: ({ runtime }) => runtime.arena.waiting },
    ],
    meter: ({ pending, maxPending }) => pending / maxPending,
  },
  {
    id: 'arena',
    title: 'Arena',
    large: { after: 'in use', text: bytesText, of: ({ runtime }) => runtime.arena.inUse },
    small: [
      { before: 'of', text: bytesText, of: ({ runtime }) => runtime.arena.capacity },
      { before: 'peak', text: bytesText, of: ({ runtime }) => runtime.arena.peak },
    ],
    meter: ({ runtime: { arena } }) => arena.inUse / arena.capacity,
  },
  {
    id: 'lanes',
    title: 'Lanes',
    large: { after: 'alive', text: countText, of: ({ runtime }) => runtime.lanes.alive },
    small: [
      { before: 'of', text: countText, of: ({ runtime }) => runtime.lanes.configured },
      { after: 'restarts', text: countText, of: ({ runtime }) => runtime.lanes.restarts },
      { after: 'stalls', text: countText, of: ({ runtime }) => runtime.lanes.stalls },
    ],
  },
  {
    id: 'total',
    title: 'Since the start',
    large: { after: 'batches', text: countText, of: ({ total }) => total.batches },
    small: [
      { after: 'elements', text: countText, of: ({ total }) => total.elements },
      { after: 'failed', text: countText, of: ({ total }) => total.failed },
    ],
  },
];

/** The overview. */
export class Overview {
  readonly #updates: ((state: DashboardState) => void)[] = [];
  readonly #elements = new TimeChart({
    title: 'Elements per second',
    lines: [{ label: 'elements/s', color: '--one' }],
    fromZero: true,
    text: rateText,
  });
  readonly #batches = new TimeChart({
    title: 'Batches per second',
    lines: [{ label: 'batches/s', color: '--two' }],
    fromZero: true,
    text: rateText,
  });

  constructor() {
    byId('tiles').append(...TILES.map((tile) => this.#tile(tile)));
    byId('throughput').append(this.#elements.figure.element, this.#batches.figure.element);
  }

  /** Shows a state. */
  update(state: DashboardState): void {
    for (const update of this.#updates) update(state);
    const { traffic, rate } = state;
    this.#elements.update([traffic.elements], `${rateText(rate.elements)} elements/s, mean of 5 s`);
    this.#batches.update([traffic.batches], `${rateText(rate.batches)} batches/s, mean of 5 s`);
  }

  /** Draws again, for colours are others now. */
  restyle(): void {
    this.#elements.restyle();
    this.#batches.restyle();
  }

  #tile({ id, title, large, small, meter }: Tile): HTMLElement {
    const first = make('dd', { class: 'large' }, ...this.#reading(large, id));
    const rest = small.map((reading, at) => make('span', {}, ...this.#reading(reading, `${id}-${at + 1}`)));
    const children: Node[] = [make('dt', {}, title), first, make('dd', { class: 'small' }, ...rest)];
    if (meter !== undefined) children.push(this.#meter(meter));
    return make('div', { class: 'tile' }, ...children);
  }

  #reading({ before, after, text, of }: Reading, id: string): (Node | string)[] {
    const value = datum();
    value.id = `tile-${id}`;
    this.#updates.push((state) => setDatum(value, of(state), text));
    const around = (words: string | undefined): Node[] => (words === undefined ? [] : [make('small', {}, words)]);
    return [...around(before), value, ...around(after)];
  }

  /** A bar, which says nothing that the numbers beside it do not. */
  #meter(of: (state: DashboardState) => number): HTMLElement {
    const fill = make('span', { class: 'bar-fill' });
    this.#updates.push((state) => {
      const share = Math.min(1, of(state));
      fill.style.width = `${share * 100}%`;
      fill.title = shareText(share);
    });
    return make('dd', { class: 'meter', 'aria-hidden': 'true' }, fill);
  }
}
