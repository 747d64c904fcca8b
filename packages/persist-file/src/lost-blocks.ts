import type { BlockHeader } from './block-header.js';
import type { SupersededList } from './superseded.js';

/** Older records that must not count: a block that is lost may have superseded them. */
export interface Drops {
  /** All records with a lower ordinal than this. */
  readonly before: number;
  /** By hash of a key: its records with a lower ordinal than this. */
  readonly hashes: ReadonlyMap<number, number>;
}

interface Lost {
  readonly from: number;
  readonly to: number;
  /** What is older than the lost blocks has a lower ordinal than this. */
  readonly before: number;
}

/**
 * Judges what the blocks that cannot be read may have put an end to. A block that is lost with its
 * header shows as a gap in the sequence numbers; what it superseded is told by the lists of the blocks
 * after it. Where none tells, and it cannot be shown that nothing was superseded, all that is older goes.
 */
export class LostBlocks {
  #next = 0;
  #lost: Lost[] = [];
  #before = 0;
  readonly #hashes = new Map<number, number>();
  #count = 0;

  /** Sequence number of the block that is expected next. */
  get next(): number {
    return this.#next;
  }

  /** How many blocks are lost with all they held. */
  get count(): number {
    return this.#count;
  }

  /**
   * A block was found whose header is right; in their order.
   *
   * @param lists - what its section says; asked only when it is needed
   */
  found(
    header: BlockHeader,
    whole: boolean,
    lists: () => readonly SupersededList[] | undefined,
  ): void {
    const { seq } = header;
    if (seq > this.#next) this.#miss(this.#next, seq - 1, header.firstOrdinal);
    this.#next = seq + 1;
    if (this.#lost.length > 0) this.#tell(header, lists);
    if (whole) return;
    this.#count++;
    const own = lists();
    if (own === undefined) {
      this.#lost.push({ from: seq, to: seq, before: header.firstOrdinal });
    } else {
      for (const list of own) if (list.seq === seq) this.#drop(list);
    }
  }

  /** The log ends here, though it was acknowledged up to the block before `tail.seq`. */
  ended(tail: {
    readonly seq: number;
    readonly ordinal: number;
    readonly supersededBefore: number;
    readonly reach: number;
    readonly lists: readonly SupersededList[];
  }): void {
    if (tail.seq > this.#next) this.#miss(this.#next, tail.seq - 1, tail.ordinal);
    if (this.#lost.length > 0) this.#tell(tail, () => tail.lists);
    this.#next = Math.max(this.#next, tail.seq);
  }

  /** What must not count, once all was told. */
  drops(): Drops {
    let before = this.#before;
    for (const lost of this.#lost) before = Math.max(before, lost.before);
    return { before, hashes: this.#hashes };
  }

  #miss(from: number, to: number, before: number): void {
    this.#count += to - from + 1;
    this.#lost.push({ from, to, before });
  }

  /** A later block tells of the lost ones. */
  #tell(
    { seq, reach, supersededBefore }: { seq: number; reach: number; supersededBefore: number },
    lists: () => readonly SupersededList[] | undefined,
  ): void {
    // From here on nothing was superseded before this block.
    const harmless = Math.min(supersededBefore, seq);
    let lost = this.#lost.flatMap((part) => without(part, harmless, seq - 1));
    const told = lost.some(({ to }) => to >= seq - reach && to < seq) ? lists() : undefined;
    if (told !== undefined) {
      for (const list of told) {
        if (list.seq < seq && lost.some(({ from, to }) => from <= list.seq && list.seq <= to)) {
          this.#drop(list);
        }
      }
      lost = lost.flatMap((part) => without(part, seq - reach, seq - 1));
    }
    this.#lost = lost;
  }

  #drop({ everything, hashes, firstOrdinal: before }: SupersededList): void {
    if (everything) this.#before = Math.max(this.#before, before);
    for (const hash of hashes) {
      this.#hashes.set(hash, Math.max(before, this.#hashes.get(hash) ?? 0));
    }
  }
}

/** What is left of lost blocks without those from `start` to `end`. */
function without(lost: Lost, start: number, end: number): Lost[] {
  const { from, to, before } = lost;
  if (end < from || start > to) return [lost];
  const rest: Lost[] = [];
  if (from < start) rest.push({ from, to: start - 1, before });
  if (end < to) rest.push({ from: end + 1, to, before });
  return rest;
}
