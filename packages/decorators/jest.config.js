import preset from '../../jest.preset.js';

const [[, [, { tsconfig }]]] = Object.entries(preset.transform);
const legacy = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** Tests named `*.legacy.test.ts` are compiled with the decorators of old; the first pattern that matches counts. */
export default {
  displayName: 'decorators',
  preset: '../../jest.preset.js',
  transform: {
    '^.+\\.legacy\\.test\\.ts$': [
      '<rootDir>/test/legacy-transformer.js',
      { ...tsconfig, ...legacy },
    ],
    ...preset.transform,
  },
};
