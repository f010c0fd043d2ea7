/**
 * The weights of a model: one safetensors file, or several with an index, as Hugging Face lays them out.
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openSafetensors, type TensorFile } from '../formats/index.js';
import { describe, quote, reason, refuse } from '../formats/refusals.js';
import { isInputDtype, widened } from '../memory/index.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** The weights of a model; its files are open until it is disposed of. */
export class Checkpoint implements AsyncDisposable {
  readonly #folder: string;
  readonly #files: readonly TensorFile[];

  private constructor(folder: string, files: readonly TensorFile[]) {
    this.#folder = folder;
    this.#files = files;
  }

  /**
   * Opens the weights of a folder.
   * @throws ERR_QUANTLANE_FORMAT where there are none, or a file is not what it should be
   */
  static async open(folder: string): Promise<Checkpoint> {
    const isSingle = await stat(join(folder, SINGLE)).catch(() => undefined);
    const names = isSingle === undefined ? await shardsOf(join(folder, INDEX)) : [SINGLE];
    const files: TensorFile[] = [];
    try {
      for (const name of names) files.push(await openSafetensors(join(folder, name)));
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
    return new Checkpoint(folder, files);
  }

  /**
   * The values of a tensor as float32.
   * @throws ERR_QUANTLANE_FORMAT where no file has it, or with another shape or type than float32, float16 or bfloat16
   */
  async read(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const file = this.#files.find(({ tensors }) => tensors.some((entry) => entry.name === name));
    if (file === undefined) throw refuse(this.#folder, `Expected weights called ${quote(name)}, got none`);
    const entry = file.find(name);
    const { dtype } = entry;
    if (entry.shape.length !== shape.length || entry.shape.some((size, axis) => size !== shape[axis])) {
      const text = `Expected ${quote(name)} of shape [${shape.join(', ')}], got [${entry.shape.join(', ')}]`;
      throw refuse(file.path, text);
    }
    if (!isInputDtype(dtype)) throw refuse(file.path, `Expected ${quote(name)} of a float type, got ${dtype}`);
    const bytes = new Uint8Array(entry.byteLength);
    await file.read(entry, 0, bytes);
    return dtype === 'float32' ? new Float32Array(bytes.buffer) : widened(dtype, new Uint16Array(bytes.buffer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

/**
 * What a JSON file of a model's folder holds.
 * @throws ERR_QUANTLANE_FORMAT where it cannot be read or is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refuse(path, `Expected a file that can be read, got ${reason(cause)}`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse(path, 'Expected JSON, got other text', { cause });
  }
}

/** The files that an index names, each once. */
async function shardsOf(path: string): Promise<readonly string[]> {
  const map = ((await readJson(path)) as { readonly weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) {
    throw refuse(path, `Expected weight_map to be an object, got ${describe(map)}`);
  }
  const names = [...new Set(Object.values(map as Record<string, unknown>))];
  for (const name of names) {
    // A file of this folder, wherever the index comes from.
    if (typeof name !== 'string' || name === '' || basename(name) !== name) {
      throw refuse(path, `Expected weight_map to name files of the folder, got ${describe(name)}`);
    }
  }
  return names as readonly string[];
}
