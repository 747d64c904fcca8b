import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync, transformSync } from 'esbuild';

const packages = join(__dirname, '../..');
let home: string | undefined;

afterAll(() => {
  if (home !== undefined) rmSync(home, { recursive: true });
});

/** A folder in which Node finds the sources of this package and of core by their names, without a build. */
export function folderWithLibrary(): string {
  if (home !== undefined) return home;
  home = mkdtempSync(join(tmpdir(), 'acache-decorators-'));
  const scope = join(home, 'node_modules/@acache');
  buildSync({
    entryPoints: {
      'core/index': join(packages, 'core/src/index.ts'),
      'core/testing': join(packages, 'core/src/testing.ts'),
      'decorators/index': join(packages, 'decorators/src/index.ts'),
    },
    alias: { '@acache/core': join(packages, 'core/src/index.ts') },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    outdir: scope,
    outExtension: { '.js': '.mjs' },
  });
  const exports = { '.': './index.mjs', './testing': './testing.mjs' };
  for (const name of ['core', 'decorators']) {
    writeFileSync(join(scope, name, 'package.json'), JSON.stringify({ exports }));
  }
  writeFileSync(join(home, 'package.json'), JSON.stringify({ type: 'module' }));
  return home;
}

/** How a script ended in a process of its own. */
export interface ScriptResult {
  /** The exit code; `null` when it had not ended by itself in time. */
  readonly code: number | null;
  readonly stderr: string;
  /** What it printed last, read as JSON. */
  readonly answer: unknown;
}

/**
 * Runs a file of the folder in a process of its own. Garbage is collected on demand (`gc()`), and a
 * rejection that nobody handles ends the process with an error.
 */
export function runFile(file: string, ...flags: string[]): ScriptResult {
  const own = ['--expose-gc', '--unhandled-rejections=strict', '--no-warnings'];
  const { status, stderr, stdout } = spawnSync(process.execPath, [...own, ...flags, file], {
    cwd: folderWithLibrary(),
    encoding: 'utf8',
    timeout: 30_000,
  });
  const last = stdout.trim().split('\n').at(-1);
  return {
    code: status,
    stderr,
    answer: last === undefined || last === '' ? undefined : JSON.parse(last),
  };
}

let scripts = 0;

/**
 * Runs a script in TypeScript in a process of its own, where `answer(value)` prints what the test wants
 * to know, and hands that on. The script has to end well.
 *
 * @param decorators - of which kind those in the script are
 */
export function answerOf(script: string, decorators: 'TC39' | 'legacy' = 'TC39'): unknown {
  const source = `
    import { AsyncCache } from '@acache/core';
    import { asCached, AsyncLRU, AsyncTTL, cached, invalidates } from '@acache/decorators';
    const answer = (value) => console.log(JSON.stringify(value));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    /** Collects what can be collected; what is only weakly held is let go between turns. */
    const collect = async () => {
      for (let round = 0; round < 6; round++) {
        await turn();
        gc();
      }
      await turn();
    };
    ${script}
  `;
  const { code } = transformSync(source, {
    loader: 'ts',
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: decorators === 'legacy' } },
  });
  const file = join(folderWithLibrary(), `script-${++scripts}.mjs`);
  writeFileSync(file, code);
  const { answer, ...end } = runFile(file);
  expect(end).toEqual({ code: 0, stderr: '' });
  return answer;
}
