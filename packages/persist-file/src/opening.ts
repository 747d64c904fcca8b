import type { Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PersistenceHost } from '@acache/core';
import { codeOf, notDurable } from './failure.js';
import { damagedError } from './damage.js';
import { NO_TIME } from './file-clock.js';
import { findHead, LOG_START } from './file-head.js';
import { foundAt, kindOf } from './file-kind.js';
import type { LogStart } from './current-log.js';
import { LogFile } from './log-file.js';
import { scanLog } from './log-scan.js';
import type { RecordIndex } from './record-index.js';
import type { Restorer } from './restorer.js';
import { setAside, setAsideError, type AlienReason } from './set-aside.js';

/** A file that cannot be read for a moment is tried again for so many milliseconds. */
const PATIENCE = 2000;
const TRY_AGAIN = 50;
/** What may be otherwise a moment later. */
const MOMENTARY = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EBUSY', 'EIO']);
/** So is on Windows what another program looks at. */
if (process.platform === 'win32') for (const code of ['EACCES', 'EPERM']) MOMENTARY.add(code);

const NOTHING: LogStart = {
  log: undefined,
  mustRewrite: false,
  isBlocked: false,
  time: NO_TIME,
};

/** Where what is read goes. */
export interface Reading {
  readonly index: RecordIndex;
  readonly restorer: Restorer;
}

export interface OpeningOptions {
  readonly path: string;
  /** Begins to read, once more where it failed before. */
  readonly begin: () => Reading;
  readonly host: PersistenceHost;
  /** Whether what is not ours may be moved out of the way now. */
  readonly mayWrite: boolean;
  readonly report: (error: unknown) => void;
  /** Whether nobody wants to wait any more. */
  readonly isClosing: () => boolean;
}

/** Reads a file. Whatever is wrong with it is reported, not thrown. */
export async function openFile(options: OpeningOptions): Promise<LogStart & Reading> {
  const { path, begin, report, isClosing } = options;
  const end = performance.now() + PATIENCE;
  for (;;) {
    const reading = begin();
    try {
      return { ...(await readFile(reading.restorer, options)), ...reading };
    } catch (error) {
      if (MOMENTARY.has(codeOf(error) ?? '') && performance.now() < end && !isClosing()) {
        await sleep(TRY_AGAIN);
        continue;
      }
      report(notDurable(path, error));
      // Of a file that was read in part nothing counts: the rest may have ended it.
      return { ...NOTHING, isBlocked: true, ...begin() };
    }
  }
}

async function readFile(
  restorer: Restorer,
  { path, host, mayWrite, report }: OpeningOptions,
): Promise<LogStart> {
  let handle: FileHandle | undefined;
  try {
    const info = await foundAt(path);
    if (info === undefined) return NOTHING;
    if (info.isFile() && info.size === 0) return NOTHING;
    if (info.isDirectory()) return await moveAway(info, 'a directory');
    if (!info.isFile()) throw new Error(`it is ${kindOf(info)}, which is never replaced`);
    const opened = await openToWrite(path);
    ({ handle } = opened);
    const start = Buffer.alloc(LOG_START);
    const { bytesRead } = await handle.read(start, 0, LOG_START, 0);
    const found = findHead(start.subarray(0, bytesRead));
    if (found.kind !== 'ours') {
      await handle.close();
      handle = undefined;
      return await moveAway(
        info,
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
    const mustRewrite = isDamaged || !opened.isWritable;
    return { log, mustRewrite, isBlocked: false, time: scan.time };
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw error;
  }

  async function moveAway(found: Stats, reason: AlienReason): Promise<LogStart> {
    if (!mayWrite) throw new Error(`it is ${reason}`);
    const now = host.clock.now();
    report(setAsideError(path, await setAside(path, found, now), reason));
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
