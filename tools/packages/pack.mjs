import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Packs a package as it would be published and unpacks it into the node_modules of a consumer.
 * @param {string} folder the package
 * @param {string} consumer the folder of an otherwise empty project
 * @returns {{ tarball: string, installed: string, files: string[] }}
 */
export function packInto(folder, consumer) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer];
  const [packed] = JSON.parse(
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString(),
  );
  const tarball = join(consumer, packed.filename);
  const installed = join(consumer, 'node_modules', packed.name);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  return { tarball, installed, files: packed.files.map(({ path }) => path) };
}
