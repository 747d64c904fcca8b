/**
 * What a new package starts with: the smallest thing that passes every check.
 * @param {{ name: string, sentence: string, coreVersion: string, license: string }} options
 * @returns {Record<string, string>} contents by path inside the package
 */
export function filesOf({ name, sentence, coreVersion, license }) {
  const main = camelCase(name);
  return {
    'package.json': json(manifestOf({ name, sentence, coreVersion })),
    'README.md': readme({ name, main, sentence }),
    LICENSE: license,
    'jest.config.js': `export default { displayName: '${name}', preset: '../../jest.preset.js' };\n`,
    'tsconfig.json': json({
      extends: '../../tsconfig.base.json',
      compilerOptions: { noEmit: true, types: ['node', 'jest'] },
      include: ['src', 'test'],
    }),
    'tsconfig.esm.json': json(buildConfig('esm', {})),
    'tsconfig.cjs.json': json(
      buildConfig('cjs', {
        module: 'commonjs',
        moduleResolution: 'bundler',
        verbatimModuleSyntax: false,
      }),
    ),
    'src/index.ts': `export { ${main} } from './${name}.js';\n`,
    [`src/${name}.ts`]: `import type { Loader } from '@acache/core';

/** ${sentence} */
export function ${main}<K, V>(loader: Loader<K, V>): Loader<K, V> {
  return (key, context) => loader(key, context);
}
`,
    [`src/${name}.test.ts`]: `import { AsyncCache } from '@acache/core';
import { ${main} } from './${name}.js';

describe('${main}', () => {
  it('loads what the loader it wraps loads', async () => {
    const cache = new AsyncCache();
    expect(await cache.get('key', ${main}(() => 'value'))).toBe('value');
    await cache.close();
  });
});
`,
  };
}

export function camelCase(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

export const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Version 0.0.0 and a major changeset: the first release is 1.0.0 and has a changelog. */
function manifestOf({ name, sentence, coreVersion }) {
  const repository = 'https://github.com/acache/acache';
  return {
    name: `@acache/${name}`,
    version: '0.0.0',
    description: sentence,
    keywords: ['cache', ...name.split('-')],
    license: 'MIT',
    author: 'acache contributors',
    homepage: `${repository}/tree/main/packages/${name}#readme`,
    repository: { type: 'git', url: `git+${repository}.git`, directory: `packages/${name}` },
    bugs: `${repository}/issues`,
    type: 'module',
    sideEffects: false,
    exports: {
      '.': {
        import: { types: './dist/esm/index.d.ts', default: './dist/esm/index.js' },
        require: { types: './dist/cjs/index.d.ts', default: './dist/cjs/index.js' },
      },
      './package.json': './package.json',
    },
    main: './dist/cjs/index.js',
    module: './dist/esm/index.js',
    types: './dist/cjs/index.d.ts',
    files: ['dist', 'src', '!dist/*.tsbuildinfo', '!src/**/*.test.ts', '!src/**/*.test-d.ts'],
    engines: { node: '>=20' },
    // A peer, so that a feature never brings a second copy of core along.
    peerDependencies: { '@acache/core': `^${coreVersion}` },
    publishConfig: { access: 'public', provenance: true },
    nx: { targets: { lint: {}, typecheck: {}, test: {}, build: {}, pack: {} } },
  };
}

function buildConfig(format, options) {
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      composite: true,
      rootDir: 'src',
      outDir: `dist/${format}`,
      tsBuildInfoFile: `dist/${format}.tsbuildinfo`,
      ...options,
    },
    include: ['src'],
    exclude: ['src/**/*.test.ts', 'src/**/*.test-d.ts'],
    references: [{ path: `../core/tsconfig.${format}.json` }],
  };
}

function readme({ name, main, sentence }) {
  return `# @acache/${name}

${sentence}

\`\`\`sh
npm install @acache/core @acache/${name}
\`\`\`

\`\`\`ts
import { AsyncCache } from '@acache/core';
import { ${main} } from '@acache/${name}';

const cache = new AsyncCache();
const value = await cache.get(
  'key',
  ${main}(() => 'value'),
); // 'value'
\`\`\`

## When to use it

- Say here which problem it solves.
- Say here when it does not help, and what does.

## Options

| option | unit | default | meaning |
| ------ | ---- | ------- | ------- |

## With its siblings

Show here one example together with another package of the family.

## Links

- [All packages](../../README.md)
- [Changes](./CHANGELOG.md)
`;
}
