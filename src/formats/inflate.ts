/**
 * Compressed members have no positions, so they are inflated to a temporary file when their archive is opened.
 * @module
 */

import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { QuantlaneError } from '../errors.js';
import { readFully, writeFully } from './disk.js';
import { quote, reason, refuse } from './refusals.js';
import type { ZipMember } from './zip-directory.js';

/** Members that have become a file. */
export interface Inflated {
  readonly handle: FileHandle;
  /** Where each member begins in the file, in the order in which they were given. */
  readonly offsets: readonly number[];
  /** Closes and deletes the file. */
  remove(): Promise<void>;
}

/** Bytes of one read of the archive. */
const CHUNK = 2 ** 16;

/**
 * Inflates members one after the other to a new temporary file, a chunk at a time. When it fails nothing is left
 * behind. Where the system allows it the file loses its name at once, so that a process that dies leaves none.
 * @param archive - the open archive
 * @param path - its path, for messages
 * @param directory - where the temporary folder is made
 * @throws `ERR_QUANTLANE_FORMAT` when a member is not what the directory says, or the disk refuses.
 */
export async function inflateMembers(
  archive: FileHandle,
  path: string,
  members: readonly ZipMember[],
  directory: string = tmpdir(),
): Promise<Inflated> {
  const folder = await mkdtemp(join(directory, 'quantlane-')).catch((cause: unknown) => {
    throw refuse(directory, `Expected a folder that can be written, got ${reason(cause)}`, { cause });
  });
  const discard = () => rm(folder, { recursive: true, force: true });
  const handle = await open(join(folder, 'inflated'), 'wx+').catch(async (cause: unknown) => {
    await discard();
    throw refuse(folder, `Expected a folder that can be written, got ${reason(cause)}`, { cause });
  });
  const remove = () => handle.close().finally(discard);
  try {
    if (process.platform !== 'win32') await discard();
    const offsets: number[] = [];
    let end = 0;
    for (const member of members) {
      offsets.push(end);
      await inflate(archive, `${path}: member ${quote(member.name)}`, member, handle, end);
      end += member.bytes;
    }
    return { handle, offsets, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Inflates one member; stops at the first byte that is too many.
 * @param where - the member, for messages
 * @param begin - where its bytes go
 */
async function inflate(
  archive: FileHandle,
  where: string,
  member: ZipMember,
  target: FileHandle,
  begin: number,
): Promise<void> {
  const engine = createInflateRaw();
  let done = 0;
  let crc = 0;
  await pipeline(packed(archive, where, member), engine, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      if (done + chunk.length > member.bytes) {
        throw refuse(where, `Expected ${member.bytes} bytes, as the directory says, got more`);
      }
      await writeFully(target, where, begin + done, chunk);
      crc = crc32(chunk, crc);
      done += chunk.length;
    }
  }).catch((cause: unknown) => {
    if (cause instanceof QuantlaneError) throw cause;
    throw refuse(where, `Expected deflated bytes, got ${reason(cause)}`, { cause });
  });
  if (done !== member.bytes || engine.bytesWritten !== member.packedBytes) {
    throw refuse(
      where,
      `Expected ${member.bytes} bytes from ${member.packedBytes}, as the directory says, got ${done} from ${engine.bytesWritten}`,
    );
  }
  if (crc !== member.crc) {
    throw refuse(where, `Expected the CRC-32 ${hex(member.crc)}, as the directory says, got ${hex(crc)}`);
  }
}

/** The packed bytes of a member, a chunk at a time. */
async function* packed(
  archive: FileHandle,
  where: string,
  { offset, packedBytes }: ZipMember,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < packedBytes; done += CHUNK) {
    const chunk = new Uint8Array(Math.min(CHUNK, packedBytes - done));
    await readFully(archive, where, offset + done, chunk);
    yield chunk;
  }
}

/** A CRC-32 as eight digits. */
function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
