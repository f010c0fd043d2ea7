/**
 * A plot's frame: title, what it tells in words, the plot, and a table of the same numbers for those who do not see it.
 * @module
 */
import { make, setText } from './dom.js';

/** Rows of a table, each of as many cells as there are columns. */
export interface TableText {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A plot with its frame. */
export class Figure {
  readonly element: HTMLElement;
  /** Where the plot goes. */
  readonly canvas: HTMLElement;
  readonly #readout: HTMLElement;
  readonly #table: HTMLTableElement;
  readonly #details: HTMLDetailsElement;
  readonly #text: () => TableText;

  /**
   * @param title what is plotted, with its unit
   * @param text the rows of its table, asked for when somebody wants to read it
   */
  constructor(title: string, text: () => TableText) {
    this.#text = text;
    this.#readout = make('p', { class: 'readout' });
    this.canvas = make('div', {
      class: 'canvas',
      role: 'img',
      'aria-label': `Plot: ${title}. Its numbers are in the table.`,
    });
    this.#table = make('table', { class: 'numbers' });
    const scroll = make(
      'div',
      { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': `Numbers: ${title}` },
      this.#table,
    );
    const again = make('button', { type: 'button' }, 'Update');
    this.#details = make('details', {}, make('summary', {}, 'Table'), again, scroll);
    // Filled when it is opened, not each second: nobody can read a table that moves.
    this.#details.addEventListener('toggle', () => this.#fill());
    again.addEventListener('click', () => this.#fill());
    const caption = make('figcaption', {}, make('h3', {}, title), this.#readout);
    this.element = make('figure', { class: 'panel plot' }, caption, this.canvas, this.#details);
  }

  /** Says what the plot tells now. */
  say(text: string): void {
    setText(this.#readout, text);
  }

  /** Shows the figure or hides it, where there is nothing to plot. */
  set isShown(isShown: boolean) {
    this.element.hidden = !isShown;
  }

  #fill(): void {
    if (!this.#details.open) return;
    const { columns, rows } = this.#text();
    const head = make('tr', {}, ...columns.map((column) => make('th', { scope: 'col' }, column)));
    const lines = rows.map(([first = '', ...rest]) =>
      make('tr', {}, make('th', { scope: 'row' }, first), ...rest.map((cell) => make('td', {}, cell))),
    );
    const caption = make('caption', {}, `As of ${new Date().toLocaleTimeString()}`);
    this.#table.replaceChildren(caption, make('thead', {}, head), make('tbody', {}, ...lines));
  }
}
