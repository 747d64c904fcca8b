import { crc32 } from 'node:zlib';
import { asFileTime, type FileTime } from './file-clock.js';

/*
 * A block is its header, its body (records) and its section (lists of what is superseded).
 *
 *   offset  bytes
 *        0      4  magic
 *        4      8  id of the file
 *       12      6  sequence number, one more than that of the block before
 *       18      2  how many blocks before this one the section covers
 *       20      6  1 + sequence number of the last block before this one that superseded anything; 0 for none
 *       26      2  0
 *       28      4  length of the section
 *       32      4  length of the body
 *       36      4  number of records
 *       40      4  ordinal of the first record
 *       44      4  CRC-32 of the section
 *       48      4  CRC-32 of the body
 *       52      8  when it was written, f64, in the file's time
 *       60      8  milliseconds by which that was ahead of the clock, f64
 *       68      4  CRC-32 of bytes 0 to 67
 */

/** What a block begins with: found again after damage by it. */
export const BLOCK_MAGIC = Buffer.from([0xac, 0xb1, 0x0c, 0x9e]);
export const BLOCK_HEADER_LENGTH = 72;
export const FILE_ID_LENGTH = 8;
/** A body of more bytes is split, unless it is one record. */
export const BODY_LENGTH = 64 * 1024;

/** What a block says of itself. */
export interface BlockHeader {
  readonly seq: number;
  /** How many blocks before this one its section covers. */
  readonly reach: number;
  /** Blocks from this sequence number on, up to this block, superseded nothing. */
  readonly supersededBefore: number;
  readonly sectionLength: number;
  readonly bodyLength: number;
  readonly records: number;
  readonly firstOrdinal: number;
  readonly sectionCrc: number;
  readonly bodyCrc: number;
  /** When it was written. */
  readonly time: FileTime;
}

/** Writes a header over `bytes` at `at`. */
export function writeBlockHeader(
  bytes: Buffer,
  at: number,
  fileId: Uint8Array,
  header: BlockHeader,
): void {
  BLOCK_MAGIC.copy(bytes, at);
  bytes.set(fileId, at + 4);
  bytes.writeUIntLE(header.seq, at + 12, 6);
  bytes.writeUInt16LE(header.reach, at + 18);
  bytes.writeUIntLE(header.supersededBefore, at + 20, 6);
  bytes.writeUInt16LE(0, at + 26);
  bytes.writeUInt32LE(header.sectionLength, at + 28);
  bytes.writeUInt32LE(header.bodyLength, at + 32);
  bytes.writeUInt32LE(header.records, at + 36);
  bytes.writeUInt32LE(header.firstOrdinal, at + 40);
  bytes.writeUInt32LE(header.sectionCrc, at + 44);
  bytes.writeUInt32LE(header.bodyCrc, at + 48);
  bytes.writeDoubleLE(header.time.latest, at + 52);
  bytes.writeDoubleLE(header.time.ahead, at + 60);
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 68)), at + 68);
}

/** The header at `at`; `undefined` where there is none of this file, or a damaged one. */
export function readBlockHeader(
  bytes: Buffer,
  at: number,
  fileId: Uint8Array,
): BlockHeader | undefined {
  if (bytes.length - at < BLOCK_HEADER_LENGTH) return undefined;
  if (bytes.compare(BLOCK_MAGIC, 0, 4, at, at + 4) !== 0) return undefined;
  if (bytes.compare(fileId, 0, FILE_ID_LENGTH, at + 4, at + 12) !== 0) return undefined;
  if (crc32(bytes.subarray(at, at + 68)) !== bytes.readUInt32LE(at + 68)) return undefined;
  return {
    seq: bytes.readUIntLE(at + 12, 6),
    reach: bytes.readUInt16LE(at + 18),
    supersededBefore: bytes.readUIntLE(at + 20, 6),
    sectionLength: bytes.readUInt32LE(at + 28),
    bodyLength: bytes.readUInt32LE(at + 32),
    records: bytes.readUInt32LE(at + 36),
    firstOrdinal: bytes.readUInt32LE(at + 40),
    sectionCrc: bytes.readUInt32LE(at + 44),
    bodyCrc: bytes.readUInt32LE(at + 48),
    time: asFileTime(bytes.readDoubleLE(at + 52), bytes.readDoubleLE(at + 60)),
  };
}

/** How many bytes a block takes in the file. */
export function blockLength(header: BlockHeader): number {
  return BLOCK_HEADER_LENGTH + header.bodyLength + header.sectionLength;
}
