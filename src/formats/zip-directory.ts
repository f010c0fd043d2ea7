/**
 * Reading the directory of a zip archive: where each member lies, checked against what stands before the member.
 *
 * ```text
 * each member: local header, data | directory: a central header for each member
 * | zip64 end record and its locator, if needed | end record
 * ```
 * @module
 */

import type { FileHandle } from 'node:fs/promises';
import { readFully } from './disk.js';
import { quote, refuse, truncated } from './refusals.js';
import { END_BYTES, END64_BYTES, FLAGS, LOCATOR64_BYTES, SIGNATURES, ZIP64_EXTRA, ZIP64_MARKS } from './zip-records.js';

/** How the bytes of a member are packed. */
export type ZipMethod = 'stored' | 'deflated';

/** One member of an archive. */
export interface ZipMember {
  readonly name: string;
  readonly method: ZipMethod;
  /** CRC-32 of the member's bytes, unpacked. */
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packedBytes: number;
  /** Bytes of the member, unpacked. */
  readonly bytes: number;
  /** First packed byte, counted from the beginning of the archive. */
  readonly offset: number;
}

/** A central header: a member that was not looked up yet. */
interface CentralHeader extends Omit<ZipMember, 'offset'> {
  readonly flags: number;
  readonly rawName: Buffer;
  readonly headerOffset: number;
}

/** Where the directory lies. */
interface Extent {
  readonly count: number;
  readonly offset: number;
  readonly bytes: number;
}

/** The most bytes of a directory, and the most members. */
const MAX_DIRECTORY = 2 ** 26;
const MAX_MEMBERS = 2 ** 17;

/** Bytes of a header without its name and extra fields. */
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

/** Flags that both headers of a member must have alike. */
const COMPARED = FLAGS.encrypted | FLAGS.sizesAfterData | FLAGS.utf8;

/** Deflate makes at most so many bytes of one. */
const MAX_RATIO = 1032;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads and checks the directory and the local headers.
 * @param size - bytes of the archive
 * @returns the members in the order of their bytes; none for an empty archive
 * @throws `ERR_QUANTLANE_FORMAT` for anything but one plain archive: comments, several disks, encryption, methods
 *   other than stored and deflated, members that overlap or that two readers would see differently.
 */
export async function readZipDirectory(handle: FileHandle, path: string, size: number): Promise<ZipMember[]> {
  const extent = await findDirectory(handle, path, size);
  const directory = await readAt(handle, path, extent.offset, extent.bytes);
  const headers: CentralHeader[] = [];
  let at = 0;
  while (headers.length < extent.count) {
    const { header, end } = parseCentral(directory, at, path);
    headers.push(header);
    at = end;
  }
  if (at !== directory.length) {
    throw refuse(path, `Expected a directory of ${directory.length} bytes, got ${at} in ${extent.count} members`);
  }
  headers.sort((a, b) => a.headerOffset - b.headerOffset);
  const members: ZipMember[] = [];
  let cursor = 0;
  for (const header of headers) {
    const member = await lookUp(handle, path, header, cursor, extent.offset);
    cursor = member.offset + member.packedBytes;
    members.push(member);
  }
  return members;
}

/** Finds the directory through the last bytes of the file. */
async function findDirectory(handle: FileHandle, path: string, size: number): Promise<Extent> {
  if (size < END_BYTES) throw truncated(path, END_BYTES, size);
  const end = await readAt(handle, path, size - END_BYTES, END_BYTES);
  if (end.readUInt32LE(0) !== SIGNATURES.end || end.readUInt16LE(20) !== 0) {
    throw refuse(
      path,
      `Expected the end record of a zip archive in the last ${END_BYTES} bytes, got other bytes: the file is truncated or has a comment`,
    );
  }
  checkDisks(path, end.readUInt16LE(4), end.readUInt16LE(6));
  const short = [end.readUInt16LE(8), end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  const marks = [ZIP64_MARKS.u16, ZIP64_MARKS.u16, ZIP64_MARKS.u32, ZIP64_MARKS.u32];
  let long = short;
  let directoryEnd = size - END_BYTES;
  if (short.some((value, index) => value === marks[index])) {
    directoryEnd -= LOCATOR64_BYTES + END64_BYTES;
    long = await readEnd64(handle, path, directoryEnd);
    if (!short.every((value, index) => value === marks[index] || value === long[index])) {
      throw refuse(path, 'Expected both end records to say the same, got others');
    }
  }
  const [here, count, bytes, offset] = long;
  if (here !== count) throw refuse(path, `Expected all ${count} members on one disk, got ${here}`);
  if (count > MAX_MEMBERS || bytes > MAX_DIRECTORY) {
    throw refuse(
      path,
      `Expected a directory of at most ${MAX_MEMBERS} members and ${MAX_DIRECTORY} bytes, got ${count} and ${bytes}`,
    );
  }
  if (offset + bytes !== directoryEnd) {
    throw refuse(path, `Expected a directory that ends at byte ${directoryEnd}, got ${offset + bytes}`);
  }
  return { count, offset, bytes };
}

/** The four numbers of the zip64 end record: members here, members, bytes and offset of the directory. */
async function readEnd64(handle: FileHandle, path: string, at: number): Promise<number[]> {
  if (at < 0) throw truncated(path, END64_BYTES + LOCATOR64_BYTES + END_BYTES, at + END64_BYTES + LOCATOR64_BYTES);
  const record = await readAt(handle, path, at, END64_BYTES + LOCATOR64_BYTES);
  const locator = record.subarray(END64_BYTES);
  if (
    record.readUInt32LE(0) !== SIGNATURES.end64 ||
    safe(record, 4, path) !== END64_BYTES - 12 ||
    locator.readUInt32LE(0) !== SIGNATURES.locator64 ||
    safe(locator, 8, path) !== at
  ) {
    throw refuse(path, `Expected the zip64 end record at byte ${at} and its locator after it, got other bytes`);
  }
  checkDisks(path, record.readUInt32LE(16), record.readUInt32LE(20), locator.readUInt32LE(4));
  return [24, 32, 40, 48].map((field) => safe(record, field, path));
}

/** One central header, and where the next begins. */
function parseCentral(directory: Buffer, at: number, path: string): { header: CentralHeader; end: number } {
  if (at + CENTRAL_BYTES > directory.length || directory.readUInt32LE(at) !== SIGNATURES.central) {
    throw refuse(path, `Expected a central header at byte ${at} of the directory, got other bytes`);
  }
  const view = directory.subarray(at);
  const nameEnd = CENTRAL_BYTES + view.readUInt16LE(28);
  const extraEnd = nameEnd + view.readUInt16LE(30);
  const end = extraEnd + view.readUInt16LE(32);
  if (end > view.length) throw refuse(path, `Expected a central header of ${end} bytes, got ${view.length}`);
  const flags = view.readUInt16LE(8);
  const rawName = view.subarray(CENTRAL_BYTES, nameEnd);
  const name = decodeName(rawName, flags, path);
  const who = whoOf(path, name);
  const [bytes, packedBytes, headerOffset, disk] = widen(
    [view.readUInt32LE(24), view.readUInt32LE(20), view.readUInt32LE(42), view.readUInt16LE(34)],
    view.subarray(nameEnd, extraEnd),
    who,
  );
  checkDisks(who, disk);
  const method = methodOf(view.readUInt16LE(10), flags, who);
  checkSizes(method, bytes, packedBytes, who);
  const header = { name, rawName, method, flags, crc: view.readUInt32LE(16), packedBytes, bytes, headerOffset };
  return { header, end: at + end };
}

/**
 * Finds the data of a member, and checks that its local header says what the directory says.
 * @param begin - end of the member before
 * @param limit - where the directory begins
 */
async function lookUp(
  handle: FileHandle,
  path: string,
  { rawName, headerOffset, flags, ...member }: CentralHeader,
  begin: number,
  limit: number,
): Promise<ZipMember> {
  const who = whoOf(path, member.name);
  if (headerOffset < begin) {
    throw refuse(who, `Expected a local header at byte ${begin} or later, got ${headerOffset}: an overlap`);
  }
  if (headerOffset + LOCAL_BYTES + rawName.length > limit) {
    throw refuse(who, `Expected a local header before the directory at byte ${limit}, got ${headerOffset}`);
  }
  const fixed = await readAt(handle, path, headerOffset, LOCAL_BYTES + rawName.length);
  const nameBytes = fixed.readUInt16LE(26);
  if (
    fixed.readUInt32LE(0) !== SIGNATURES.local ||
    ((fixed.readUInt16LE(6) ^ flags) & COMPARED) !== 0 ||
    methodOf(fixed.readUInt16LE(8), flags, who) !== member.method ||
    !fixed.subarray(LOCAL_BYTES).equals(rawName) ||
    nameBytes !== rawName.length
  ) {
    throw refuse(who, `Expected a local header like the one of the directory at byte ${headerOffset}, got other bytes`);
  }
  const extraBytes = fixed.readUInt16LE(28);
  const offset = headerOffset + LOCAL_BYTES + nameBytes + extraBytes;
  if (offset + member.packedBytes > limit) {
    throw refuse(who, `Expected data before the directory at byte ${limit}, got ${member.packedBytes} at ${offset}`);
  }
  const extra = await readAt(handle, path, offset - extraBytes, extraBytes);
  const [bytes, packedBytes] = widen([fixed.readUInt32LE(22), fixed.readUInt32LE(18)], extra, who);
  const facts = [fixed.readUInt32LE(14), bytes, packedBytes];
  const later = (flags & FLAGS.sizesAfterData) !== 0;
  if (![member.crc, member.bytes, member.packedBytes].every((fact, i) => fact === facts[i] || (later && !facts[i]))) {
    throw refuse(who, 'Expected the local header to have the sizes and the CRC-32 of the directory, got others');
  }
  return { ...member, offset };
}

/**
 * Replaces the sizes that did not fit in 32 bits by those of the zip64 extra field.
 * @param short - unpacked size, packed size, offset, disk; the last two only in the directory
 */
function widen(short: readonly number[], extra: Buffer, who: string): number[] {
  let long: Buffer | undefined;
  for (let at = 0; at < extra.length; ) {
    const end = at + 4 <= extra.length ? at + 4 + extra.readUInt16LE(at + 2) : Number.POSITIVE_INFINITY;
    if (end > extra.length) throw refuse(who, 'Expected whole extra fields, got one that is cut');
    if (extra.readUInt16LE(at) === ZIP64_EXTRA) {
      if (long !== undefined) throw refuse(who, 'Expected one zip64 extra field, got two');
      long = extra.subarray(at + 4, end);
    }
    at = end;
  }
  let at = 0;
  return short.map((value, index) => {
    const bytes = index === 3 ? 4 : 8;
    if (value !== (index === 3 ? ZIP64_MARKS.u16 : ZIP64_MARKS.u32)) return value;
    if (long === undefined || at + bytes > long.length) {
      throw refuse(who, 'Expected a zip64 extra field with every size that does not fit in 32 bits, got none');
    }
    at += bytes;
    return bytes === 4 ? long.readUInt32LE(at - 4) : safe(long, at - 8, who);
  });
}

/** The name of a member: ASCII, or UTF-8 when its flag says so. */
function decodeName(bytes: Buffer, flags: number, path: string): string {
  const isUtf8 = (flags & FLAGS.utf8) !== 0;
  if (!isUtf8 && bytes.some((byte) => byte > 0x7f)) {
    throw refuse(path, `Expected names in ASCII, or in UTF-8 with its flag, got ${quote(bytes.toString('latin1'))}`);
  }
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw refuse(path, `Expected names in UTF-8, got ${quote(bytes.toString('latin1'))}`, { cause });
  }
}

/** How a member is packed; refuses encryption and other methods. */
function methodOf(method: number, flags: number, who: string): ZipMethod {
  if ((flags & FLAGS.encrypted) !== 0) throw refuse(who, 'Expected a member without encryption, got an encrypted one');
  if (method === 0) return 'stored';
  if (method === 8) return 'deflated';
  throw refuse(who, `Expected method 0 (stored) or 8 (deflated), got ${method}`);
}

/** Refuses sizes that the method cannot bring about. */
function checkSizes(method: ZipMethod, bytes: number, packedBytes: number, who: string): void {
  if (method === 'stored' ? bytes === packedBytes : bytes <= MAX_RATIO * packedBytes) return;
  throw refuse(who, `Expected sizes of a ${method} member, got ${bytes} bytes in ${packedBytes}`);
}

/** Refuses archives of several disks. */
function checkDisks(where: string, ...disks: number[]): void {
  const other = disks.find((disk) => disk !== 0);
  if (other !== undefined) throw refuse(where, `Expected an archive on one disk, got disk ${other}`);
}

/** An unsigned 64-bit integer that must be safe as a number. */
function safe(bytes: Buffer, at: number, where: string): number {
  const value = bytes.readBigUInt64LE(at);
  if (value <= Number.MAX_SAFE_INTEGER) return Number(value);
  throw refuse(where, `Expected sizes below 2^53, got ${value}`);
}

/** A member for messages. */
function whoOf(path: string, name: string): string {
  return `${path}: member ${quote(name)}`;
}

/** A run of bytes of the archive. */
async function readAt(handle: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await readFully(handle, path, position, bytes);
  return bytes;
}
