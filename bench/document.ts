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
