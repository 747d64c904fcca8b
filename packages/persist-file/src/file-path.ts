import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Links that lead nowhere are followed so often. */
const MOST_LINKS = 40;

/**
 * The file itself behind a path: symbolic links are followed, also where they lead to a file that does
 * not exist yet, so that everything that is written beside the file is in its own folder.
 */
export async function realPathOf(path: string): Promise<string> {
  let current = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      return await realpath(current);
    } catch {
      // It does not exist; its folder may, or it is a link that leads nowhere.
    }
    const folder = await realpath(dirname(current)).catch(() => dirname(current));
    current = join(folder, basename(current));
    const info = await lstat(current).catch(() => undefined);
    if (info?.isSymbolicLink() !== true) return current;
    current = resolve(folder, await readlink(current));
  }
  return current;
}
