/** The bundle for pages without a bundler: the library, and the worker of its lanes, each as one file. */
import { readFileSync } from 'node:fs';

const { version, dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const notice = (names) =>
  `/*! quantlane ${version}, with ${names.map((name) => `${name} ${dependencies[name]}`).join(' and ')}; all Apache-2.0 */`;

const bundle = (entry, packages) => ({
  input: `dist/src/browser/${entry}.js`,
  platform: 'browser',
  output: {
    file: `dist/src/standalone/${entry}.js`,
    format: 'es',
    minify: true,
    codeSplitting: false,
    banner: notice(packages),
  },
});

export default [bundle('index', ['comlink', 'rxjs']), bundle('lane', ['comlink'])];
