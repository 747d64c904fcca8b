// The harness for programs that run without jest: benchmarks, examples, scripts. Node 20 does not read TypeScript.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const folder = join(import.meta.dirname, '../../.cache/redis');
const outfile = join(folder, `harness-${process.pid}.mjs`);
mkdirSync(folder, { recursive: true });
buildSync({
  entryPoints: [join(import.meta.dirname, 'index.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  define: { __dirname: JSON.stringify(import.meta.dirname) },
});

/** @type {typeof import('./index.js')} */
const harness = await import(outfile);
rmSync(outfile);

export const { startRedis, startSentinel, startCluster, startProxy, findRedis, freePort, until } =
  harness;
