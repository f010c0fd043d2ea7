/**
 * Set-up before `npm start`, `npm test` and `npm run bench`: installs what the lock file names when it is missing and
 * builds when a source is newer than the last build. Uses nothing but Node itself.
 */
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const installedLock = join(root, 'node_modules/.quantlane-lock');
const buildStamp = join(root, 'dist/.stamp');

/** Runs a command; where it fails it has said why, so nothing but its name is added. */
function run(command) {
  try {
    execSync(command, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    console.error(`Set-up failed: ${command}`);
    process.exit(error.status || 1);
  }
}

/** Time of the newest file or folder at `path`; a folder's own time tells of removed files. */
function newest(path) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
if (!existsSync(installedLock) || readFileSync(installedLock, 'utf8') !== lock) {
  // No install scripts: none is needed, and one of a development dependency fetches files of hundreds of megabytes.
  run('npm ci --ignore-scripts --no-audit --no-fund --loglevel=error');
  writeFileSync(installedLock, lock);
}

const inputs = [
  'src',
  'workers',
  'bench',
  'examples',
  'docs/generate',
  'docs/site',
  'package.json',
  'tsconfig.json',
  'rolldown.config.js',
];
const built = statSync(buildStamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (built < Math.max(...inputs.map((path) => newest(join(root, path))))) {
  const began = Date.now() / 1000;
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run('npm run --silent build');
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(buildStamp, '');
  // The time at which the build began, so that what was edited meanwhile is built the next time.
  utimesSync(buildStamp, began, began);
}
