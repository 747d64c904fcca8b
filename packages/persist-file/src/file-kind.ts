import { constants, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { codeOf } from './failure.js';

/** Flags to open what may turn out to be a FIFO, without waiting for who writes to it. */
export const READ_AT_ONCE =
  constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/** What has a name and is neither a file nor a directory, for people. */
export function kindOf(found: Stats): string {
  if (found.isFIFO()) return 'a FIFO';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

/**
 * What is found at a path, links followed.
 *
 * @returns `undefined` when there is nothing
 * @throws what the system throws when it cannot tell
 */
export async function foundAt(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
