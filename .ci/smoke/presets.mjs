/** Compares what `quantlane presets --json` printed, on standard input, with the presets of the library. */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { PRESETS } from 'quantlane';

const { presets: rows } = JSON.parse(await text(process.stdin));
const names = (list) => list.map((row) => row.name).sort();
assert.deepEqual(names(rows), names(PRESETS));
console.log(`command line: ${rows.length} presets`);
