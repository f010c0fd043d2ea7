/**
 * All about the chosen stream.
 * @module
 */
import type { Seen, StreamDetail } from '../../../watch/index.js';
import { Channels } from './channels.js';
import { byId, datum, make, setDatum, setText } from './dom.js';
import { countText, decibelText, rangeText, shareText, timeText, valueText } from './format.js';
import { Histogram } from './histogram.js';
import { stateBadge } from './states.js';
import { TimeChart } from './time-chart.js';

const FACTS = {
  calibrated: 'calibrated range',
  scheme: 'scheme',
  codes: 'codes',
  granularity: 'granularity',
  shape: 'last shape',
  batches: 'batches',
  elements: 'elements',
  failed: 'failed',
  latency: 'latency p50 / p90 / p99',
} as const;
type Fact = keyof typeof FACTS;

/** The parts of the page that tell of one stream. */
export class Detail {
  readonly #title = make('h2', { id: 'detail-title' });
  readonly #state = make('p', { class: 'verdict' });
  readonly #badge = make('span');
  readonly #reasons = make('span', { class: 'reasons' });
  readonly #facts = new Map<Fact, HTMLElement>();
  readonly #numbers = { range: datum(), scale: datum(), zero: datum(), saturated: datum(), sqnr: datum() };
  readonly #range = new TimeChart({
    title: 'Range of the values',
    isBand: true,
    lines: [
      { label: 'smallest', color: '--one' },
      { label: 'largest', color: '--one' },
      { label: 'calibrated from', color: '--two', isDashed: true },
      { label: 'calibrated to', color: '--two', isDashed: true },
    ],
    text: valueText,
  });
  readonly #scale = new TimeChart({
    title: 'Scale',
    isBand: true,
    fromZero: true,
    lines: [
      { label: 'smallest', color: '--one' },
      { label: 'largest', color: '--one' },
    ],
    text: valueText,
  });
  readonly #zero = new TimeChart({
    title: 'Zero point',
    isBand: true,
    span: 2,
    lines: [
      { label: 'smallest', color: '--one' },
      { label: 'largest', color: '--one' },
    ],
    text: valueText,
  });
  readonly #saturated = new TimeChart({
    title: 'Saturated codes',
    fromZero: true,
    span: 0.001,
    lines: [{ label: 'saturated', color: '--three' }],
    text: shareText,
  });
  readonly #sqnr = new TimeChart({
    title: 'SQNR',
    span: 2,
    lines: [{ label: 'SQNR', color: '--two' }],
    text: decibelText,
  });
  readonly #codes = new Histogram();
  readonly #channels = new Channels();
  #shown = '';

  constructor() {
    const facts = make('dl', { class: 'facts' });
    for (const [name, title] of Object.entries(FACTS)) {
      const value = make('dd');
      this.#facts.set(name as Fact, value);
      facts.append(make('div', {}, make('dt', {}, title), value));
    }
    const { range, scale, zero, saturated, sqnr } = this.#numbers;
    const readings = make('dl', { class: 'readings', 'aria-label': 'The last minute' });
    for (const [name, id, value] of [
      ['range', 'range', range],
      ['scale', 'scale', scale],
      ['zero point', 'zero', zero],
      ['saturated', 'saturated', saturated],
      ['SQNR', 'sqnr', sqnr],
    ] as const) {
      value.id = `detail-${id}`;
      readings.append(make('div', {}, make('dt', {}, name), make('dd', {}, value)));
    }
    this.#state.append(this.#badge, ' ', this.#reasons);
    byId('detail-head').append(this.#title, this.#state, readings, facts);
    const plots = [this.#range, this.#scale, this.#zero, this.#saturated, this.#sqnr, this.#codes];
    byId('plots').append(...plots.map(({ figure }) => figure.element), this.#channels.element);
  }

  /** Shows a stream; hides everything where there is none. */
  update(stream: StreamDetail | null): void {
    byId('detail').hidden = stream === null;
    if (stream === null) return;
    const { id, drift, reference, minute, seconds, codeCounts, channels } = stream;
    setText(this.#title, id);
    if (this.#shown !== `${id} ${drift.state}`) this.#badge.replaceChildren(stateBadge(drift));
    this.#shown = `${id} ${drift.state}`;
    setText(this.#reasons, drift.reasons.join('; '));
    this.#state.dataset['state'] = drift.state;
    this.#showFacts(stream);
    this.#showMinute(minute);

    const of = (take: (seen: Seen) => number | null | undefined) => seconds.map((seen) => (seen && take(seen)) ?? null);
    const constant = (value: number | undefined) => (value === undefined ? [] : seconds.map(() => value));
    this.#range.update(
      [of((s) => s.range?.low), of((s) => s.range?.high), constant(reference?.min), constant(reference?.max)],
      minute?.range ? `${rangeText(minute.range)} in the last minute${reference ? '; dashed: calibrated' : ''}` : '',
    );
    this.#scale.figure.isShown = seconds.some((seen) => seen?.scale) || minute?.scale != null;
    this.#scale.update(
      [of((s) => s.scale?.low), of((s) => s.scale?.high)],
      minute?.scale ? rangeText(minute.scale) : '',
    );
    this.#zero.figure.isShown = seconds.some((seen) => seen?.zeroPoint) || minute?.zeroPoint != null;
    this.#zero.update(
      [of((s) => s.zeroPoint?.low), of((s) => s.zeroPoint?.high)],
      minute?.zeroPoint ? rangeText(minute.zeroPoint) : '',
    );
    this.#saturated.update([of((s) => s.saturated)], minute ? `${shareText(minute.saturated)} in the last minute` : '');
    this.#sqnr.update(
      [of((s) => s.sqnr)],
      minute?.sqnr != null ? `${decibelText(minute.sqnr)} in the last minute` : '',
    );
    this.#codes.figure.isShown = codeCounts !== null;
    if (codeCounts !== null) this.#codes.update(codeCounts);
    this.#channels.update(channels);
  }

  /** Draws again, for colours are others now. */
  restyle(): void {
    for (const plot of [this.#range, this.#scale, this.#zero, this.#saturated, this.#sqnr, this.#codes]) plot.restyle();
  }

  #showFacts({ scheme, codes, granularity, shape, total, latency, reference }: StreamDetail): void {
    const texts: Readonly<Record<Fact, string>> = {
      scheme,
      codes,
      granularity: granularity.replace(', null', '').replace(/[A-Z(]/g, (letter) => ` ${letter.toLowerCase()}`),
      shape: shape.join(' × ') || 'scalar',
      batches: countText(total.batches),
      elements: countText(total.elements),
      failed: countText(total.failed),
      latency: latency ? [latency.p50, latency.p90, latency.p99].map(timeText).join(' / ') : '–',
      calibrated: reference ? rangeText({ low: reference.min, high: reference.max }) : 'none',
    };
    for (const [name, element] of this.#facts) setText(element, texts[name]);
  }

  #showMinute(minute: Seen | null): void {
    const { range, scale, zero, saturated, sqnr } = this.#numbers;
    setDatum(range, minute?.range?.high, () => rangeText(minute!.range!));
    setDatum(scale, minute?.scale?.high, () => rangeText(minute!.scale!));
    setDatum(zero, minute?.zeroPoint?.high, () => rangeText(minute!.zeroPoint!));
    setDatum(saturated, minute?.saturated, shareText);
    setDatum(sqnr, minute?.sqnr, decibelText);
  }
}
