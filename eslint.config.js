import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', '**/*.test-d.ts', 'packages/*/test/**/*.ts'];

/** Imports that leave a package by path: siblings are reached by name only. */
const otherPackageByPath = {
  regex: '^(\\.\\./)+(?!src/)[^.]*/src/',
  message: 'Import a sibling package by its name.',
};

/** The full rule, with package.json and every kind of import, is `npm run check:arrows`; this one shows in the editor. */
const siblings = (...allowed) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          group: ['@acache/*', '@acache/*/**', ...allowed.map((name) => `!${name}`)],
          message: 'A feature package may import @acache/core only.',
        },
        otherPackageByPath,
      ],
    },
  ],
});

export default defineConfig(
  globalIgnores(['**/dist/', '**/coverage/', '**/.cache/', '**/.nx/', '**/.temp/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `entries[at] as Entry` says what is there; `!` only says that something is.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // An options type reads better as an alias where it is an intersection, as an interface where it is not.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // `V | PromiseLike<V>` and `Promise<void>` overloads are what a loader is.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // Loaders and keys are generic over one use by design: the parameter is the documentation.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Errors pass through unchanged, whatever a loader threw.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    files: tests,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      'no-restricted-properties': [
        'error',
        ...['describe', 'it', 'test'].map((object) => ({
          object,
          property: 'only',
          message: 'Run one test with `jest -t` instead.',
        })),
      ],
    },
  },
  {
    // Methods taken off their classes, and classes made for one method, are what these tests are about.
    files: [
      'packages/decorators/src/**/*.test.ts',
      'packages/decorators/test/**/*.ts',
      'packages/agent/src/**/tool-decorator*.test.ts',
    ],
    rules: {
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Tests of adapters take tools and messages of SDKs apart, whose types say less than the SDKs do.
    files: [
      'packages/agent/src/{ai-sdk,anthropic,langchain,mastra,mcp,openai-agents}/*.test.ts',
      'packages/agent/test/*.ts',
    ],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Decorators of old are a compiler option, so these have a project of their own.
    files: ['packages/decorators/**/*.legacy.test.ts', 'packages/decorators/**/*.legacy.test-d.ts'],
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: './packages/decorators/tsconfig.legacy.json',
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ['packages/agent/**/*.legacy.test.ts', 'packages/agent/**/*.legacy.test-d.ts'],
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: './packages/agent/tsconfig.legacy.json',
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: siblings('@acache/core', '@acache/core/testing', '@acache/core/values'),
  },
  {
    // A cache without type arguments takes any value: `V = any` is part of the contract. A decorator takes any function, a policy any tool.
    files: [
      'packages/core/src/**/*.ts',
      'packages/decorators/src/**/*.ts',
      'packages/agent/src/**/*.ts',
      'packages/all/src/**/*.ts',
    ],
    rules: { '@typescript-eslint/no-explicit-any': 'off' },
  },
  {
    // They put packages together.
    files: ['packages/all/src/**/*.ts', 'packages/playground/src/**/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['packages/core/src/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^[^.]', message: 'Core imports nothing: it runs wherever JavaScript does.' },
            otherPackageByPath,
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        'process',
        'Buffer',
        'global',
        'require',
        'setImmediate',
        'window',
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        clearInterval: 'readonly',
        clearTimeout: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        gc: 'readonly',
        globalThis: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        queueMicrotask: 'readonly',
        setImmediate: 'readonly',
        setInterval: 'readonly',
        setTimeout: 'readonly',
        structuredClone: 'readonly',
      },
    },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }] },
  },
);
