/**
 * Tables and texts for a terminal of 80 columns.
 * @module
 */

/** A column: its heading in two lines, and what it says of a row. */
export interface Column<Row> {
  readonly head: readonly [string, string];
  readonly cell: (row: Row) => string;
}

/** The rows as lines; the first column is flush left, the others are flush right, each as wide as it needs. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines: string[] = ['', '', '', ...rows.map(() => '')];
  for (const [index, { head, cell }] of columns.entries()) {
    const cells = [...head, '', ...rows.map(cell)];
    const width = Math.max(...cells.map((text) => text.length));
    cells[2] = '-'.repeat(width);
    for (const [line, text] of cells.entries()) {
      lines[line] += index === 0 ? text.padEnd(width) : ` ${text.padStart(width)}`;
    }
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** A text in lines of at most 80 columns, as far as its words allow. */
export function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + word.length < 80) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A count in at most 6 characters: exact up to five digits, then three of them and a unit of thousands. */
export function shortCount(count: number): string {
  if (count < 99_999.5) return String(Math.round(count));
  let value = count;
  let unit = '';
  for (const next of 'kMGTP') {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${value.toPrecision(3)}${unit}`;
}

/** A small number in at most 7 characters: three digits. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const isPlain = value >= 0.001 && value < 9999.5;
  return isPlain ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}
