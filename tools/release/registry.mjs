import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run } from '../run.mjs';

/**
 * Starts an empty registry on this machine, which knows no other one.
 * @param {string} folder where it keeps what is published
 * @returns {Promise<{ url: string, userconfig: string, stop: () => void }>}
 */
export async function startRegistry(folder) {
  const verdaccio = join(import.meta.dirname, 'node_modules/verdaccio/bin/verdaccio');
  if (!existsSync(verdaccio)) run('npm', ['ci', '--prefer-offline'], { cwd: import.meta.dirname });

  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      storage: join(folder, 'storage'),
      uplinks: {},
      packages: { '@acache/*': { access: '$all', publish: '$all' } },
      log: { type: 'stdout', format: 'pretty', level: 'warn' },
      web: { enable: false },
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(process.execPath, [verdaccio, '--config', config, '--listen', address], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => (output += chunk));
  }
  const url = `http://${address}/`;
  while (!(await answers(`${url}-/ping`))) {
    if (server.exitCode !== null) throw new Error(`the local registry did not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  const userconfig = join(folder, 'npmrc');
  writeFileSync(userconfig, `registry=${url}\n//${address}/:_authToken=rehearsal\n`);
  return { url, userconfig, stop: () => server.kill() };
}

const answers = (url) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(address !== null && typeof address === 'object' ? address.port : 0),
      );
    });
  });
}
