/** Tests named `*.legacy.test.ts` are compiled with the decorators of old; the first pattern that matches counts. */
export default {
  displayName: 'decorators',
  preset: '../../jest.preset.js',
  transform: {
    '^.+\\.legacy\\.test\\.ts$': [
      '<rootDir>/test/legacy-transformer.js',
      { experimentalDecorators: true, emitDecoratorMetadata: true },
    ],
  },
};
