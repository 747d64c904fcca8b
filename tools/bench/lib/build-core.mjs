import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('../../build.mjs', import.meta.url));
const CORE = fileURLToPath(new URL('../../../packages/core/', import.meta.url));
const COPY = fileURLToPath(new URL('../.cache/core/', import.meta.url));

/**
 * Builds core, so that nobody measures yesterday's.
 *
 * @throws {Error} with what the compiler said
 */
export function buildCore() {
  const build = spawnSync(process.execPath, [BUILD], { cwd: CORE, encoding: 'utf8' });
  if (build.status !== 0) {
    throw new Error(
      `Building @acache/core failed; the root needs its npm ci first.\n${build.stdout}${build.stderr}`,
    );
  }
}

/**
 * Copies the ES modules that were built, since a build during the minutes of a run would mix two
 * versions in one table.
 *
 * @returns {string} the file to import
 * @throws {Error} when there is no build
 */
export function copyBuiltCore() {
  rmSync(COPY, { recursive: true, force: true });
  cpSync(`${CORE}dist/esm`, COPY, { recursive: true });
  return `${COPY}index.js`;
}
