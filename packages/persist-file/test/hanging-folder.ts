import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { mount, unmount } from './mount.js';

/**
 * Lets whoever asks for anything below a folder wait for ever, as a disk does that hangs; what is open
 * already is not touched by it.
 *
 * @returns what makes the folder what it was
 */
export function hang(folder: string): () => void {
  const device = openSync('/dev/fuse', 'r+');
  // Nobody ever answers what the system asks through the device.
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const why = mount(['-i', '-t', 'fuse', '-o', options, 'hanging', folder], device);
  if (why !== undefined) {
    closeSync(device);
    throw new Error(why);
  }
  return () => {
    closeSync(device);
    unmount(folder);
  };
}

/** Why nothing can be made to hang; `undefined` where it can. */
export async function whyNoHanging(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { recursive: true });
    hang(folder)();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
