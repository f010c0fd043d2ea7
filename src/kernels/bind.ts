/**
 * Instantiation of the kernels. A module is compiled once and instantiated by every lane over the same memory.
 * @module
 */
import { fail } from '../errors.js';
import { readBytes } from '../host.js';
import { Op, RowForm } from '../scheme/codes.js';
import { Word } from '../scheme/descriptor.js';
import type { Kernel } from './kernel.js';
import { withoutSharing } from './unshared.js';

/** From a neighbour of this folder, such as that of the browser's bundle, it is the same path. */
const MODULE = new URL('../kernels/kernels.wasm', import.meta.url);

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The module, compiled at the first call; a failure is not kept, so that a later call tries again.
 * @throws ERR_QUANTLANE_KERNEL where the module is missing or the engine refuses it
 */
export function compileKernels(): Promise<WebAssembly.Module> {
  compiled ??= compile(MODULE).catch((error) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

/**
 * The module for a memory that is not shared, compiled anew.
 * @throws as `compileKernels`
 */
export function compileUnshared(): Promise<WebAssembly.Module> {
  return compile(MODULE, withoutSharing);
}

/** @internal The module at `url`, changed by `change`; not kept. */
export async function compile(
  url: URL,
  change = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => bytes,
): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(change(await readBytes(url)));
  } catch (cause) {
    throw fail('ERR_QUANTLANE_KERNEL', `Expected a WebAssembly module at ${url.href}, got ${reason(cause)}`, { cause });
  }
}

/**
 * The SIMD kernels over `memory`, shared as the module was compiled for. Products of rows that were laid out for relaxed instructions are
 * left to the module that has them.
 * @throws ERR_QUANTLANE_KERNEL where a module and the memory do not fit
 */
export function bindKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  relaxed: WebAssembly.Module | null = null,
): Kernel {
  const execute = bind(module, memory);
  if (relaxed === null) return { name: 'simd', execute };
  const multiply = bind(relaxed, memory);
  const words = new Int32Array(memory.buffer);
  return {
    name: 'simd',
    execute: (descriptor) => {
      const at = descriptor >> 2;
      const isRelaxed = words[at + Word.Op] === Op.LinearProduct && words[at + Word.RowForm] !== RowForm.Wide;
      if (isRelaxed) multiply(descriptor);
      else execute(descriptor);
    },
  };
}

/** What a module exports as `execute`. */
function bind(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel['execute'] {
  let execute: unknown;
  try {
    execute = new WebAssembly.Instance(module, { env: { memory } }).exports['execute'];
  } catch (cause) {
    throw fail('ERR_QUANTLANE_KERNEL', `Expected kernels that fit the memory, got ${reason(cause)}`, { cause });
  }
  if (typeof execute === 'function') return execute as Kernel['execute'];
  throw fail('ERR_QUANTLANE_KERNEL', `Expected a module that exports execute, got ${typeof execute}`);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
