import { join } from 'node:path';

const packages = join(import.meta.dirname, 'packages');

/** What every project's tests share: TypeScript is only stripped (types are the typecheck target's job), siblings resolve to source. */
export default {
  testEnvironment: join(import.meta.dirname, 'tools/jest/context-free-environment.cjs'),
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/.cache/'],
  modulePathIgnorePatterns: ['/dist/', '/\\.cache/'],
  moduleNameMapper: {
    '^@acache/([^/]+)$': `${packages}/$1/src/index.ts`,
    '^@acache/([^/]+)/(.+)$': `${packages}/$1/src/$2.ts`,
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          rootDir: import.meta.dirname,
          target: 'es2022',
          lib: ['es2023', 'esnext.disposable', 'dom'],
          module: 'commonjs',
          moduleResolution: 'bundler',
          isolatedModules: true,
          esModuleInterop: true,
          sourceMap: true,
        },
      },
    ],
  },
};
