import { crc32 } from 'node:zlib';
import { asFileTime, type FileTime } from './file-clock.js';
import { decodeLists, encodeLists, type SupersededList } from './superseded.js';

/*
 * A file begins with two heads, written by turns, so that neither a torn write nor a hole of a page
 * takes both. The newer one that is whole counts.
 *
 *   offset  bytes
 *        0      8  magic
 *        8      2  version
 *       10      2  how many blocks before the seal the lists cover
 *       12      4  length of the lists
 *       16      8  id of the file
 *       24      6  generation: the higher one is the newer head
 *       30      6  the seal: every byte up to here was acknowledged
 *       36      6  sequence number of the first block after the seal
 *       42      6  1 + sequence number of the last block before the seal that superseded anything; 0 for none
 *       48      4  ordinal of the first record after the seal
 *       52      4  0
 *       56      8  the latest instant that the file has seen, f64
 *       64      8  milliseconds by which its time is ahead of the clock, f64
 *       72         lists of what the last blocks before the seal superseded
 *               4  CRC-32 of all before
 */

/** What every version of the format begins with. */
export const FILE_MAGIC = Buffer.from([0x89, 0x61, 0x63, 0x61, 0x63, 0x68, 0x65, 0x0a]);
/** The version that this package writes. */
export const VERSION = 1;
/** Where the heads are: further apart than a page is long. */
export const HEAD_OFFSETS = [0, 6656] as const;
/** How many bytes there are for a head. */
export const HEAD_ROOM = 2560;
/** Where the log begins. */
export const LOG_START = 9216;

const LISTS_AT = 72;

/** What a file says of itself. */
export interface FileHead {
  readonly fileId: Buffer;
  readonly generation: number;
  /**
   * The length up to which it was acknowledged. Bytes that are missing before it are damage; those
   * missing after it, a crash.
   */
  readonly sealed: number;
  /** What the log was like there. */
  readonly seq: number;
  readonly ordinal: number;
  readonly supersededBefore: number;
  /** The lists cover so many blocks before the seal. */
  readonly reach: number;
  readonly lists: readonly SupersededList[];
  readonly time: FileTime;
}

/** What is found where a file begins. */
export type FoundHead =
  | { readonly kind: 'ours'; readonly head: FileHead; readonly damaged: boolean }
  | { readonly kind: 'other version'; readonly version: number }
  | { readonly kind: 'alien' };

export function encodeHead(head: FileHead): Buffer {
  const lists = encodeLists(head.lists, head.seq);
  const bytes = Buffer.alloc(LISTS_AT + lists.length + 4);
  FILE_MAGIC.copy(bytes);
  bytes.writeUInt16LE(VERSION, 8);
  bytes.writeUInt16LE(head.reach, 10);
  bytes.writeUInt32LE(lists.length, 12);
  bytes.set(head.fileId, 16);
  bytes.writeUIntLE(head.generation, 24, 6);
  bytes.writeUIntLE(head.sealed, 30, 6);
  bytes.writeUIntLE(head.seq, 36, 6);
  bytes.writeUIntLE(head.supersededBefore, 42, 6);
  bytes.writeUInt32LE(head.ordinal, 48);
  bytes.writeDoubleLE(head.time.latest, 56);
  bytes.writeDoubleLE(head.time.ahead, 64);
  lists.copy(bytes, LISTS_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** The newer head of a file, of which these are the first bytes. */
export function findHead(start: Buffer): FoundHead {
  const heads = HEAD_OFFSETS.map((offset) =>
    decodeHead(start.subarray(offset, offset + HEAD_ROOM)),
  );
  const whole = heads.filter((head) => head !== undefined);
  if (whole.length > 0) {
    const head = whole.reduce((a, b) => (b.generation > a.generation ? b : a));
    return { kind: 'ours', head, damaged: whole.length < heads.length };
  }
  for (const offset of HEAD_OFFSETS) {
    const part = start.subarray(offset, offset + 10);
    if (part.length < 10 || !part.subarray(0, 8).equals(FILE_MAGIC)) continue;
    const version = part.readUInt16LE(8);
    if (version !== VERSION) return { kind: 'other version', version };
  }
  return { kind: 'alien' };
}

function decodeHead(bytes: Buffer): FileHead | undefined {
  if (bytes.length < LISTS_AT + 4 || !bytes.subarray(0, 8).equals(FILE_MAGIC)) return undefined;
  if (bytes.readUInt16LE(8) !== VERSION) return undefined;
  const end = LISTS_AT + bytes.readUInt32LE(12);
  if (end + 4 > bytes.length) return undefined;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) return undefined;
  const seq = bytes.readUIntLE(36, 6);
  const lists = decodeLists(bytes.subarray(LISTS_AT, end), seq);
  if (lists === undefined) return undefined;
  return {
    fileId: Buffer.from(bytes.subarray(16, 24)),
    generation: bytes.readUIntLE(24, 6),
    sealed: bytes.readUIntLE(30, 6),
    seq,
    supersededBefore: bytes.readUIntLE(42, 6),
    ordinal: bytes.readUInt32LE(48),
    reach: bytes.readUInt16LE(10),
    lists,
    time: asFileTime(bytes.readDoubleLE(56), bytes.readDoubleLE(64)),
  };
}
