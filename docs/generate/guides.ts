/**
 * The code of the guides: what they show lies in files of `examples/guides`, and so does what it prints.
 * @module
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { between } from '../../bench/document.js';

/** The folder of the project, as seen from `dist/docs/generate`. */
const ROOT = new URL('../../../', import.meta.url);

/**
 * A guide with every place filled again: `<!-- FILE#REGION -->` by the lines of a file between `#region REGION` and
 * `#endregion`, `<!-- output FILE -->` by what the file prints.
 * @param outputs what files print, which is asked for once
 * @throws Error for a file, a region or an end that is not there, and for an example that fails
 */
export async function guidePage(text: string, outputs: Map<string, Promise<string>> = new Map()): Promise<string> {
  let page = text;
  for (const [, name] of text.matchAll(/^<!-- ((?:output )?examples\/guides\/\S+) -->$/gm)) {
    const [first, second] = name!.split(' ');
    page = between(page, name!, second === undefined ? await shown(first!) : await printed(second, outputs));
  }
  return page;
}

async function shown(place: string): Promise<string> {
  const [file = '', region = ''] = place.split('#');
  const text = await readFile(new URL(file, ROOT), 'utf8');
  const language = file.endsWith('.ts') ? 'ts' : 'sh';
  return fenced(language, regionOf(text, region, place));
}

async function printed(file: string, outputs: Map<string, Promise<string>>): Promise<string> {
  if (!outputs.has(file)) outputs.set(file, outputOf(file));
  return fenced('text', await outputs.get(file)!);
}

/** What an example prints. */
export async function outputOf(file: string): Promise<string> {
  const cwd = fileURLToPath(ROOT);
  const [command, path] = file.endsWith('.ts')
    ? [process.execPath, `dist/${file.replace(/\.ts$/, '.js')}`]
    : ['bash', file];
  const { stdout } = await promisify(execFile)(command, [path], { cwd, timeout: 120_000 });
  return stdout.trimEnd();
}

/** The lines of a region, without what they are all indented by. */
function regionOf(text: string, region: string, place: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /#region (\S+)$/.exec(line)?.[1] === region);
  const end = lines.findIndex((line, at) => at > start && line.trimEnd().endsWith('#endregion'));
  if (start < 0 || end < 0) throw new Error(`Expected #region ${region} and its end for ${place}, got none`);
  const found = lines.slice(start + 1, end);
  const indent = Math.min(...found.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return found
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}

function fenced(language: string, content: string): string {
  return `\`\`\`${language}\n${content}\n\`\`\``;
}
