/** The bundle for pages without a bundler: the library, and the worker of its lanes, each as one file. */
const bundle = (entry) => ({
  input: `dist/src/browser/${entry}.js`,
  platform: 'browser',
  output: { file: `dist/src/standalone/${entry}.js`, format: 'es', minify: true, codeSplitting: false },
});

export default [bundle('index'), bundle('lane')];
