import * as zlib from 'node:zlib';

/** Newer than Node 20.0: it came with 20.15 and 22.2. */
const native = (zlib as Partial<typeof zlib>).crc32;

/** From how many bytes on a call into zlib, and the view it needs, cost less than the table. */
const WORTH_A_CALL = 96;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

/** The CRC-32 of zlib and PNG, unsigned, of the bytes from `from` to before `to`. */
export function crc32(bytes: Buffer, from: number, to: number): number {
  return native !== undefined && to - from >= WORTH_A_CALL
    ? native(bytes.subarray(from, to))
    : crc32ByTable(bytes, from, to);
}

/** What `crc32` answers, by means that every runtime has. */
export function crc32ByTable(bytes: Buffer, from: number, to: number): number {
  let crc = -1;
  for (let at = from; at < to; at++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
