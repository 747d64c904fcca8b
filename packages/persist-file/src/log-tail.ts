import type { BlockHeader } from './block-header.js';
import { RecentLists, type SupersededList } from './superseded.js';

/** Where a log ends, as far as the next block has to know. */
export interface LogTail {
  /** Sequence number of the next block. */
  readonly seq: number;
  /** Ordinal of the next record. */
  readonly ordinal: number;
  /** 1 + sequence number of the last block that superseded anything; 0 for none. */
  readonly supersededBefore: number;
  readonly recent: RecentLists;
}

/** The tail of a log without a block. */
export function emptyTail(): LogTail {
  return { seq: 0, ordinal: 0, supersededBefore: 0, recent: new RecentLists() };
}

/**
 * The tail after a block that was read.
 *
 * @param lists - what its section says: of the blocks that it covers, and its own
 */
export function tailAfter(header: BlockHeader, lists: readonly SupersededList[]): LogTail {
  const { seq } = header;
  const own = lists.find((list) => list.seq === seq);
  // How large the blocks before it are is not known: they stay until newer ones are large enough.
  const known = lists.map((list) => ({ list, size: 0 }));
  if (own === undefined) {
    const { firstOrdinal } = header;
    known.push({ list: { seq, firstOrdinal, everything: false, hashes: [] }, size: 0 });
  }
  return {
    seq: seq + 1,
    ordinal: header.firstOrdinal + header.records,
    supersededBefore: own === undefined ? header.supersededBefore : seq + 1,
    recent: new RecentLists(
      seq - header.reach,
      known.sort((a, b) => a.list.seq - b.list.seq),
    ),
  };
}
