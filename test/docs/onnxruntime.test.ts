/** The example of docs/onnxruntime.md prints what its last comments say. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = new URL('../..', import.meta.url);
const page = readFileSync(new URL('docs/onnxruntime.md', root), 'utf8');
const example = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';

it('runs as it is', { timeout: 60_000 }, async () => {
  const lines = example.trimEnd().split('\n');
  const code = lines.findLastIndex((line) => !line.startsWith('// '));
  const expected = lines.slice(code + 1).map((line) => line.slice(3));
  expect(expected).toHaveLength(2);
  // `await using` is not yet understood by every Node.
  const source = `${example.replace('await using runtime', 'const runtime')}await runtime.close();\n`;
  const args = ['--input-type=module', '--eval', source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(root), timeout: 50_000 });
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});
