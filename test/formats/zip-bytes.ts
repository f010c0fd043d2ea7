/** Zip archives by hand: every field as its bytes, so that each of them can lie. */
import { crc32, deflateRawSync } from 'node:zlib';
import { join2 } from './files.js';
import { u32, u64 } from './gguf-bytes.js';

/** A little-endian unsigned integer of 2 bytes. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

/** A member, and what its headers say of it. What is left out is the truth. */
export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** The packed bytes, instead of those that belong to `bytes`. */
  readonly packed?: Uint8Array;
  /** Both headers. */
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly packedSize?: number;
  /** Sizes in a zip64 extra field: of the local header, as NumPy writes it, or of the directory. */
  readonly zip64?: 'local' | 'both';
  /** Fields of the local header only. */
  readonly local?: {
    readonly name?: string;
    readonly method?: number;
    readonly flags?: number;
    readonly crc?: number;
    readonly size?: number;
    readonly extra?: Uint8Array;
  };
  /** Fields of the directory only. */
  readonly central?: { readonly offset?: number; readonly disk?: number; readonly extra?: Uint8Array };
}

/** What the records at the end say. What is left out is the truth. */
export interface Ending {
  readonly count?: number;
  readonly bytes?: number;
  readonly offset?: number;
  readonly disk?: number;
  readonly comment?: Uint8Array;
  /** With a zip64 end record, and what the short one says then. */
  readonly zip64?: 'marks' | 'truth';
  readonly locator?: number;
  /** Between the last member and the directory. */
  readonly gap?: Uint8Array;
}

const MARK = 0xffffffff;

/** An archive of members, in their order. */
export function zipFile(members: readonly Member[], ending: Ending = {}): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let at = 0;
  for (const member of members) {
    const packed = member.packed ?? (member.deflate ? new Uint8Array(deflateRawSync(member.bytes)) : member.bytes);
    const local = join2(localOf(member, packed.length), packed);
    centrals.push(centralOf(member, packed.length, at));
    locals.push(local);
    at += local.length;
  }
  const gap = ending.gap ?? new Uint8Array();
  const directory = join2(...centrals);
  const begin = at + gap.length;
  return join2(...locals, gap, directory, endOf(ending, members.length, directory.length, begin));
}

/** The flags of a name: UTF-8 if it is more than ASCII. */
function flagsOf({ name, flags }: Member): number {
  return flags ?? (Buffer.byteLength(name) === name.length ? 0 : 0x800);
}

function localOf(member: Member, packedLength: number): Uint8Array {
  const { method = member.deflate ? 8 : 0, crc = crc32(member.bytes), local = {} } = member;
  const name = new Uint8Array(Buffer.from(local.name ?? member.name, 'utf8'));
  const size = local.size ?? member.size ?? member.bytes.length;
  const packedSize = member.packedSize ?? packedLength;
  const wide = member.zip64 !== undefined;
  const extra = local.extra ?? (wide ? join2(u16(1), u16(16), u64(size), u64(packedSize)) : new Uint8Array());
  return join2(
    u32(0x04034b50),
    u16(20),
    u16(local.flags ?? flagsOf(member)),
    u16(local.method ?? method),
    u32(0),
    u32(local.crc ?? crc),
    u32(wide ? MARK : packedSize),
    u32(wide ? MARK : size),
    u16(name.length),
    u16(extra.length),
    name,
    extra,
  );
}

function centralOf(member: Member, packedLength: number, at: number): Uint8Array {
  const { method = member.deflate ? 8 : 0, crc = crc32(member.bytes), central = {} } = member;
  const name = new Uint8Array(Buffer.from(member.name, 'utf8'));
  const size = member.size ?? member.bytes.length;
  const packedSize = member.packedSize ?? packedLength;
  const offset = central.offset ?? at;
  const wide = member.zip64 === 'both';
  const sizes = join2(u16(1), u16(24), u64(size), u64(packedSize), u64(offset));
  const extra = central.extra ?? (wide ? sizes : new Uint8Array());
  return join2(
    u32(0x02014b50),
    u16(20),
    u16(20),
    u16(flagsOf(member)),
    u16(method),
    u32(0),
    u32(crc),
    u32(wide ? MARK : packedSize),
    u32(wide ? MARK : size),
    u16(name.length),
    u16(extra.length),
    u16(0),
    u16(central.disk ?? 0),
    u16(0),
    u32(0),
    u32(wide ? MARK : offset),
    name,
    extra,
  );
}

function endOf(ending: Ending, members: number, directoryLength: number, begin: number): Uint8Array {
  const { count = members, bytes = directoryLength, offset = begin, disk = 0, comment = new Uint8Array() } = ending;
  const long = join2(
    join2(
      u32(0x06064b50),
      u64(44),
      u16(45),
      u16(45),
      u32(disk),
      u32(0),
      u64(count),
      u64(count),
      u64(bytes),
      u64(offset),
    ),
    join2(u32(0x07064b50), u32(0), u64(ending.locator ?? begin + directoryLength), u32(1)),
  );
  const marks = ending.zip64 === 'marks';
  const short = join2(
    join2(u32(0x06054b50), u16(disk), u16(0), u16(marks ? 0xffff : count), u16(marks ? 0xffff : count)),
    join2(u32(marks ? MARK : bytes), u32(marks ? MARK : offset), u16(comment.length), comment),
  );
  return ending.zip64 === undefined ? short : join2(long, short);
}
