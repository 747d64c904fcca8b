import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const LOCK = `${FOLDER}package-lock.json`;
const INSTALLED = `${FOLDER}node_modules/.package-lock.json`;

/**
 * Installs what package-lock.json names, unless that was done since it last changed.
 *
 * @throws {Error} with what npm said
 */
export function installPeers() {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs) return;
  console.error('Installing the peers …');
  // Two of them declare Node 22; they run on 20, and npm only warns.
  const arguments_ = ['ci', '--prefix', FOLDER, '--loglevel', 'error', '--no-audit', '--no-fund'];
  const install = spawnSync('npm', arguments_, {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (install.status !== 0) {
    throw new Error(`npm ci in tools/bench failed.\n${install.stdout}${install.stderr}`);
  }
}
