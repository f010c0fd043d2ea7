/**
 * The channels with the largest magnitudes, as a table with bars.
 * @module
 */
import type { ChannelFacts } from '../../../watch/index.js';
import { make, setChildren, setText } from './dom.js';
import { countText, valueText } from './format.js';

/** The table of channels. */
export class Channels {
  readonly element: HTMLElement;
  readonly #says = make('p', { class: 'readout' });
  readonly #body = make('tbody');
  readonly #rows: HTMLTableRowElement[] = [];

  constructor() {
    const head = ['Channel', 'Largest |x|', '× median', ''].map((text) =>
      text === '' ? make('td') : make('th', { scope: 'col' }, text),
    );
    const table = make('table', { class: 'channels' }, make('thead', {}, make('tr', {}, ...head)), this.#body);
    const title = make('div', { class: 'caption' }, make('h3', {}, 'Channels that stand out'), this.#says);
    this.element = make('section', { class: 'panel plot' }, title, table);
  }

  /** Shows channels; hides the table where there are none. */
  update(facts: ChannelFacts | null): void {
    this.element.hidden = facts === null;
    if (facts === null) return;
    const { count, median, outliers, largest } = facts;
    const are = outliers === 1 ? 'is' : 'are';
    setText(
      this.#says,
      `${countText(outliers)} of ${countText(count)} ${are} above 6 × the median ${valueText(median)}`,
    );
    const most = largest[0]?.amax ?? 0;
    while (this.#rows.length < largest.length) this.#rows.push(row());
    for (const [at, { channel, amax }] of largest.entries()) {
      const ratio = median === 0 ? (amax === 0 ? 1 : Number.POSITIVE_INFINITY) : amax / median;
      const cells = this.#rows[at]!.cells;
      setText(cells[0]!, String(channel));
      setText(cells[1]!, valueText(amax));
      setText(
        cells[2]!,
        `${Number.isFinite(ratio) ? Number(ratio.toPrecision(3)) : '∞'}${ratio > 6 ? ' outlier' : ''}`,
      );
      cells[2]!.classList.toggle('stands-out', ratio > 6);
      (cells[3]!.firstChild as HTMLElement).style.width = `${most === 0 ? 0 : (amax / most) * 100}%`;
    }
    setChildren(this.#body, this.#rows.slice(0, largest.length));
  }
}

function row(): HTMLTableRowElement {
  const bar = make('span', { class: 'bar-fill', 'aria-hidden': 'true' });
  const cells = [make('th', { scope: 'row' }), make('td'), make('td'), make('td', { class: 'bar-cell' }, bar)];
  return make('tr', {}, ...cells);
}
