import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

/** How a script ended in a process of its own. */
export interface ScriptResult {
  /** The exit code; `null` when it had not ended by itself in time. */
  readonly code: number | null;
  /** What it printed last, read as JSON. */
  readonly answer: unknown;
  readonly stderr: string;
  readonly ms: number;
}

let library: string | undefined;

afterAll(() => {
  if (library !== undefined) rmSync(dirname(library), { recursive: true });
});

/** Bundles core's sources once, as a script in a process of its own imports them. */
function bundle(): string {
  if (library !== undefined) return library;
  const folder = mkdtempSync(join(tmpdir(), 'acache-core-'));
  library = join(folder, 'core.mjs');
  buildSync({
    stdin: {
      contents: `export * from './index.js'; export * from './testing.js';`,
      resolveDir: join(__dirname, '../src'),
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    outfile: library,
  });
  return library;
}

/**
 * Runs a script in a process of its own, where `core` is the library and `answer(value)` prints what
 * the test wants to know. Garbage is collected on demand (`gc()`), and a rejection that nobody
 * handles ends the process with an error.
 */
export function runScript(source: string, limitMs = 60_000): ScriptResult {
  const script = `
    import * as core from ${JSON.stringify(pathToFileURL(bundle()).href)};
    import { AsyncLocalStorage } from 'node:async_hooks';
    const { AsyncCache, fakeClock } = core;
    const answer = (value) => console.log(JSON.stringify(value));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    /** Collects what can be collected, at most until these are gone; what is only weakly held is let go between turns. */
    const collect = async (refs = []) => {
      const remain = () => refs.some((ref) => ref.deref() !== undefined);
      for (let round = 0; round < 5 || (round < 50 && remain()); round++) {
        await turn();
        gc();
      }
    };
    ${source}
  `;
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--unhandled-rejections=strict',
      '--no-warnings',
      '--input-type=module',
      '--eval',
      script,
    ],
    { encoding: 'utf8', timeout: limitMs },
  );
  const last = stdout.trim().split('\n').at(-1);
  return {
    code: status,
    answer: last === undefined || last === '' ? undefined : JSON.parse(last),
    stderr,
    ms: performance.now() - begun,
  };
}
