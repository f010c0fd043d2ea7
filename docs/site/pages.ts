/**
 * The pages of the site in their order, and the names of the modules.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';

/** The folder of the project, as seen from `dist/docs/site`. */
export const ROOT = new URL('../../../', import.meta.url);

/** Pages that stand together. */
export interface PageGroup {
  readonly title: string;
  /** Markdown files from the root of the project, in the order in which they are listed. */
  readonly pages: readonly string[];
}

/** Every page but the README, which is the front page. A new page needs a line here; a test tells where it is missing. */
export const GROUPS: readonly PageGroup[] = [
  {
    title: 'Guides',
    pages: [
      'docs/README.md',
      'docs/guides/embeddings.md',
      'docs/guides/onnxruntime.md',
      'docs/guides/kvcache.md',
      'docs/guides/calibration.md',
      'docs/guides/operations.md',
      'docs/guides/hosts.md',
    ],
  },
  {
    title: 'Reference',
    pages: [
      'docs/presets.md',
      'docs/quantization.md',
      'docs/quality.md',
      'docs/linear.md',
      'docs/kvcache.md',
      'docs/generation.md',
      'docs/onnxruntime.md',
      'docs/browser.md',
      'docs/scheduling.md',
      'docs/performance.md',
    ],
  },
  {
    title: 'Operations',
    pages: [
      'docs/server.md',
      'docs/cluster.md',
      'docs/dashboard.md',
      'docs/observability.md',
      'docs/reliability.md',
      'deploy/kubernetes/README.md',
    ],
  },
  { title: 'Project', pages: ['examples/README.md', 'examples/model/README.md', 'CHANGELOG.md'] },
];

/** Text of a file of the project. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** Whether there is such a file. */
export function isFile(path: string): boolean {
  return existsSync(new URL(path, ROOT));
}

/** The first heading of a page. */
export function titleOf(path: string): string {
  const title = /^# (.+)$/m.exec(textOf(path))?.[1];
  if (title === undefined) throw new Error(`Expected a heading in ${path}, got none`);
  return title.replaceAll('`', '');
}

/** Where a page lies in the site, without its ending: `docs/guides/x.md` is `guides/x`. */
export function addressOf(path: string): string {
  return path
    .replace(/\.md$/, '')
    .replace(/^docs\//, '')
    .replace(/(?:^|\/)README$/, (found) => (found.startsWith('/') ? '' : 'documentation'))
    .toLowerCase();
}

/** What a program imports, by the source of each entry: `src/linear/index.ts` is `quantlane/linear`. */
export function modules(): Map<string, string> {
  const { name, exports } = JSON.parse(textOf('package.json')) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  const found = new Map<string, string>();
  for (const [path, { types }] of Object.entries(exports)) {
    const source = /^\.\/dist\/(.*)\.d\.ts$/.exec(types ?? '')?.[1];
    // Two ways to the same module are told by the first.
    if (source !== undefined && !found.has(`${source}.ts`)) found.set(`${source}.ts`, name + path.slice(1));
  }
  return found;
}
