import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * @typedef {'core' | 'feature' | 'tool' | 'all' | 'example'} Kind
 * @typedef {Record<string, any>} Manifest
 * @typedef {{ name: string, folder: string, kind: Kind, manifest: Manifest }} Package
 */

export const repository = join(import.meta.dirname, '..');

/** Every field of a package.json that makes one package depend on another. */
export const dependencyFields = [
  'dependencies',
  'devDependencies',
  'peerDependencies',
  'optionalDependencies',
];

/** @returns {any} */
export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/**
 * The packages and examples of a workspace, read from their package.json files.
 * @param {string} [root]
 * @returns {Package[]}
 */
export function readPackages(root = repository) {
  return ['packages', 'examples'].flatMap((parent) =>
    foldersIn(join(root, parent))
      .filter((name) => existsSync(join(root, parent, name, 'package.json')))
      .map((name) => {
        const manifest = readJson(join(root, parent, name, 'package.json'));
        const folder = `${parent}/${name}`;
        return { name: manifest.name, folder, kind: kindOf(folder, manifest), manifest };
      }),
  );
}

/**
 * `packages/core` and `packages/all` are what their names say, a package.json with `"acache": { "kind": "tool" }` is a
 * tool (a playground, a metrics page), whatever is in `examples` is an example, and the rest are features.
 * @returns {Kind}
 */
function kindOf(folder, manifest) {
  if (folder.startsWith('examples/')) return 'example';
  if (folder === 'packages/core') return 'core';
  if (folder === 'packages/all') return 'all';
  const kind = manifest.acache?.kind ?? 'feature';
  if (kind !== 'feature' && kind !== 'tool') {
    throw new Error(
      `${folder}/package.json: acache.kind must be 'feature' or 'tool', got '${kind}'`,
    );
  }
  return kind;
}

/** The names of the workspace's packages that this one's package.json names, in any field. */
export function siblingsOf(manifest, packages) {
  const names = dependencyFields.flatMap((field) => Object.keys(manifest[field] ?? {}));
  return packages.filter(({ name }) => names.includes(name));
}

const skipped = new Set(['node_modules', 'dist', 'coverage', '.cache', '.nx']);

/**
 * The files under a folder that people wrote, as paths with `/` relative to it.
 * @returns {string[]}
 */
export function filesIn(folder) {
  const walk = (inside) =>
    readdirSync(inside, { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const path = join(inside, entry.name);
      return entry.isDirectory() ? walk(path) : [relative(folder, path).split(sep).join('/')];
    });
  return walk(folder).sort();
}

function foldersIn(parent) {
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
