import type { FileHandle } from 'node:fs/promises';
import { blockLength } from './block-header.js';
import type { Damage, DamageReport } from './damage.js';
import { laterOf, type FileTime } from './file-clock.js';
import { LOG_START, type FileHead } from './file-head.js';
import { readLog, type FoundBlock } from './log-reader.js';
import { emptyTail, tailAfter, type LogTail } from './log-tail.js';
import { LostBlocks, type Drops } from './lost-blocks.js';

/** What reading a log to its end says of it. */
export interface LogScan extends Omit<DamageReport, 'dropped'> {
  /** Where the last block ends that is right. */
  readonly size: number;
  readonly tail: LogTail;
  readonly drops: Drops;
  readonly time: FileTime;
}

/**
 * Reads a whole log.
 *
 * @param visit - given each block that is whole, in order
 * @throws what the system throws when it cannot read
 */
export async function scanLog(
  handle: FileHandle,
  head: FileHead,
  length: number,
  isHeadDamaged: boolean,
  visit: (block: FoundBlock) => void,
): Promise<LogScan> {
  const lost = new LostBlocks();
  const damages: Damage[] = [];
  let last: FoundBlock | undefined;
  let size = LOG_START;
  let { time } = head;
  const { fileId } = head;
  if (isHeadDamaged) damages.push({ kind: 'head', offset: 0, length: 0 });
  for await (const found of readLog({ handle, fileId, from: LOG_START, to: length })) {
    if (found.kind === 'block') {
      const { header, offset, whole } = found;
      lost.found(header, whole, () => found.lists());
      last = found;
      time = laterOf(time, header.time);
      size = offset + blockLength(header);
      if (whole) visit(found);
      else damages.push({ kind: 'block', offset, length: blockLength(header) });
    } else {
      const { offset, length: bytes } = found;
      const isAfterDamage = damages.at(-1)?.kind === 'block' && offset < size;
      const isEnd = offset + bytes === length;
      // A crash cuts off what it was writing, which nobody was told was durable.
      if (isEnd && found.torn && offset >= head.sealed) continue;
      if (!isAfterDamage) damages.push({ kind: 'bytes', offset, length: bytes });
    }
  }
  if (length < head.sealed && head.sealed > LOG_START) {
    damages.push({ kind: 'end', offset: length, length: head.sealed - length });
  }
  lost.ended(head);
  const lists = last === undefined ? [] : last.lists();
  if (last !== undefined && lists === undefined && last.whole) {
    // The next block would have to repeat what it says.
    const { offset, header } = last;
    damages.push({ kind: 'block', offset, length: blockLength(header) });
  }
  const tail = last === undefined ? emptyTail() : tailAfter(last.header, lists ?? []);
  const { count: lostBlocks } = lost;
  return { size, tail, damages, lostBlocks, drops: lost.drops(), time };
}
