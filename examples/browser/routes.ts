/**
 * What the page of this folder is made of, by the paths that it is served under.
 * @module
 */

/** The page, the built package, and activations of a model to begin with. */
export function pageRoutes(): Readonly<Record<string, URL>> {
  const at = (path: string) => new URL(`../../../${path}`, import.meta.url);
  return {
    '/': at('examples/browser/index.html'),
    '/page.css': at('examples/browser/page.css'),
    '/activations.safetensors': at('examples/activations.safetensors'),
    '/dist/src/': at('dist/src/'),
    '/dist/examples/browser/': at('dist/examples/browser/'),
  };
}
