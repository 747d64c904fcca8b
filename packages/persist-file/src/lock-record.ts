import { open, unlink, type FileHandle } from 'node:fs/promises';
import { codeOf } from './failure.js';
import { READ_AT_ONCE } from './file-kind.js';
import { FILE_MODE } from './log-file.js';
import { vitalityAt, type SocketMark } from './presence.js';
import { vitalityOf, type ProcessIdentity, type Vitality } from './process-identity.js';

/** What a lock file says of its owner. */
export interface LockOwner extends ProcessIdentity {
  readonly nonce: string;
  /** Its proof of life; `null` where it could not make one. */
  readonly socket: SocketMark | null;
}

/** A lock file as it was found. */
export interface FoundLock {
  /** `undefined` where it does not tell. */
  readonly owner: LockOwner | undefined;
  readonly text: string;
  readonly ino: number;
  /** The owner's last sign of life. */
  readonly mtimeMs: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where the owner of a lock listens. */
export function socketPathOf(lockPath: string, nonce: string): string {
  return `${lockPath}.${nonce}.socket`;
}

/** A lock as its owner made it. */
export type OwnLock = Pick<FoundLock, 'text' | 'ino'>;

/** @returns `undefined` when there is a lock already */
export async function createLock(lockPath: string, owner: LockOwner): Promise<OwnLock | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(lockPath, 'wx', FILE_MODE);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  try {
    const text = `${JSON.stringify(owner)}\n`;
    await handle.writeFile(text);
    return { text, ino: (await handle.stat()).ino };
  } catch (error) {
    // A lock that names nobody would keep everybody out.
    await unlink(lockPath).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * It is opened each time, since a file server's clients look at what they remember of a file, except
 * when they open it.
 *
 * @returns `undefined` when there is none
 */
export async function readLock(lockPath: string): Promise<FoundLock | undefined> {
  try {
    const handle = await open(lockPath, READ_AT_ONCE);
    try {
      const info = await handle.stat();
      // Whoever reads a FIFO waits for ever.
      if (!info.isFile() && !info.isDirectory()) throw new Error(`'${lockPath}' is not a file`);
      const { ino, mtimeMs } = info;
      const text = await handle.readFile('utf8');
      return { owner: parseOwner(text), text, ino, mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether nothing happened to a lock between two looks: its owner gave no sign of life. */
export function isUnchanged(before: FoundLock, after: FoundLock): boolean {
  return before.text === after.text && before.ino === after.ino && before.mtimeMs === after.mtimeMs;
}

/** Whether the owner of a lock lives; `unknown` where only its heartbeat can tell. */
export async function judgeOwner(
  lockPath: string,
  { owner }: FoundLock,
  own: ProcessIdentity,
): Promise<Vitality> {
  if (owner === undefined) return 'unknown';
  const vitality = vitalityOf(owner, own);
  if (vitality !== 'unknown' || owner.socket === null) return vitality;
  // Another kernel refuses whether the owner lives or not.
  if (own.boot === null || owner.boot !== own.boot) return 'unknown';
  return vitalityAt(socketPathOf(lockPath, owner.nonce), owner.socket);
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    const isOwner =
      Number.isInteger(owner?.pid) &&
      (owner?.pid ?? 0) > 0 &&
      typeof owner?.host === 'string' &&
      typeof owner.nonce === 'string';
    if (!isOwner) return undefined;
    // The nonce becomes a part of a path.
    const { device, ino } = UUID.test(owner.nonce ?? '') ? (owner.socket ?? {}) : {};
    const socket = typeof device === 'number' && typeof ino === 'number' ? { device, ino } : null;
    return { ...(owner as LockOwner), socket };
  } catch {
    return undefined;
  }
}
