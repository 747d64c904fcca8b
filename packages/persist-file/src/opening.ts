import { open, stat, type FileHandle } from 'node:fs/promises';
import type { PersistenceHost } from '@acache/core';
import { codeOf, notDurable } from './failure.js';
import { damagedError } from './damage.js';
import { findHead, LOG_START } from './file-head.js';
import type { JournalStart } from './journal.js';
import { LogFile } from './log-file.js';
import { scanLog } from './log-scan.js';
import type { Restorer } from './restorer.js';
import { setAside, setAsideError, type AlienReason } from './set-aside.js';

const NOTHING: JournalStart = { log: undefined, mustRewrite: false, isBlocked: false };

/**
 * Reads the file at `path` into the restorer. Whatever is wrong with it is reported, not thrown.
 *
 * @param mayWrite - whether what is not ours may be moved out of the way now
 */
export async function openFile(
  path: string,
  restorer: Restorer,
  host: PersistenceHost,
  mayWrite: boolean,
  report: (error: unknown) => void,
): Promise<JournalStart> {
  let handle: FileHandle | undefined;
  try {
    const info = await stat(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (info === undefined) return NOTHING;
    if (info.isFile() && info.size === 0) return NOTHING;
    if (!info.isFile() && !info.isDirectory()) {
      throw new Error('it is neither a file nor a folder');
    }
    if (info.isDirectory()) return await moveAway('a directory');
    const opened = await openToWrite(path);
    ({ handle } = opened);
    const start = Buffer.alloc(LOG_START);
    const { bytesRead } = await handle.read(start, 0, LOG_START, 0);
    const found = findHead(start.subarray(0, bytesRead));
    if (found.kind !== 'ours') {
      await handle.close();
      handle = undefined;
      return await moveAway(
        found.kind === 'alien' ? 'not a file of this cache' : `a file of version ${found.version}`,
      );
    }
    const { head } = found;
    const scan = await scanLog(handle, head, info.size, found.damaged, (block) => {
      restorer.visit(block);
    });
    const dropped = await restorer.drop(scan.drops);
    const isDamaged = scan.damages.length > 0;
    if (isDamaged) report(damagedError(path, { ...scan, dropped }));
    const log = new LogFile(handle, head, scan.size, scan.tail, info.size);
    return { log, mustRewrite: isDamaged || !opened.isWritable, isBlocked: false };
  } catch (error) {
    await handle?.close().catch(() => undefined);
    report(notDurable(path, error));
    return { ...NOTHING, isBlocked: true };
  }

  async function moveAway(reason: AlienReason): Promise<JournalStart> {
    if (!mayWrite) throw new Error(`it is ${reason}`);
    const now = host.clock.now();
    report(setAsideError(path, await setAside(path, now), reason));
    return NOTHING;
  }
}

async function openToWrite(path: string): Promise<{ handle: FileHandle; isWritable: boolean }> {
  try {
    return { handle: await open(path, 'r+'), isWritable: true };
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EROFS') throw error;
    // It may be read, and a new one may be put into its place.
    return { handle: await open(path, 'r'), isWritable: false };
  }
}
