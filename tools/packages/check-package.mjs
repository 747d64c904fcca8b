#!/usr/bin/env node
// Checks the built package in the current folder as those who install it will get it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, readPackages, repository, siblingsOf } from '../workspace.mjs';
import { checkContents } from './check-contents.mjs';
import { checkEntries } from './check-entries.mjs';
import { checkManifest } from './check-manifest.mjs';
import { checkTreeShaking, compressedSize } from './check-tree-shaking.mjs';
import { checkTypes } from './check-types.mjs';
import { packInto } from './pack.mjs';

const folder = process.cwd();
const manifest = readJson(join(folder, 'package.json'));
const packages = readPackages();
const kind = packages.find(({ name }) => name === manifest.name)?.kind;

// Inside the repository, so that external dependencies are found as installed for the workspace.
mkdirSync(join(repository, '.cache'), { recursive: true });
const consumer = mkdtempSync(join(repository, '.cache/consumer-'));
try {
  const packed = packInto(folder, consumer);
  for (const needed of withTheirSiblings(manifest))
    packInto(join(repository, needed.folder), consumer);

  const subject = { ...packed, manifest, kind, consumer };
  const problems = [];
  for (const check of [checkContents, checkManifest, checkEntries, checkTreeShaking, checkTypes]) {
    try {
      problems.push(...(await check(subject)));
    } catch (error) {
      problems.push(`${check.name} failed: ${error instanceof Error ? error.message : error}`);
    }
  }

  for (const problem of problems) console.error(`${manifest.name}: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else {
    console.log(
      `${manifest.name}: contents, manifest, entries, tree shaking and types are fine; ` +
        `${packed.files.length} files, ${await compressedSize(subject)} bytes minified and compressed`,
    );
  }
} finally {
  rmSync(consumer, { recursive: true });
}

/** The siblings a package needs, and those they need. */
function withTheirSiblings(from, found = new Set()) {
  for (const sibling of siblingsOf(from, packages)) {
    if (found.has(sibling)) continue;
    found.add(sibling);
    withTheirSiblings(sibling.manifest, found);
  }
  return found;
}
