#!/usr/bin/env node
// npm run test:runtimes: builds the packages and runs the smoke program on their built files, everywhere they are meant to run.
// npm run test:runtimes -- bun deno: only there.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packInto } from '../packages/pack.mjs';
import { startRedis } from '../redis/harness.mjs';
import { run } from '../run.mjs';
import { repository } from '../workspace.mjs';
import { smokeInChromium } from './chromium.mjs';
import { download } from './download.mjs';

/** @type {Record<string, (folder: string, smoke: string[]) => string | Promise<string>>} */
const runtimes = {
  node: (cwd, smoke) => run(process.execPath, smoke, { cwd }),
  bun: (cwd, smoke) => run(join(download('bun', '1.4.4'), 'bin/bun.exe'), smoke, { cwd }),
  deno: (cwd, smoke) =>
    run('node', [join(download('deno', '2.9.6'), 'bin.cjs'), 'run', '-A', ...smoke], { cwd }),
  chromium: smokeInChromium,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in runtimes));
if (unknown !== undefined) {
  console.error(`the runtimes are ${Object.keys(runtimes).join(', ')}, got '${unknown}'`);
  process.exit(1);
}

const packages = [
  'core',
  'agent',
  'batch',
  'decorators',
  'keyv-tier',
  'metrics',
  'persist-file',
  'redis-tier',
];
run(
  'npx',
  ['nx', 'run-many', '-t', 'build', '-p', packages.map((name) => `@acache/${name}`).join()],
  {
    cwd: repository,
  },
);
mkdirSync(join(repository, '.cache'), { recursive: true });
const folder = mkdtempSync(join(repository, '.cache/smoke-'));
const redis = await startRedis();
try {
  // A project of its own, as users have one: Bun, for one, would follow this workspace's tsconfig paths to the sources.
  for (const name of packages) packInto(join(repository, 'packages', name), folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // A peer of the Redis tier, with what it needs itself.
  symlinkSync(join(repository, 'node_modules/ioredis'), join(folder, 'node_modules/ioredis'));
  for (const file of ['promises.mjs', 'smoke.mjs', 'server-smoke.mjs', 'run-smoke.mjs']) {
    copyFileSync(join(import.meta.dirname, file), join(folder, file));
  }
  for (const name of asked.length > 0 ? asked : Object.keys(runtimes)) {
    try {
      const smoke = ['run-smoke.mjs', join(folder, `${name}.acache`), redis.url];
      console.log(`${name}: ${(await runtimes[name](folder, smoke)).trim()}`);
    } catch (error) {
      console.error(`${name}: FAILED\n${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
    }
  }
} finally {
  await redis.stop();
  rmSync(folder, { recursive: true });
}
