import { join } from 'node:path';
import { buildSync } from 'esbuild';

const packages = join(__dirname, '..', '..');

/** Makes one script of a file of this folder and all that it imports, for a process of its own. */
export function bundle(name: string, outfile: string): void {
  buildSync({
    entryPoints: [join(__dirname, name)],
    bundle: true,
    platform: 'node',
    outfile,
    logLevel: 'error',
    alias: {
      '@acache/core/values': join(packages, 'core/src/values.ts'),
      '@acache/core': join(packages, 'core/src/index.ts'),
    },
  });
}
