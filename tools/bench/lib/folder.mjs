import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Not the system's folder for temporary files, which is in memory on some machines. */
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
/** What a file takes is counted in blocks of so many bytes. */
const BLOCK = 512;

/** An empty folder on the disk where this file is. */
export function makeFolder() {
  mkdirSync(CACHE, { recursive: true });
  return mkdtempSync(`${CACHE}files-`);
}

/** @param {string} folder */
export const removeFolder = (folder) => rmSync(folder, { recursive: true, force: true });

/**
 * The bytes that all files in it take of the disk: many small ones take more than is in them.
 *
 * @param {string} folder
 */
export function bytesOnDisk(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => statSync(`${folder}/${name}`))
    .filter((file) => file.isFile())
    .reduce((sum, { blocks, size }) => sum + (blocks === undefined ? size : blocks * BLOCK), 0);
}
