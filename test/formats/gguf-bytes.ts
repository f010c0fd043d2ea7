/** GGUF files by hand: every field as its bytes, written down a second time on purpose. */
import { bytesOf, join2 } from './files.js';

/** A little-endian unsigned integer of 4 bytes. */
export function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

/** A little-endian unsigned integer of 8 bytes. */
export function u64(value: number | bigint): Uint8Array {
  const wide = BigInt(value);
  return join2(u32(Number(wide & 0xffffffffn)), u32(Number(wide >> 32n)));
}

/** A text, or bytes, with the length before it. */
export function text(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'utf8')) : value;
  return join2(u64(bytes.length), bytes);
}

/** A key, the number of a type, and the bytes of its value. */
export function pair(key: string, type: number, ...value: Uint8Array[]): Uint8Array {
  return join2(text(key), u32(type), ...value);
}

/** A tensor: dimensions in the order of the file, the fastest first. */
export function tensor(
  name: string,
  dimensions: readonly (number | bigint)[],
  type: number,
  offset: number | bigint,
): Uint8Array {
  return join2(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset));
}

/** What a file is made of; the counts are those of the lists unless they are given. */
export interface Parts {
  readonly version?: number;
  readonly pairs?: readonly Uint8Array[];
  readonly tensors?: readonly Uint8Array[];
  readonly tensorCount?: number | bigint;
  readonly pairCount?: number | bigint;
  readonly alignment?: number;
  readonly data?: Uint8Array;
}

/** A whole file; the data begins at the next multiple of the alignment. */
export function ggufFile(parts: Parts): Uint8Array {
  const { version = 3, pairs = [], tensors = [], alignment = 32, data = new Uint8Array() } = parts;
  const counts = join2(u64(parts.tensorCount ?? tensors.length), u64(parts.pairCount ?? pairs.length));
  const header = join2(bytesOf('GGUF'), u32(version), counts, ...pairs, ...tensors);
  const padding = new Uint8Array((alignment - (header.length % alignment)) % alignment);
  return join2(header, padding, data);
}
