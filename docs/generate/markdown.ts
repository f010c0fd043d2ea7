/**
 * Tables and marked places of Markdown.
 * @module
 */

/** A column: its heading, what it says of a row, and whether it holds numbers, which are flush right. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly isNumber?: boolean;
}

/** The rows as a table, every column as wide as it needs. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = columns.map(({ head, cell, isNumber = false }) => {
    const texts = [head, ...rows.map((row) => cell(row).replaceAll('|', '\\|'))];
    const width = Math.max(3, ...texts.map((text) => text.length));
    const padded = texts.map((text) => (isNumber ? text.padStart(width) : text.padEnd(width)));
    return [padded[0]!, isNumber ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width), ...padded.slice(1)];
  });
  return cells[0]!.map((_, line) => `| ${cells.map((column) => column[line]!).join(' | ')} |`).join('\n');
}

/**
 * A text with other content between `<!-- name -->` and `<!-- /name -->`.
 * @throws Error where the text has no such place
 */
export function filled(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Expected ${start} and ${end} after it, got none`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}
