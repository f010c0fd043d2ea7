/**
 * Tables of rows.
 * @module
 */
import { table as textTable } from '../../bench/document.js';

/** A column: its heading, what it says of a row, and whether it holds numbers, which are flush right. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly isNumber?: boolean;
}

/** The rows as a table, every column as wide as it needs. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return textTable(
    columns.map(({ head }) => head),
    rows.map((row) => columns.map(({ cell }) => cell(row).replaceAll('|', '\\|'))),
    columns.map(({ isNumber = false }) => isNumber),
  );
}
