import { mkdtempSync, rmdirSync } from 'node:fs';
import { statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mount, unmount } from './mount.js';

/** A disk that can be filled to its last byte and freed again. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all the room that there is but for so many bytes. */
  fill(left?: number): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
}

const noDisks = whyNoDisks();

/** A test that needs a disk of its own; where none can be mounted, it is skipped and says why. */
export const itOnDisk = noDisks === undefined ? it : it.skip;
if (noDisks !== undefined) console.warn(`skipped: no disk can be mounted here (${noDisks})`);

/** Runs with a disk of so many bytes, in memory. */
export async function onSmallDisk(
  bytes: number,
  task: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'persist-file-disk-'));
  const why = mountSmall(folder, bytes);
  if (why !== undefined) throw new Error(why);
  const filler = join(folder, 'filler');
  const disk: SmallDisk = {
    folder,
    async fill(left = 0) {
      const { bavail, bsize } = await statfs(folder);
      await writeFile(filler, Buffer.alloc(bavail * bsize - left));
    },
    free: () => unlink(filler),
  };
  try {
    await task(disk);
  } finally {
    remove(folder);
  }
}

function mountSmall(folder: string, bytes: number): string | undefined {
  return mount(['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
}

function remove(folder: string): void {
  unmount(folder);
  rmdirSync(folder);
}

function whyNoDisks(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}`;
  const folder = mkdtempSync(join(tmpdir(), 'persist-file-disk-'));
  const why = mountSmall(folder, 65_536);
  remove(folder);
  return why;
}
