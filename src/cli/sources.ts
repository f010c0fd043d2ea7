/**
 * The files that a command reads, of which one may be standard input.
 * @module
 */
import { openTensors, type Spooled, spool, type TensorFile } from '../formats/index.js';
import type { Context } from './context.js';
import { located, quoted, usage } from './failure.js';

/** A file, and what messages call it. */
export interface Source {
  readonly label: string;
  readonly file: TensorFile;
}

/** Open files; they are closed, and what was spooled is deleted, when the scope is left. */
export class Sources implements AsyncDisposable {
  readonly all: Source[] = [];
  readonly #spooled: Spooled[] = [];

  /**
   * Opens files in order; `-` is standard input.
   * @throws UsageError for `-` twice; ERR_QUANTLANE_FORMAT; what is open already is closed then
   */
  static async open(paths: readonly string[], context: Context): Promise<Sources> {
    if (paths.filter((path) => path === '-').length > 1) throw usage("Expected '-' once, got it twice");
    const sources = new Sources();
    try {
      for (const path of paths) {
        if (path === '-') await sources.#openInput(context);
        else sources.all.push({ label: path, file: await openTensors(path) });
      }
    } catch (error) {
      await sources[Symbol.asyncDispose]();
      throw error;
    }
    return sources;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { file } of this.all) await file.close();
    for (const spooled of this.#spooled) await spooled.remove();
  }

  async #openInput({ input, signal }: Context): Promise<void> {
    const spooled = await spool(input).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    this.#spooled.push(spooled);
    const file = await openTensors(spooled.path).catch((error: unknown) => {
      if (error instanceof Error) error.message = error.message.replaceAll(spooled.path, 'stdin');
      throw located(error, 'stdin');
    });
    this.all.push({ label: 'stdin', file });
  }
}

/** A tensor of a file, for messages. */
export function placeOf(label: string, name: string): string {
  return `${label}: tensor ${quoted(name)}`;
}
