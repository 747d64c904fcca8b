import { open } from 'node:fs/promises';

/** Makes a renaming in a folder durable, where the system knows how. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows opens no folders, and some file systems sync none.
  }
}
