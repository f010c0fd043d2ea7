/**
 * `npm start`: without arguments text of the bundled model, then what every preset makes of a model's activations; with
 * arguments only the latter, of the file and the presets that they name.
 * @module
 */
if (process.argv.length === 2) {
  await import('./generate/main.js');
  console.log();
}
await import('./activations.js');
