#!/usr/bin/env node
// Prints where a Chromium is: the one that CHROMIUM names, or one on the PATH. As root on Debian it is installed if there is none.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../run.mjs';

/** @returns {string} the path of its binary */
export function findChromium() {
  const found = search();
  if (found) return found;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.error('Chromium: installing it with apt-get');
    run('apt-get', ['update']);
    run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium']);
  }
  const installed = search();
  if (installed) return installed;
  throw new Error(
    'there is no Chromium: install one (on Debian: apt-get install chromium), or name its binary in CHROMIUM',
  );
}

function search() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return ['chromium', 'chromium-browser', 'google-chrome'].map(onPath).find(Boolean);
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(findChromium());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
