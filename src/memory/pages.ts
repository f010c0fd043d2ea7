/**
 * The one piece of memory that an arena is made of.
 * @module
 */
import { fail } from '../errors.js';
import { formatSize } from './size.js';

/** Bytes of a page of WebAssembly. */
const PAGE = 2 ** 16;

/** The memory stays below this: kernels take addresses as signed 32-bit words. */
const MAX_MEMORY = 2 ** 31;

/**
 * A memory of so many bytes, rounded up to whole pages; shared between threads, unless the host cannot.
 * @throws `ERR_QUANTLANE_ARGUMENT` when that is 2 GiB or more, or the host has no room for it.
 */
export function allocateMemory(bytes: number, isShared: boolean): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  if (pages * PAGE >= MAX_MEMORY) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a memory below 2 GiB in all, got ${formatSize(pages * PAGE)}`);
  }
  try {
    return new WebAssembly.Memory({ shared: isShared, initial: pages, maximum: pages });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const text = `Expected a host with room for an arena of ${formatSize(pages * PAGE)}, got '${cause.message}'`;
    throw fail('ERR_QUANTLANE_ARGUMENT', text, { details: { bytes: pages * PAGE }, cause });
  }
}
