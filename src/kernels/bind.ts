/**
 * Instantiation of the kernels. A module is compiled once and instantiated by every lane over the same memory.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { fail } from '../errors.js';
import type { Kernel } from './kernel.js';

const MODULE = new URL('./kernels.wasm', import.meta.url);

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

/** @internal The module at `url`, not kept. */
export async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await readFile(url));
  } catch (cause) {
    const path = fileURLToPath(url);
    throw fail('ERR_QUANTLANE_KERNEL', `Expected a WebAssembly module at ${path}, got ${reason(cause)}`, { cause });
  }
}

/**
 * The SIMD kernels over `memory`, which must be shared.
 * @throws ERR_QUANTLANE_KERNEL where module and memory do not fit
 */
export function bindKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  let execute: unknown;
  try {
    execute = new WebAssembly.Instance(module, { env: { memory } }).exports['execute'];
  } catch (cause) {
    throw fail('ERR_QUANTLANE_KERNEL', `Expected kernels that fit the memory, got ${reason(cause)}`, { cause });
  }
  if (typeof execute !== 'function') {
    throw fail('ERR_QUANTLANE_KERNEL', `Expected a module that exports execute, got ${typeof execute}`);
  }
  return { name: 'simd', execute: execute as Kernel['execute'] };
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
