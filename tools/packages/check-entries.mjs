import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { importsOf } from '../arrows/imports.mjs';
import { entriesOf } from './entries.mjs';

/** What the built entries can reach, and whether both formats load and export the same names. */
export function checkEntries({ manifest, kind, installed, consumer }) {
  const entries = entriesOf(manifest, installed);
  const problems = entries.flatMap(({ esm, cjs }) =>
    [esm, cjs].flatMap((entry) => unreachable(manifest, kind, installed, entry)),
  );
  if (problems.length > 0) return problems;
  return entries.flatMap(({ specifier }) => differentExports(specifier, consumer));
}

/** Follows the imports of a built entry through the package. Core's may not leave it at all. */
function unreachable(manifest, kind, installed, entry) {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  const allowed = (specifier) => {
    if (kind === 'core') return false;
    if (specifier.startsWith('node:')) return true;
    return Object.keys(declared).some((name) => `${specifier}/`.startsWith(`${name}/`));
  };
  const seen = new Set();
  const problems = [];
  const follow = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, line } of importsOf(file, readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('.')) follow(resolve(dirname(file), specifier));
      else if (builtinModules.includes(specifier) || !allowed(specifier)) {
        problems.push(`${relative(installed, file)}:${line} reaches '${specifier}'`);
      }
    }
  };
  follow(entry);
  return problems;
}

function differentExports(specifier, consumer) {
  const namesIn = (type, load) =>
    execFileSync(
      process.execPath,
      [
        `--input-type=${type}`,
        '-e',
        `${load}.then((m) => console.log(Object.keys(m).sort().join()))`,
      ],
      { cwd: consumer, stdio: ['ignore', 'pipe', 'pipe'] },
    )
      .toString()
      .trim();
  const esm = namesIn('module', `import('${specifier}')`);
  const cjs = namesIn('commonjs', `Promise.resolve(require('${specifier}'))`);
  return esm === cjs ? [] : [`${specifier}: import gives ${esm}\n  but require gives ${cjs}`];
}
