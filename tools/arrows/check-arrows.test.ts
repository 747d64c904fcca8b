import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

type Files = Record<string, string | object>;

const entries = { '.': './src/index.ts', './testing': './src/testing.ts' };
const onCore = { '@acache/core': '^1.0.0' };

function tsconfigs(folder: string, ...references: string[]): Files {
  return Object.fromEntries(
    ['esm', 'cjs'].map((format) => [
      `${folder}/tsconfig.${format}.json`,
      { references: references.map((to) => ({ path: `../${to}/tsconfig.${format}.json` })) },
    ]),
  );
}

/** A small workspace in which every arrow is allowed; each case below changes one file of it. */
const allowed: Files = {
  'packages/core/package.json': { name: '@acache/core', version: '1.0.0', exports: entries },
  'packages/core/src/index.ts': `export { key } from './key.js';`,
  'packages/core/src/key.ts': `export const key = 1; // import 'node:fs'`,
  'packages/core/src/key.test.ts': `import { readFileSync } from 'node:fs';`,
  ...tsconfigs('packages/core'),
  'packages/batch/package.json': {
    name: '@acache/batch',
    version: '1.0.0',
    exports: entries,
    peerDependencies: onCore,
  },
  'packages/batch/src/index.ts': `import type { Loader } from '@acache/core'; import 'node:timers';`,
  'packages/batch/src/index.test.ts': `import { fakeClock } from '@acache/core/testing'; import '../../../tools/redis.js';`,
  ...tsconfigs('packages/batch', 'core'),
  'packages/redis/package.json': {
    name: '@acache/redis',
    version: '1.0.0',
    exports: entries,
    dependencies: { ...onCore, ioredis: '^6.0.0' },
  },
  'packages/redis/src/index.ts': `import 'ioredis';`,
  ...tsconfigs('packages/redis', 'core'),
  'packages/all/package.json': {
    name: '@acache/all',
    version: '1.0.0',
    exports: entries,
    dependencies: { ...onCore, '@acache/batch': '^1.0.0', '@acache/redis': '^1.0.0' },
  },
  'packages/all/src/index.ts': `export { batch } from '@acache/batch';`,
  ...tsconfigs('packages/all', 'core', 'batch', 'redis'),
  'packages/metrics/package.json': {
    name: '@acache/metrics',
    version: '1.0.0',
    exports: entries,
    acache: { kind: 'tool' },
    dependencies: { '@acache/batch': '^1.0.0', '@acache/all': '^1.0.0' },
    devDependencies: { preact: '11.0.0' },
  },
  'packages/metrics/src/index.ts': `import '@acache/all';`,
  'packages/metrics/page/main.tsx': `import 'preact/hooks'; import type {} from '@acache/batch';`,
  'packages/metrics/build-page.mjs': `import 'esbuild';`,
  ...tsconfigs('packages/metrics', 'batch', 'all'),
  'examples/first/package.json': {
    name: '@acache-examples/first',
    private: true,
    dependencies: { '@acache/all': '^1.0.0' },
  },
  'examples/first/main.ts': `import '@acache/all';`,
  'tsconfig.build.json': {
    references: ['all', 'batch', 'core', 'metrics', 'redis'].flatMap((name) => [
      { path: `./packages/${name}/tsconfig.esm.json` },
      { path: `./packages/${name}/tsconfig.cjs.json` },
    ]),
  },
};

const core = 'packages/core/src/key.ts';
const batch = 'packages/batch/src/index.ts';
const manifest = (folder: string, change: object): Files => ({
  [`${folder}/package.json`]: { ...(allowed[`${folder}/package.json`] as object), ...change },
});

const violations: [what: string, change: Files, message: string][] = [
  ['core importing a feature', { [core]: `import '@acache/batch';` }, 'core depends on nothing'],
  ['core importing a library', { [core]: `import 'lodash';` }, 'core depends on nothing'],
  ['core importing node:', { [core]: `import type { X } from 'node:fs';` }, 'wherever JavaScript'],
  ['core importing a bare builtin', { [core]: `import 'fs';` }, 'wherever JavaScript'],
  [
    "core's tests importing a feature",
    { 'packages/core/src/key.test.ts': `import '@acache/batch';` },
    'core depends on nothing',
  ],
  ['a feature importing a feature', { [batch]: `import '@acache/redis';` }, 'on core only'],
  ['a feature importing all', { [batch]: `import '@acache/all';` }, 'on core only'],
  ['export from', { [batch]: `export * from '@acache/redis';` }, 'on core only'],
  ['import()', { [batch]: 'await import(`@acache/redis`);' }, 'on core only'],
  ['require()', { [batch]: `require('@acache/redis');` }, 'on core only'],
  ['import = require()', { [batch]: `import x = require('@acache/redis');` }, 'on core only'],
  ['an import type', { [batch]: `let x: import('@acache/redis').X;` }, 'on core only'],
  ['declare module', { [batch]: `declare module '@acache/redis' {}` }, 'on core only'],
  [
    'a mock in a test',
    { 'packages/batch/src/index.test.ts': `jest.mock('@acache/redis');` },
    'on core only',
  ],
  [
    'a path into a sibling',
    { [batch]: `import '../../core/src/key.js';` },
    'leaves packages/batch',
  ],
  ['a path into tools', { [batch]: `import '../../../tools/x.js';` }, 'leaves packages/batch'],
  ['an absolute path', { [batch]: `import '/packages/core/src/key.js';` }, 'by name only'],
  ['a deep import', { [batch]: `import '@acache/core/src/key';` }, "does not export './src/key'"],
  ['an unknown sibling', { [batch]: `import '@acache/nothing';` }, 'no such package'],
  ['an undeclared library', { [batch]: `import 'lodash';` }, 'does not name lodash'],
  [
    'a sibling that is declared for development only',
    manifest('packages/batch', { peerDependencies: {}, devDependencies: onCore }),
    'does not name @acache/core in its dependencies or peerDependencies',
  ],
  [
    'a package importing an example',
    { 'packages/all/src/index.ts': `import '@acache-examples/first';` },
    'nothing depends on an example',
  ],
  [
    'a feature importing a tool',
    { [batch]: `import '@acache/metrics';` },
    'a feature depends on core only',
  ],
  [
    'a tool with an example in its dependencies',
    manifest('packages/metrics', { dependencies: { '@acache-examples/first': '^1.0.0' } }),
    'nothing depends on an example',
  ],
  [
    'a page importing what would have to be installed',
    { 'packages/metrics/page/main.tsx': `import 'lodash';` },
    'does not name lodash in its devDependencies',
  ],
  [
    'a page importing node:',
    { 'packages/metrics/page/main.tsx': `import 'node:fs';` },
    'a page runs in a browser',
  ],
  ...['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'].flatMap(
    (field): [string, Files, string][] => [
      [
        `core with ${field}`,
        manifest('packages/core', { [field]: { lodash: '^4.0.0' } }),
        `${field} has lodash, but core depends on nothing`,
      ],
      [
        `a feature with a feature in its ${field}`,
        manifest('packages/redis', { [field]: { ...onCore, '@acache/batch': '^1.0.0' } }),
        `${field} has @acache/batch, but a feature depends on core only`,
      ],
    ],
  ),
  [
    'a sibling by path in package.json',
    manifest('packages/batch', { peerDependencies: { '@acache/core': 'file:../core' } }),
    'only a version range works',
  ],
  [
    'a reference that is missing',
    tsconfigs('packages/batch'),
    'references lack packages/core/tsconfig.cjs.json',
  ],
  [
    'a reference too many',
    tsconfigs('packages/redis', 'core', 'batch'),
    'references have packages/batch/tsconfig.esm.json',
  ],
  [
    'a package that the build does not know',
    { 'tsconfig.build.json': { references: [] } },
    'tsconfig.build.json: references lack packages/all/tsconfig.esm.json',
  ],
  [
    'an unknown kind',
    manifest('packages/batch', { acache: { kind: 'thing' } }),
    "acache.kind must be 'feature' or 'tool', got 'thing'",
  ],
];

/** What the check finds in workspaces of these files; one process looks at all of them. */
function check(workspaces: Files[]): string[][] {
  const scratch = mkdtempSync(join(tmpdir(), 'acache-arrows-'));
  try {
    const roots = workspaces.map((files, index) => {
      const root = join(scratch, String(index));
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        const text = typeof content === 'string' ? content : JSON.stringify(content);
        writeFileSync(join(root, path), text);
      }
      return root;
    });
    const script = `
      import { findViolations } from ${JSON.stringify(pathToFileURL(join(__dirname, 'violations.mjs')))};
      const found = process.argv.slice(1).map((root) => {
        try { return findViolations(root); } catch (error) { return [error.message]; }
      });
      console.log(JSON.stringify(found));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script, ...roots]);
    return JSON.parse(output.toString()) as string[][];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

describe('check-arrows', () => {
  const [inAllowed, ...found] = check([
    allowed,
    ...violations.map(([, change]) => ({ ...allowed, ...change })),
  ]);

  it('allows feature to core, all to features, tools and examples to what they show', () => {
    expect(inAllowed).toEqual([]);
  });

  it.each(violations.map(([what, , message], index) => ({ what, message, index })))(
    'refuses $what',
    ({ message, index }) => {
      expect(found[index]).toContainEqual(expect.stringContaining(message));
    },
  );
});
