#!/usr/bin/env node
// Builds the package it is called in (or, with --all, every package) twice, as ESM and as CommonJS, with types and maps.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readPackages, repository } from './workspace.mjs';

const all = process.argv.includes('--all');
const built = readPackages()
  .map(({ folder }) => join(repository, folder))
  .filter((folder) => existsSync(join(folder, 'tsconfig.esm.json')));
const folders = all ? built : [process.cwd()];

// What a deleted source left behind must not be published.
for (const folder of folders) rmSync(join(folder, 'dist'), { recursive: true, force: true });

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const configs = folders.flatMap((folder) =>
  ['esm', 'cjs'].map((format) => join(folder, `tsconfig.${format}.json`)),
);
const { status } = spawnSync(process.execPath, [tsc, '-b', ...configs], { stdio: 'inherit' });

// Also for siblings, which `tsc -b` builds when they are missing.
for (const folder of built) {
  if (!existsSync(join(folder, 'dist/cjs'))) continue;
  writeFileSync(
    join(folder, 'dist/cjs/package.json'),
    `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`,
  );
}
// A package with a page has a bundle of it, too.
const pages = folders
  .map((folder) => join(folder, 'build-page.mjs'))
  .filter((page) => existsSync(page));
const failed = pages.filter(
  (page) => spawnSync(process.execPath, [page], { stdio: 'inherit' }).status !== 0,
);
process.exitCode = failed.length > 0 ? 1 : (status ?? 1);
