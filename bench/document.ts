/**
 * Results in documents: what stands between two markers is written anew.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Replaces what is between `<!-- name -->` and `<!-- /name -->`.
 * @throws where the document does not have both, once
 */
export function between(document: string, name: string, text: string): string {
  const parts = document.split(new RegExp(`(?<=<!-- ${name} -->)[\\s\\S]*(?=<!-- /${name} -->)`));
  if (parts.length !== 2) throw new Error(`Expected <!-- ${name} --> and <!-- /${name} --> in the document`);
  return parts.join(`\n\n${text}\n\n`);
}

/** Writes a result into a document. */
export async function writeBetween(path: URL, name: string, text: string): Promise<void> {
  await writeFile(path, between(await readFile(path, 'utf8'), name, text));
}

/** Rows below a head as a table; columns are flush right where `isRight` says so, by itself all but the first. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isRight: readonly boolean[] = head.map((_, column) => column > 0),
): string {
  const widths = head.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    isRight[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  const line = (row: readonly string[]): string => `| ${row.map(cell).join(' | ')} |`;
  const rule = widths.map((width, column) => (isRight[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
