import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The packages that are measured. */
const PACKAGES = ['core', 'batch', 'redis-tier', 'persist-file', 'agent'];

const BUILD = fileURLToPath(new URL('../../build.mjs', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../../packages/', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

/**
 * Builds what is measured, so that nobody measures yesterday's.
 *
 * @throws {Error} with what the compiler said
 */
export function buildSubject() {
  for (const name of PACKAGES) {
    const build = spawnSync(process.execPath, [BUILD], { cwd: SOURCES + name, encoding: 'utf8' });
    if (build.status === 0) continue;
    throw new Error(
      `Building @acache/${name} failed; the root needs its npm ci first.\n${build.stdout}${build.stderr}`,
    );
  }
}

/**
 * Copies the ES modules that were built, since a build during the minutes of a run would mix two
 * versions in one table. The copies lie in a node_modules, where they find each other.
 *
 * @returns {string} the file to import, which exports all of them
 * @throws {Error} when there is no build
 */
export function copyBuiltSubject() {
  rmSync(CACHE, { recursive: true, force: true });
  for (const name of PACKAGES) {
    const copy = `${CACHE}node_modules/@acache/${name}`;
    cpSync(`${SOURCES}${name}/dist/esm`, `${copy}/dist/esm`, { recursive: true });
    cpSync(`${SOURCES}${name}/package.json`, `${copy}/package.json`);
  }
  const file = `${CACHE}subject.mjs`;
  const modules = [...PACKAGES, 'agent/ai-sdk'];
  writeFileSync(file, modules.map((name) => `export * from '@acache/${name}';\n`).join(''));
  return file;
}
