import { crc32 } from 'node:zlib';

/**
 * What the records of one block put an end to: keys that had an older record in the file. Should the
 * block be damaged, these older records must not come back, though nothing else is to be lost.
 */
export interface SupersededList {
  /** The block's sequence number. */
  readonly seq: number;
  /** The ordinal of its first record: what it supersedes has a lower one. */
  readonly firstOrdinal: number;
  /** It held a clear: whatever is older is superseded. */
  readonly everything: boolean;
  /** Hashes of the keys. */
  readonly hashes: readonly number[];
}

/** A block supersedes at most so many keys, so that the lists of a few blocks fit into a head. */
export const MOST_SUPERSEDED = 128;
/** Blocks repeat the lists of so many bytes of log before them: a hole of a page cannot take them all. */
const REPEATED_BYTES = 4096;
const EVERYTHING = 0xffff;
const LIST_HEAD = 8;

/** What stands for a key in a list. */
export function hashOf(keyBytes: Uint8Array): number {
  return crc32(keyBytes);
}

/** The lists of the blocks that were written last, as far as the next block has to repeat them. */
export class RecentLists {
  readonly #blocks: { list: SupersededList; size: number }[];
  /** The first block of which this knows what it superseded. */
  #since: number;

  constructor(since = 0, blocks: { list: SupersededList; size: number }[] = []) {
    this.#since = since;
    this.#blocks = blocks;
  }

  clone(): RecentLists {
    return new RecentLists(this.#since, [...this.#blocks]);
  }

  /** How many blocks before `seq` are covered. */
  reachFrom(seq: number): number {
    return seq - this.#since;
  }

  get lists(): SupersededList[] {
    return this.#blocks.map(({ list }) => list);
  }

  /**
   * A block was written.
   *
   * @param size - the bytes it takes in the file
   */
  add(list: SupersededList, size: number): void {
    this.#blocks.push({ list, size });
    // The newest always stays, however large: its header alone may lie in the hole.
    let bytes = 0;
    let first = this.#blocks.length - 1;
    while (first > 0 && bytes < REPEATED_BYTES) {
      first--;
      bytes += (this.#blocks[first] as { size: number }).size;
    }
    if (first === 0) return;
    this.#since = (this.#blocks[first] as { list: SupersededList }).list.seq;
    this.#blocks.splice(0, first);
  }
}

/**
 * Writes lists one after the other; those that say nothing are left out.
 *
 * @param seq - the sequence number by which they are counted back
 */
export function encodeLists(lists: readonly SupersededList[], seq: number): Buffer {
  const said = lists.filter(({ everything, hashes }) => everything || hashes.length > 0);
  const bytes = Buffer.allocUnsafe(
    said.reduce((sum, { hashes }) => sum + LIST_HEAD + 4 * hashes.length, 0),
  );
  let at = 0;
  for (const { seq: of, firstOrdinal, everything, hashes } of said) {
    bytes.writeUInt16LE(seq - of, at);
    bytes.writeUInt16LE(everything ? EVERYTHING : hashes.length, at + 2);
    bytes.writeUInt32LE(firstOrdinal, at + 4);
    at += LIST_HEAD;
    // A clear needs no list, but what the reader skips must be what is written.
    if (everything) continue;
    for (const hash of hashes) at = bytes.writeUInt32LE(hash, at);
  }
  return bytes.subarray(0, at);
}

/** Reads lists; `undefined` when the bytes are none. */
export function decodeLists(bytes: Buffer, seq: number): SupersededList[] | undefined {
  const lists: SupersededList[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < LIST_HEAD) return undefined;
    const count = bytes.readUInt16LE(at + 2);
    const everything = count === EVERYTHING;
    const firstOrdinal = bytes.readUInt32LE(at + 4);
    const listSeq = seq - bytes.readUInt16LE(at);
    at += LIST_HEAD;
    const end = everything ? at : at + 4 * count;
    if (end > bytes.length || listSeq < 0) return undefined;
    const hashes: number[] = [];
    for (; at < end; at += 4) hashes.push(bytes.readUInt32LE(at));
    lists.push({ seq: listSeq, firstOrdinal, everything, hashes });
  }
  return lists;
}
