/**
 * The files of the page: its own, which lie beside this module, and the plots of uPlot from its package.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly file: URL;
}

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const JS = 'text/javascript; charset=utf-8';

const own = (name: string): URL => new URL(`./page/${name}`, import.meta.url);

/** Modules of the page that it loads by itself; the browser asks for them by their names. */
const MODULES = [
  'channels',
  'connection',
  'detail',
  'dom',
  'empty',
  'figure',
  'format',
  'histogram',
  'main',
  'overview',
  'states',
  'streams',
  'theme',
  'time-chart',
  'token',
];

const uplot = (name: string): URL => {
  const require = createRequire(import.meta.url);
  return pathToFileURL(require.resolve(`uplot/dist/${name}`));
};

/** The page. */
export const PAGE: Asset = { type: HTML, file: own('index.html') };

/** Files of the page by the name that the page knows them by. */
export function assets(): ReadonlyMap<string, Asset> {
  return new Map([
    ['style.css', { type: CSS, file: own('style.css') }],
    ...MODULES.map((name) => [`${name}.js`, { type: JS, file: own(`${name}.js`) }] as const),
    ['icon.svg', { type: 'image/svg+xml', file: own('icon.svg') }],
    ['uplot.css', { type: CSS, file: uplot('uPlot.min.css') }],
    // In place of the module that stands for it here, whose import a browser could not follow.
    ['uplot.js', { type: JS, file: uplot('uPlot.esm.js') }],
  ]);
}

const texts = new Map<string, Promise<Buffer>>();

/** The bytes of a file, read once. */
export function bytesOf({ file }: Asset): Promise<Buffer> {
  const known = texts.get(file.href) ?? readFile(file);
  texts.set(file.href, known);
  return known;
}
