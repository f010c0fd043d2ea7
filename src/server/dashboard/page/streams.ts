/**
 * The list of streams, of which one is chosen: radio buttons, so that arrow keys go from one to the next.
 * @module
 */
import type { DriftState, StreamSummary } from '../../../watch/index.js';
import type { DashboardState } from '../state.js';
import { byId, datum, make, setChildren, setDatum, setText } from './dom.js';
import { emptyState } from './empty.js';
import { countText, decibelText, rangeText, rateText, shareText } from './format.js';
import { stateBadge } from './states.js';

const COLUMNS = [
  ['Stream', ''],
  ['State', ''],
  ['Batches/s', 'number roomy'],
  ['Saturated', 'number roomy'],
  ['SQNR', 'number'],
] as const;

/** A row of the list. */
interface Row {
  readonly element: HTMLTableRowElement;
  readonly radio: HTMLInputElement;
  update(stream: StreamSummary): void;
}

/** The list of streams. */
export class Streams {
  readonly #onChoice: (id: string) => void;
  readonly #rows = new Map<string, Row>();
  readonly #body = make('tbody');
  readonly #table: HTMLElement;
  readonly #hasToken: () => boolean;
  #empty: HTMLElement | undefined;

  /** @param hasToken whether the server wants a token, once it is known */
  constructor(hasToken: () => boolean, onChoice: (id: string) => void) {
    this.#hasToken = hasToken;
    this.#onChoice = onChoice;
    const head = COLUMNS.map(([text, kind]) => make('th', { scope: 'col', class: kind }, text));
    this.#table = make('table', { class: 'streams' }, make('thead', {}, make('tr', {}, ...head)), this.#body);
  }

  /** Shows the streams by name. */
  update({ streams, forgotten }: DashboardState, chosen: string | undefined): void {
    const sorted = [...streams].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
    const known = new Set(sorted.map(({ id }) => id));
    for (const id of [...this.#rows.keys()]) if (!known.has(id)) this.#rows.delete(id);
    for (const stream of sorted) {
      const row = this.#rows.get(stream.id) ?? this.#row(stream.id);
      this.#rows.set(stream.id, row);
      row.update(stream);
      row.radio.checked = stream.id === chosen;
      row.element.classList.toggle('chosen', stream.id === chosen);
    }
    setChildren(
      this.#body,
      sorted.map(({ id }) => this.#rows.get(id)!.element),
    );
    if (sorted.length === 0) this.#empty ??= emptyState(this.#hasToken());
    setChildren(byId('streams-body'), [(sorted.length === 0 && this.#empty) || this.#table]);
    setText(byId('streams-count'), countsText(sorted, forgotten));
  }

  #row(id: string): Row {
    const radio = make('input', { type: 'radio', name: 'stream', value: id });
    radio.addEventListener('change', () => this.#onChoice(id));
    const about = make('span', { class: 'quiet' });
    const label = make('label', {}, radio, make('span', {}, ...breakable(id)));
    const state = make('td', { class: 'state' });
    const [rate, saturated, sqnr] = [datum(), datum(), datum()];
    const cells = [rate, saturated, sqnr].map((cell, at) => make('td', { class: COLUMNS[at + 2]![1] }, cell));
    const element = make('tr', {}, make('th', { scope: 'row' }, label, about), state, ...cells);
    element.addEventListener('click', ({ target }) => {
      if (target instanceof Element && target.closest('label') === null) radio.click();
    });
    let shown: DriftState | undefined;
    const update = (stream: StreamSummary): void => {
      const { minute, drift } = stream;
      if (shown !== drift.state) state.replaceChildren(stateBadge(drift));
      shown = drift.state;
      setText(about, minute?.range ? rangeText(minute.range) : 'nothing in the last minute');
      setDatum(rate, stream.rate.batches, rateText);
      setDatum(saturated, minute?.saturated, shareText);
      setDatum(sqnr, minute?.sqnr, decibelText);
    };
    return { element, radio, update };
  }
}

/** How many streams there are, and how many of them are not as they should be. */
function countsText(streams: readonly StreamSummary[], forgotten: number): string {
  const inState = (state: DriftState): number => streams.filter(({ drift }) => drift.state === state).length;
  const parts = [`${streams.length}`];
  if (inState('drift') > 0) parts.push(`${inState('drift')} with drift`);
  if (inState('watch') > 0) parts.push(`${inState('watch')} to watch`);
  if (forgotten > 0) parts.push(`${countText(forgotten)} forgotten`);
  return parts.join(' · ');
}

/** A name that may be broken after its separators. */
function breakable(id: string): (Node | string)[] {
  return id.split(/(?<=[./_-])/).flatMap((part) => [part, make('wbr')]);
}
