import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { repository } from '../workspace.mjs';

/**
 * Installs one npm package into .cache, unless it is there, and gives its folder.
 * @param {string} name
 * @param {string} version exact
 */
export function download(name, version) {
  const cwd = join(repository, '.cache/runtimes', `${name}-${version}`);
  const installed = join(cwd, 'node_modules', name);
  if (!existsSync(join(installed, 'package.json'))) {
    console.log(`${name} ${version}: downloading it into .cache`);
    mkdirSync(cwd, { recursive: true });
    // A runtime is put in place by the package's install script.
    const manifest = { private: true, allowScripts: { [name]: true } };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest));
    run('npm', ['install', '--prefer-offline', `${name}@${version}`], { cwd });
  }
  return installed;
}
