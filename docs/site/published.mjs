import { readPackages } from '../../tools/workspace.mjs';

const order = ['core', 'feature', 'tool', 'all'];
const packages = readPackages()
  .filter(({ manifest }) => !manifest.private)
  .sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));

/**
 * The address at which the repository can be seen.
 * @type {string}
 */
export const repositoryUrl = packages[0]?.manifest.repository.url.replace(/^git\+|\.git$/g, '');

/**
 * What can be imported of the published packages, each with its source: core first, `all` last.
 * @returns {{ specifier: string, source: string }[]}
 */
export function publishedEntries() {
  return packages.flatMap(({ name, folder, manifest }) =>
    Object.keys(manifest.exports)
      .filter((subpath) => !subpath.endsWith('.json'))
      .map((subpath) => ({
        specifier: name + subpath.slice(1),
        source: `${folder}/src/${subpath === '.' ? 'index' : subpath.slice(2)}.ts`,
      })),
  );
}
