/**
 * The records of a zip archive: their signatures and flags, and the ones that are written.
 * @module
 */

import { ByteWriter } from './byte-writer.js';

/** The first four bytes of each record. */
export const SIGNATURES = Object.freeze({
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
});

/** Bits of the flags of a member. */
export const FLAGS = Object.freeze({
  /** Any kind of encryption: of the data, strong, or of the directory. */
  encrypted: (1 << 0) | (1 << 6) | (1 << 13),
  /** The local header may have zeros for the sizes and the CRC-32. */
  sizesAfterData: 1 << 3,
  /** The name is UTF-8. */
  utf8: 1 << 11,
});

/** Values that stand for "see the zip64 record". */
export const ZIP64_MARKS = Object.freeze({ u16: 0xffff, u32: 0xffffffff });

/** The extra field with sizes of 64 bits. */
export const ZIP64_EXTRA = 0x0001;

/** The extra field that only fills up, so that data is aligned; zipalign writes the same. */
const ALIGNMENT_EXTRA = 0xd935;

/** Bytes of the records at the end of an archive. */
export const END_BYTES = 22;
export const END64_BYTES = 56;
export const LOCATOR64_BYTES = 20;

/** Versions of the format that a reader must know: directories, and zip64. */
const VERSION = 20;
const VERSION_ZIP64 = 45;

/** Names and permissions are those of Unix: a plain file that its owner may change and all may read. */
const MADE_ON_UNIX = 3 << 8;
const PERMISSIONS = 0o100644 * 2 ** 16;

/** The first day that a zip archive can name, 1 January 1980, so that equal tensors give equal files. */
const DATE = (1 << 5) | 1;

/** A member that is stored as it is. */
export interface StoredMember {
  readonly name: string;
  /** CRC-32 of its bytes. */
  readonly crc: number;
  readonly bytes: number;
  /** Where its local header begins. */
  readonly headerOffset: number;
}

/**
 * What stands before the data of a member.
 * @param alignment - the data begins at a multiple of this
 */
export function localHeader({ name, crc, bytes, headerOffset }: StoredMember, alignment: number): Uint8Array {
  const isLarge = bytes >= ZIP64_MARKS.u32;
  const size = isLarge ? ZIP64_MARKS.u32 : bytes;
  const rawName = Buffer.from(name, 'utf8');
  const extra = new ByteWriter();
  if (isLarge) extra.u16(ZIP64_EXTRA, 16).u64(bytes, bytes);
  const used = headerOffset + 30 + rawName.length + extra.length + 6;
  const padding = (alignment - (used % alignment)) % alignment;
  extra.u16(ALIGNMENT_EXTRA, 2 + padding, alignment).bytes(new Uint8Array(padding));
  return new ByteWriter()
    .u32(SIGNATURES.local)
    .u16(isLarge ? VERSION_ZIP64 : VERSION, flagsOf(rawName, name), 0, 0, DATE)
    .u32(crc, size, size)
    .u16(rawName.length, extra.length)
    .bytes(rawName)
    .bytes(extra.finish())
    .finish();
}

/**
 * The directory of an archive and the records that end it.
 * @param members - in the order of the directory; may be empty
 * @param offset - where the directory begins
 */
export function zipDirectory(members: readonly StoredMember[], offset: number): Uint8Array {
  const writer = new ByteWriter();
  for (const member of members) appendCentral(writer, member);
  const bytes = writer.length;
  const count = members.length;
  if (count >= ZIP64_MARKS.u16 || bytes >= ZIP64_MARKS.u32 || offset >= ZIP64_MARKS.u32) {
    writer
      .u32(SIGNATURES.end64)
      .u64(END64_BYTES - 12)
      .u16(MADE_ON_UNIX | VERSION_ZIP64, VERSION_ZIP64)
      .u32(0, 0)
      .u64(count, count, bytes, offset)
      .u32(SIGNATURES.locator64, 0)
      .u64(offset + bytes)
      .u32(1);
  }
  const shortCount = Math.min(count, ZIP64_MARKS.u16);
  return writer
    .u32(SIGNATURES.end)
    .u16(0, 0, shortCount, shortCount)
    .u32(Math.min(bytes, ZIP64_MARKS.u32), Math.min(offset, ZIP64_MARKS.u32))
    .u16(0)
    .finish();
}

/** Appends the central header of a member. */
function appendCentral(writer: ByteWriter, { name, crc, bytes, headerOffset }: StoredMember): void {
  const rawName = Buffer.from(name, 'utf8');
  const long: number[] = [];
  if (bytes >= ZIP64_MARKS.u32) long.push(bytes, bytes);
  if (headerOffset >= ZIP64_MARKS.u32) long.push(headerOffset);
  const version = long.length > 0 ? VERSION_ZIP64 : VERSION;
  const size = Math.min(bytes, ZIP64_MARKS.u32);
  writer
    .u32(SIGNATURES.central)
    .u16(MADE_ON_UNIX | version, version, flagsOf(rawName, name), 0, 0, DATE)
    .u32(crc, size, size)
    .u16(rawName.length, long.length > 0 ? 4 + 8 * long.length : 0, 0, 0, 0)
    .u32(PERMISSIONS, Math.min(headerOffset, ZIP64_MARKS.u32))
    .bytes(rawName);
  if (long.length > 0) writer.u16(ZIP64_EXTRA, 8 * long.length).u64(...long);
}

/** The flags of a member: whether its name is more than ASCII. */
function flagsOf(rawName: Uint8Array, name: string): number {
  return rawName.length === name.length ? 0 : FLAGS.utf8;
}
