#!/usr/bin/env node
// Checks that each lock file is complete, in step with its package.json files, and names no registry.
// npm leaves out of the lock what a registry does not have (platform packages of a new release, say);
// `npm ci` then fails on a clean clone although everything worked where the lock was written.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dependencyFields, readJson, readPackages, repository } from './workspace.mjs';

const root = process.argv[2] ?? repository;
const projects = ['.', ...readdirSync(join(root, 'tools')).map((name) => `tools/${name}`)].filter(
  (folder) => existsSync(join(root, folder, 'package.json')),
);

const problems = projects.flatMap((folder) => checkLock(folder));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(
    `\n${problems.length} problems: pin the version before (see CONTRIBUTING.md), and npm install again.`,
  );
  process.exitCode = 1;
} else {
  console.log(`check-lock: ${projects.length} lock files are complete`);
}

function checkLock(folder) {
  const file = join(folder, 'package-lock.json');
  if (!existsSync(join(root, file))) return [`${file} is missing`];
  const entries = readJson(join(root, file)).packages;
  return [
    ...missing(entries),
    ...registries(entries),
    ...(folder === '.' ? workspaces() : ['']).flatMap((workspace) =>
      outOfStep(entries[workspace], readJson(join(root, folder, workspace, 'package.json'))),
    ),
  ].map((problem) => `${file}: ${problem}`);
}

/** The folders of what the root's lock is for, itself included. */
function workspaces() {
  const docs = existsSync(join(root, 'docs/package.json')) ? ['docs'] : [];
  return ['', ...docs, ...readPackages(root).map((pkg) => pkg.folder)];
}

function missing(entries) {
  return Object.entries(entries).flatMap(([path, entry]) => {
    const isProject = !path.includes('node_modules/');
    const optionalPeers = Object.entries(entry.peerDependenciesMeta ?? {})
      .filter(([, meta]) => meta.optional)
      .map(([name]) => name);
    const needed = dependencyFields
      .filter((field) => isProject || field !== 'devDependencies')
      .flatMap((field) => Object.keys(entry[field] ?? {}))
      .filter((name) => !optionalPeers.includes(name));
    return needed
      .filter((name) => !resolves(entries, path, name))
      .map((name) => `${path || 'the root'} needs ${name}, which has no entry`);
  });
}

/** Looks a name up as Node does: in the node_modules of the dependent's folder, then of each folder above it. */
function resolves(entries, path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    if (entries[`${at}${at && '/'}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

function registries(entries) {
  return Object.entries(entries)
    .filter(([, { resolved, link }]) => resolved !== undefined && !link)
    .map(([path]) => `${path} names a registry, which .npmrc should prevent`);
}

function outOfStep(entry, manifest) {
  if (entry === undefined) return [`${manifest.name} has no entry`];
  return dependencyFields
    .filter((field) => !same(entry[field], manifest[field]))
    .map((field) => `${manifest.name}: ${field} differ from package.json`);
}

function same(one = {}, other = {}) {
  const sorted = (record) => JSON.stringify(Object.entries(record).sort());
  return sorted(one) === sorted(other);
}
