import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from '../../run.mjs';

/** The packages that are measured. */
const PACKAGES = ['core', 'batch', 'redis-tier', 'persist-file', 'agent'];

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = fileURLToPath(new URL('../../../packages/', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

/**
 * Builds what is measured, so that nobody measures yesterday's; what did not change comes from Nx's cache.
 *
 * @throws {Error} with what the compiler said
 */
export function buildSubject() {
  const projects = PACKAGES.map((name) => `@acache/${name}`).join(',');
  run('npx', ['nx', 'run-many', '-t', 'build', '-p', projects], { cwd: REPOSITORY });
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
