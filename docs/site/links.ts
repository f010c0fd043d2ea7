/**
 * Checks a built site as a reader without a network would meet it: every link leads to a file and an anchor that are
 * there, and nothing is loaded from elsewhere.
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

/** What was found. */
export interface LinkReport {
  /** A line for each wrong link: where it is, and what is wrong. */
  readonly faults: readonly string[];
  readonly pages: number;
  /** Links within the site. */
  readonly links: number;
}

/** A link or a resource of a page. */
interface Reference {
  readonly target: string;
  /** Loaded with the page, not followed from it. */
  readonly isLoaded: boolean;
}

/** A scheme, or the host of a network. */
const FOREIGN = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

const NAVIGATION = 'assets/navigation.js';

/** The wrong links of all pages below a folder; there must be one page at least. */
export async function faultsOf(folder: string): Promise<LinkReport> {
  const files = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/')).sort();
  const texts = new Map<string, string>();
  for (const name of files.filter((name) => /\.(?:html|css)$/.test(name)))
    texts.set(name, await readFile(join(folder, name), 'utf8'));
  const pages = [...texts.keys()].filter((name) => name.endsWith('.html'));
  if (pages.length === 0) throw new Error(`Expected pages in ${folder}, got none`);
  const anchors = new Map(pages.map((name) => [name, anchorsOf(texts.get(name)!)]));
  const faults: string[] = [];
  let links = 0;
  const check = (from: string, { target, isLoaded }: Reference): void => {
    if (FOREIGN.test(target)) {
      if (isLoaded && !target.startsWith('data:')) faults.push(`${from}: loads ${target}`);
      return;
    }
    links++;
    const { pathname, hash } = new URL(target, `http://site/${from}`);
    const name = decodeURIComponent(pathname.slice(1)) || 'index.html';
    if (!existsSync(join(folder, name)) || !statSync(join(folder, name)).isFile()) {
      faults.push(`${from}: ${target} is not there`);
    } else if (hash !== '' && anchors.get(name)?.has(decodeURIComponent(hash.slice(1))) === false) {
      faults.push(`${from}: ${target} has no such anchor`);
    }
  };
  for (const [name, text] of texts) for (const found of referencesOf(name, text)) check(name, found);
  const navigation = await navigationOf(folder, files);
  if (navigation?.length === 0) faults.push(`${NAVIGATION}: has no entries`);
  for (const target of navigation ?? []) check('index.html', { target, isLoaded: false });
  return { faults, pages: pages.length, links };
}

/** Where a page can be jumped to. */
function anchorsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => plain(id!)));
}

function referencesOf(name: string, text: string): Reference[] {
  if (name.endsWith('.css')) {
    const loaded = [...text.matchAll(/url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)/g)];
    return loaded.map(([, url, sheet]) => ({ target: (url ?? sheet)!, isLoaded: true }));
  }
  const found: Reference[] = [];
  for (const [, tag, attributes] of text.matchAll(/<([a-z][\w-]*)((?:\s+[^\s=>]+(?:="[^"]*")?)*)\s*\/?>/gi)) {
    for (const [, attribute, value] of attributes!.matchAll(/\s(href|src|srcset|poster|data)="([^"]*)"/g)) {
      // An image of SVG uses a part of itself.
      found.push({ target: plain(value!), isLoaded: attribute !== 'href' || !/^(?:a|area|use)$/i.test(tag!) });
    }
  }
  return found;
}

/** The links that the script of the navigation adds to every page; undefined where there is no such script. */
async function navigationOf(folder: string, files: readonly string[]): Promise<string[] | undefined> {
  if (!files.includes(NAVIGATION)) return undefined;
  const script = await readFile(join(folder, NAVIGATION), 'utf8');
  const data = /"([A-Za-z0-9+/=]+)"/.exec(script)?.[1] ?? '';
  const entries = JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString()) as readonly Entry[];
  const paths = (list: readonly Entry[]): string[] =>
    list.flatMap(({ path, children = [] }) => [...(path === undefined ? [] : [path]), ...paths(children)]);
  return paths(entries);
}

/** An entry of typedoc's navigation. */
interface Entry {
  readonly path?: string;
  readonly children?: readonly Entry[];
}

/** An attribute's text without entities. */
function plain(text: string): string {
  const signs: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => signs[name]!);
}
