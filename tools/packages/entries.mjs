import { join } from 'node:path';

/**
 * The importable subpaths of a package, with the file that each format gets.
 * @returns {{ specifier: string, esm: string, cjs: string }[]}
 */
export function entriesOf({ name, exports }, installed) {
  return Object.entries(exports)
    .filter(([subpath]) => !subpath.endsWith('.json'))
    .map(([subpath, { import: esm, require: cjs }]) => ({
      specifier: name + subpath.slice(1),
      esm: join(installed, esm.default),
      cjs: join(installed, cjs.default),
    }));
}
