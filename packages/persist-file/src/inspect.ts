import { open, stat, type FileHandle } from 'node:fs/promises';
import { Census, type Counted } from './census.js';
import type { Damage } from './damage.js';
import { codeOf } from './failure.js';
import { FileClock } from './file-clock.js';
import { findHead, LOG_START, VERSION, type FileHead } from './file-head.js';
import { READ_AT_ONCE } from './file-kind.js';
import { realPathOf } from './file-path.js';
import { lockHolder } from './lock-file.js';
import { scanLog } from './log-scan.js';

/** What is in a file, and what is wrong with it. */
export interface Inspection extends Counted {
  readonly path: string;
  /** Of the format. */
  readonly version: number;
  /** The size of the file. */
  readonly bytes: number;
  readonly blocks: number;
  /** Bytes of what the next opening restores, of what nobody needs any more, and of what is unreadable. */
  readonly space: { readonly live: number; readonly garbage: number; readonly damaged: number };
  readonly damage: readonly Damage[];
  /** Blocks that are lost with what they held. */
  readonly lostBlocks: number;
  /** Older entries that the next opening drops, since newer ones may be lost. */
  readonly dropped: number;
  /** Bytes at the end that a crash left, which nobody was told were durable. */
  readonly torn: number;
  /**
   * The latest instant that the file has seen, in milliseconds since the epoch, and by how many
   * milliseconds the clock was set back up to then.
   */
  readonly time: { readonly latest: number | null; readonly setBack: number };
  readonly lockedBy: { readonly pid: number | null; readonly host: string | null } | null;
}

/** A file that cannot be inspected: it is none of this package, or cannot be read. */
export class UninspectableError extends Error {
  override readonly name = 'UninspectableError';
}

/**
 * Looks at a file without changing it or taking its lock; it may be in use. No value is decoded, and
 * only keys are kept in memory.
 *
 * @param now - milliseconds since the epoch
 * @throws UninspectableError when it is none of this package or cannot be read
 */
export async function inspect(path: string, now = Date.now()): Promise<Inspection> {
  const real = await realPathOf(path);
  let handle: FileHandle;
  try {
    if (!(await stat(real)).isFile()) throw notAFile(path);
    handle = await open(real, READ_AT_ONCE);
  } catch (error) {
    if (error instanceof UninspectableError) throw error;
    throw new UninspectableError(`'${path}' cannot be opened: ${codeOf(error) ?? 'unknown'}`);
  }
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw notAFile(path);
    const start = Buffer.alloc(LOG_START);
    const { bytesRead } = await handle.read(start, 0, LOG_START, 0);
    const found = findHead(start.subarray(0, bytesRead));
    if (found.kind === 'alien') {
      throw new UninspectableError(`'${path}' is not a file of @acache/persist-file`);
    }
    if (found.kind === 'other version') {
      throw new UninspectableError(
        `'${path}' is of version ${found.version}; this program reads version ${VERSION}`,
      );
    }
    return await examine(real, handle, found.head, info.size, found.damaged, now);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new UninspectableError(`'${path}' cannot be read: ${code}`);
  } finally {
    await handle.close();
  }
}

function notAFile(path: string): UninspectableError {
  return new UninspectableError(`'${path}' is not a file`);
}

async function examine(
  path: string,
  handle: FileHandle,
  head: FileHead,
  bytes: number,
  isHeadDamaged: boolean,
  now: number,
): Promise<Inspection> {
  const census = new Census();
  const scan = await scanLog(handle, head, bytes, isHeadDamaged, (block) => {
    census.visit(block);
  });
  const clock = new FileClock({ now: () => now });
  clock.follow(scan.time);
  const counted = await census.count(handle, head.fileId, scan.size, scan.drops, clock);
  const { liveBytes, dropped, ...found } = counted;
  const inFile = scan.damages.filter(({ offset }) => offset < bytes);
  const damaged = inFile.reduce((sum, { length }) => sum + length, 0);
  const torn = inFile.some(({ offset }) => offset >= scan.size)
    ? 0
    : Math.max(0, bytes - Math.max(scan.size, LOG_START));
  const { latest, ahead } = scan.time;
  const holder = await lockHolder(path);
  const owner = holder?.isAlive === true ? holder.owner : undefined;
  return {
    path,
    version: VERSION,
    bytes,
    blocks: census.blocks,
    ...found,
    space: { live: liveBytes, garbage: Math.max(0, bytes - liveBytes - damaged - torn), damaged },
    damage: scan.damages,
    lostBlocks: scan.lostBlocks,
    dropped,
    torn,
    time: { latest: Number.isFinite(latest) ? latest - ahead : null, setBack: ahead },
    lockedBy:
      holder?.isAlive === true ? { pid: owner?.pid ?? null, host: owner?.host ?? null } : null,
  };
}
