import type { Stats } from 'node:fs';
import { lstat, open, realpath, rename, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, parse, relative, sep } from 'node:path';
import { CacheError } from '@acache/core';
import { codeOf } from './failure.js';
import { kindOf, READ_AT_ONCE } from './file-kind.js';

/** What is found under a path and must not be written to. */
export type AlienReason =
  'a directory' | 'not a file of this cache' | `a file of version ${number}`;

/** Told when something was moved out of the way. */
export function setAsideError(path: string, aside: string, reason: AlienReason): CacheError {
  return new CacheError(
    'ERR_ACACHE_SET_ASIDE',
    `'${path}' is ${reason}; it was renamed to '${aside}', and the cache starts empty`,
  );
}

/** Told when something else is found in the place of the file that is in use, or what could not be read. */
export function movedAwayError(path: string, aside: string): CacheError {
  return new CacheError(
    'ERR_ACACHE_SET_ASIDE',
    `what was found at '${path}' is not what this cache wrote or read there; it was renamed to '${aside}'`,
  );
}

/**
 * Gives what is not ours another name in the same folder; nothing that has the name is overwritten.
 *
 * @param found - what is there
 * @returns the new path
 * @throws Error when it must stay where it is; what the system throws when it cannot be read or moved
 */
export async function setAside(path: string, found: Stats, now: number): Promise<string> {
  if (found.isDirectory()) await assertUnneeded(path, found);
  else if (found.isFile()) await assertReadable(path);
  else throw new Error(`it is ${kindOf(found)}, which is never replaced`);
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-');
  for (let attempt = 0; ; attempt++) {
    const aside = `${path}.bad-${stamp}${attempt === 0 ? '' : `-${attempt}`}`;
    if (await isTaken(aside)) continue;
    await rename(path, aside);
    return aside;
  }
}

/** A good file that cannot be read now must be there when it can be. */
async function assertReadable(path: string): Promise<void> {
  const handle = await open(path, READ_AT_ONCE);
  try {
    await handle.read(Buffer.alloc(1), 0, 1, 0);
  } finally {
    await handle.close();
  }
}

/** Folders that others rely on are named by mistake. */
async function assertUnneeded(path: string, found: Stats): Promise<void> {
  const folder = await realpath(path);
  const above = dirname(folder);
  const refuse = (what: string): never => {
    throw new Error(`it is a directory, ${what}, which is never moved; name a file in it`);
  };
  if (above === parse(folder).root) refuse('directly below the root');
  if ((await stat(above)).dev !== found.dev) refuse('on which something is mounted');
  const needed: [what: string, of: () => string | undefined][] = [
    ['the current one', () => process.cwd()],
    ["the user's own", () => homedir()],
    ['that of temporary files', () => tmpdir()],
    ['that of the running program', () => process.argv[1]],
    ['that of the running program', () => process.execPath],
  ];
  for (const [what, of] of needed) {
    const place = await resolved(of);
    if (place !== undefined && isWithin(place, folder)) refuse(`${what} or one above it`);
  }
}

/** @returns `undefined` where there is no such place */
async function resolved(of: () => string | undefined): Promise<string | undefined> {
  try {
    return await realpath(of() ?? '');
  } catch {
    return undefined;
  }
}

function isWithin(place: string, folder: string): boolean {
  const way = relative(folder, place);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
