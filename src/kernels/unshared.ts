/**
 * The kernels for a memory that one thread has for itself. A browser may refuse shared memory to a page that is not isolated
 * from others; the same instructions run over the other kind, once the module asks for it.
 * @module
 */

/** Id of the section of imports. */
const IMPORTS = 2;
/** Kind of an import that is a memory. */
const MEMORY = 2;
/** The bit of a memory's limits that says that it is shared. */
const SHARED = 2;

/**
 * A copy of a module whose one import, a memory, is not shared.
 * @throws Error for a module whose imports are others
 */
export function withoutSharing(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(module);
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at]!;
    const size = readLength(bytes, at + 1);
    if (id === IMPORTS) {
      const limits = limitsOf(bytes, size.end);
      bytes[limits]! &= ~SHARED;
      return bytes;
    }
    at = size.end + size.value;
  }
  throw new Error('no imports');
}

/** Where the limits of the one import lie, which begins with the names of its module and of itself. */
function limitsOf(bytes: Uint8Array, at: number): number {
  let { value: count, end } = readLength(bytes, at);
  for (let name = 0; name < 2; name++) {
    const length = readLength(bytes, end);
    end = length.end + length.value;
  }
  if (count === 1 && bytes[end] === MEMORY) return end + 1;
  throw new Error('imports beyond one memory');
}

/** An unsigned number of the format LEB128, and where it ends. */
function readLength(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at };
  }
}
