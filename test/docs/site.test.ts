/** The site: its pages are all there, its links lead somewhere, and nothing of it comes from a network. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSite } from '../../dist/docs/site/build.js';
import { faultsOf } from '../../dist/docs/site/links.js';
import { addressOf, GROUPS, modules } from '../../dist/docs/site/pages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'quantlane-site-'));
const pages = GROUPS.flatMap(({ pages }) => pages);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the built site', () => {
  const out = join(work, 'site');
  const text = (name: string): string => readFileSync(join(out, name), 'utf8');

  beforeAll(() => buildSite(out), 240_000);

  it('has no link that leads nowhere, and loads nothing from elsewhere', async () => {
    const report = await faultsOf(out);
    expect(report.faults).toEqual([]);
    expect(report.pages).toBeGreaterThan(150);
    expect(report.links).toBeGreaterThan(5000);
  });

  it('has a page for each document, and one for each module that a program imports', () => {
    for (const page of pages) expect(text(`${addressOf(page)}.html`)).toContain('<h1');
    for (const name of modules().values())
      expect(text(`api/modules/${name.replaceAll('/', '_')}.html`)).toContain(`Module ${name}`);
  });

  it('leads from its front page to the quick start, the guides and the reference', () => {
    const front = text('index.html');
    expect(front).toContain('createRuntime');
    for (const page of ['documentation.html', 'presets.html', 'server.html']) expect(front).toContain(`href="${page}`);
    const list = text('documentation.html');
    const listed = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md').map(addressOf);
    expect(listed.filter((page) => !list.includes(`href="${page}.html"`))).toEqual([]);
  });
});

describe('pages and modules', () => {
  it('are every Markdown file of docs/', () => {
    const files = readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name}`);
    const markdown = files.filter((name) => name.endsWith('.md')).sort();
    expect(pages.filter((page) => page.startsWith('docs/')).sort()).toEqual(markdown);
  });

  it('are every entry of the package', () => {
    const { entryPoints } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8')) as { entryPoints: string[] };
    expect([...modules().keys()].sort()).toEqual(entryPoints.sort());
  });
});

describe('the check of links', () => {
  let count = 0;

  /** The faults of a site of these files. */
  async function faults(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const folder = join(work, `fixture-${count++}`);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return (await faultsOf(folder)).faults;
  }

  it('takes what is there', async () => {
    const a =
      '<a href="b/c.html#there">x</a><a href="https://example.org/">y</a><img src="data:image/png;base64,AA==">';
    expect(await faults({ 'a.html': a, 'b/c.html': '<h2 id="there"></h2><a href="../a.html">a</a>' })).toEqual([]);
  });

  it('finds files and anchors that are not there', async () => {
    const a = '<a href="gone.html">x</a><a class="y" href="#gone">y</a><a href="b.html#a&amp;b">z</a>';
    const found = await faults({ 'a.html': a, 'b.html': '<p id="a"></p>' });
    expect(found).toEqual([
      'a.html: gone.html is not there',
      'a.html: #gone has no such anchor',
      'a.html: b.html#a&b has no such anchor',
    ]);
  });

  it('finds what is loaded from elsewhere', async () => {
    const a = '<script async src="//cdn.example/x.js"></script><link rel="stylesheet" href="style.css"/>';
    const found = await faults({
      'a.html': `${a}<img src="http://example.org/x.png">`,
      'style.css': '@import "https://fonts.example/a"; p { background: url(https://example.org/y.png) }',
    });
    expect(found).toEqual([
      'a.html: loads //cdn.example/x.js',
      'a.html: loads http://example.org/x.png',
      'style.css: loads https://fonts.example/a',
      'style.css: loads https://example.org/y.png',
    ]);
  });

  it('finds wrong entries of the navigation, and one without entries', async () => {
    const script = (entries: unknown): string =>
      `window.navigationData = "${deflateSync(JSON.stringify(entries)).toString('base64')}"`;
    const entries = [{ text: 'x', children: [{ text: 'y', path: 'gone.html' }] }];
    const site = (data: unknown) => faults({ 'index.html': '<p></p>', 'assets/navigation.js': script(data) });
    expect(await site(entries)).toEqual(['index.html: gone.html is not there']);
    expect(await site([])).toEqual(['assets/navigation.js: has no entries']);
  });

  it('refuses a folder without pages', async () => {
    await expect(faultsOf(fileURLToPath(new URL('.', import.meta.url)))).rejects.toThrow('Expected pages');
  });
});
