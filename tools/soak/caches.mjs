import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { run } from '../run.mjs';
import { repository } from '../workspace.mjs';
import { troubled } from './chaos.mjs';

/** Milliseconds in which memory trusts a Redis again that came back. */
const COHERENT_WITHIN = 20_000;
/** Milliseconds between two mishaps of the Redis; in a short run fewer, or there would be none. */
const MOST_PEACE = 15_000;

/**
 * Builds what is worked, opens it, and says how to make trouble and how to end.
 *
 * @param {{ redis: boolean, file: boolean, pause: number }} options with the milliseconds between two lines
 */
export async function openCaches(options) {
  const needed = [
    'core',
    ...(options.redis ? ['redis-tier'] : []),
    ...(options.file ? ['persist-file'] : []),
  ];
  run('npx', ['nx', 'run-many', '-t', 'build', '-p', ...needed.map((name) => `@acache/${name}`)], {
    cwd: repository,
  });
  /** @param {string} name */
  const built = (name) =>
    import(pathToFileURL(join(repository, `packages/${name}/dist/esm/index.js`)).href);
  const { AsyncCache } = /** @type {typeof import('@acache/core')} */ (await built('core'));
  const windows = /** @type {const} */ ({
    staleWhileRevalidate: '1s',
    staleIfError: '5s',
    jitter: 0.1,
    errorTtl: 100,
  });
  const folder = mkdtempSync(join(tmpdir(), 'acache-soak-'));
  /** @type {import('./traffic.mjs').Cache[]} */
  const caches = [
    new AsyncCache({
      name: 'tinylfu',
      policy: 'tinylfu',
      maxSize: 5000,
      ttl: '2s',
      refreshAhead: 0.8,
      ...windows,
    }),
    new AsyncCache({
      name: 'lru',
      maxSize: 2000,
      maxWeight: 200_000,
      weigh: ({ text }) => 1 + text.length,
      ttl: '10s',
    }),
  ];
  let cleanUp = async () => rmSync(folder, { recursive: true });
  let untilWell = async () => {};
  let trouble = { resume() {}, async pause() {}, count: () => 0 };
  if (options.file) {
    const { filePersistence } = await built('persist-file');
    const persistence = filePersistence(join(folder, 'soak.acache'));
    caches.push(
      new AsyncCache({ name: 'file', maxSize: 3000, ttl: '5s', ...windows, persistence }),
    );
  }
  if (options.redis) {
    const { startRedis } = await import('../redis/harness.mjs');
    const { redisTier } = await built('redis-tier');
    const server = await startRedis({
      args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'],
    });
    const tier = redisTier({ port: server.port });
    caches.push(new AsyncCache({ name: 'redis', maxSize: 3000, ttl: '5s', ...windows, tier }));
    trouble = troubled(server, Math.min(MOST_PEACE, options.pause / 3));
    untilWell = async () => {
      const until = performance.now() + COHERENT_WITHIN;
      while (!tier.getMetrics().coherent && performance.now() < until) await sleep(50);
    };
    const removeFolder = cleanUp;
    cleanUp = async () => {
      await server.stop();
      await removeFolder();
    };
  }
  for (const cache of caches) await cache.ready;
  return { caches, trouble, cleanUp, untilWell };
}
