/** Tests named `*.legacy.test.ts` are compiled with the decorators of old; the first pattern that matches counts. */
export default {
  displayName: 'agent',
  preset: '../../jest.preset.js',
  transform: {
    '^.+\\.legacy\\.test\\.ts$': [
      '<rootDir>/test/legacy-transformer.js',
      { experimentalDecorators: true, emitDecoratorMetadata: true },
    ],
    '/node_modules/.+\\.[cm]?js$': '<rootDir>/test/esm-transformer.js',
  },
  // What is there as ES modules only, or imports such modules by the way: the AI SDK from version 7 on, and Mastra.
  transformIgnorePatterns: [
    '/node_modules/(?!(ai|@ai-sdk|@mastra|@workflow|eventsource-parser|is-network-error|p-map|p-retry|zod)/)',
  ],
};
