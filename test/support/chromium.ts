/** A real Chromium for tests, where one is installed. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Path of Chromium: `QUANTLANE_CHROMIUM`, or where Debian has it; undefined where there is none. */
export function chromiumPath(): string | undefined {
  return [process.env['QUANTLANE_CHROMIUM'], '/usr/bin/chromium'].find(
    (path) => path !== undefined && existsSync(path),
  );
}

/** Starts it without a window. Root, as in containers, has no sandbox. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath()!, args: ['--no-sandbox'] });
}
