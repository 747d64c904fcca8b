import type { FileHandle } from 'node:fs/promises';
import { keyBytesIn } from './key-bytes.js';
import { readLog, type FoundBlock } from './log-reader.js';
import type { FileClock } from './file-clock.js';
import { LOG_START } from './file-head.js';
import type { Drops } from './lost-blocks.js';
import { createdAtOf, isDead, keyAt, KEY_LENGTH_AT, Kind, KIND_AT, tagsOf } from './record.js';
import { RecordIndex } from './record-index.js';
import { hashOf } from './superseded.js';

/** So many tags are counted by name. */
const MOST_TAGS = 10_000;

/** What the records that count say. */
export interface Counted {
  /** Entries that the next opening restores, and those past everything, which it does not. */
  readonly entries: { readonly live: number; readonly expired: number };
  /** When the oldest and the newest entry were stored, in milliseconds since the epoch. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** How many entries have each tag; of the first ten thousand tags. */
  readonly tags: Readonly<Record<string, number>>;
}

/**
 * Counts what is in a file without keeping any of it but the keys: it is read twice, since only the
 * end tells what counted at the beginning.
 */
export class Census {
  readonly index = new RecordIndex();
  blocks = 0;

  visit({ header, bytes, view, bodyAt }: FoundBlock): void {
    this.blocks++;
    let at = bodyAt;
    for (let record = 0; record < header.records; record++) {
      const length = view.getUint32(at, true);
      const kind = bytes[at + KIND_AT];
      if (kind === Kind.Set) {
        this.index.putBytes(keyBytesIn(bytes, view, at), header.firstOrdinal + record, length);
      } else if (kind === Kind.Delete) {
        this.index.removeBytes(keyBytesIn(bytes, view, at));
      } else if (kind === Kind.Clear) {
        this.index.clear();
      }
      at += length;
    }
  }

  /** Reads once more, now that it is known what counts. */
  async count(
    handle: FileHandle,
    fileId: Buffer,
    size: number,
    { before, hashes }: Drops,
    clock: FileClock,
  ): Promise<Counted & { readonly dropped: number; readonly liveBytes: number }> {
    const tags = new Map<string, number>();
    let live = 0;
    let expired = 0;
    let dropped = 0;
    let liveBytes = 0;
    let oldest = Infinity;
    let newest = -Infinity;
    const now = clock.now();
    for await (const found of readLog({ handle, fileId, from: LOG_START, to: size })) {
      if (found.kind !== 'block' || !found.whole) continue;
      const { header, bytes, view, bodyAt } = found;
      let at = bodyAt;
      for (let record = 0; record < header.records; record++) {
        const ordinal = header.firstOrdinal + record;
        const length = view.getUint32(at, true);
        if (this.index.slotAt(ordinal) >= 0) {
          const start = keyAt(bytes, at);
          const end = start + view.getUint32(at + KEY_LENGTH_AT, true);
          const hash = hashes.size === 0 ? 0 : hashOf(bytes.subarray(start, end));
          if (ordinal < Math.max(before, hashes.get(hash) ?? 0)) {
            dropped++;
          } else if (isDead(bytes, view, at, now)) {
            expired++;
          } else {
            live++;
            liveBytes += length;
            oldest = Math.min(oldest, createdAtOf(view, at));
            newest = Math.max(newest, createdAtOf(view, at));
            for (const tag of tagsOf(bytes, view, at).tags) {
              const count = tags.get(tag);
              if (count !== undefined || tags.size < MOST_TAGS) tags.set(tag, (count ?? 0) + 1);
            }
          }
        }
        at += length;
      }
    }
    return {
      entries: { live, expired },
      oldest: live === 0 ? null : oldest - clock.ahead,
      newest: live === 0 ? null : newest - clock.ahead,
      tags: Object.fromEntries(tags),
      dropped,
      liveBytes,
    };
  }
}
