import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { PageBundle } from '../src/page/bundle.js';

/** What a browser would load, bundled from the sources as they are. */
export function builtPage(): PageBundle {
  const script = join(__dirname, '../build-page.mjs');
  const output = execFileSync(process.execPath, [script, '--print'], { maxBuffer: 2 ** 24 });
  return JSON.parse(output.toString()) as PageBundle;
}
