/**
 * The site: README and pages as Markdown, and the reference of everything that the package exports, by typedoc.
 * @module
 */
import { fileURLToPath } from 'node:url';
import {
  Application,
  Converter,
  type DocumentReflection,
  KindRouter,
  type ProjectReflection,
  type Reflection,
  TSConfigReader,
  TypeDocReader,
} from 'typedoc';
import { addressOf, GROUPS, modules, ROOT, titleOf } from './pages.js';

const path = (name: string): string => fileURLToPath(new URL(name, ROOT));

/** Pages where they lie in the sources, modules by what a program imports. */
class SiteRouter extends KindRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    return reflection.isDocument() ? addressOf(sourceOf(reflection)) : `api/${super.getIdealBaseName(reflection)}`;
  }
}

/**
 * Builds the site.
 * @param out the folder, which is emptied before
 * @throws Error where typedoc has anything to say; it has printed it
 */
export async function buildSite(out: string): Promise<void> {
  const app = await Application.bootstrap(
    {
      options: path('typedoc.json'),
      out,
      name: 'quantlane',
      readme: path('README.md'),
      projectDocuments: GROUPS.flatMap(({ pages }) => pages.map(path)),
      router: 'site',
      customCss: path('docs/site/style.css'),
      favicon: path('docs/site/favicon.svg'),
      hideGenerator: true,
      headings: { readme: false, document: false },
      includeHierarchySummary: false,
      githubPages: false,
      searchInDocuments: true,
      sortEntryPoints: false,
      navigation: { includeGroups: true, compactFolders: false },
      groupOrder: [...GROUPS.map(({ title }) => title).slice(0, -1), 'Modules', 'Project', '*'],
      highlightLanguages: [
        'bash',
        'dockerfile',
        'fish',
        'html',
        'ini',
        'javascript',
        'json',
        'text',
        'typescript',
        'yaml',
      ],
    },
    [new TypeDocReader(), new TSConfigReader()],
  );
  app.renderer.defineRouter('site', SiteRouter);
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => place(page as DocumentReflection));
  const project = await app.convert();
  if (project === undefined) throw new Error('Expected sources that typedoc takes');
  app.validate(project);
  nameModules(project);
  await app.generateDocs(project, out);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('Expected no warnings of typedoc, got some');
}

/** Gives a page its title and group. */
function place(page: DocumentReflection): void {
  const source = sourceOf(page);
  page.name = titleOf(source);
  page.frontmatter['group'] = GROUPS.find(({ pages }) => pages.includes(source))!.title;
}

/** The Markdown file of a page, from the root of the project. */
function sourceOf(page: Reflection): string {
  const file = page.project.files.getReflectionPath(page) ?? '';
  return file.slice(fileURLToPath(ROOT).length);
}

/** Names modules as programs import them, once typedoc has checked them under the names of its own. */
function nameModules(project: ProjectReflection): void {
  const names = modules();
  for (const module of project.children ?? []) {
    const file = project.files.getReflectionPath(module) ?? '';
    module.name = names.get(file.slice(fileURLToPath(ROOT).length)) ?? module.name;
  }
}
