/**
 * The version of the package.
 * @module
 */
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** The version of the package, as its manifest has it. */
export function version(): string {
  known ??= (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest).version;
  return known;
}

interface Manifest {
  readonly version: string;
}
