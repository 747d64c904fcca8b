import preset from '../../jest.preset.js';

const [[, [transformer, options]]] = Object.entries(preset.transform);
const legacy = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** Tests named `*.legacy.test.ts` are compiled with the decorators of old; the first pattern that matches counts. */
export default {
  displayName: 'decorators',
  preset: '../../jest.preset.js',
  transform: {
    '^.+\\.legacy\\.test\\.ts$': [
      transformer,
      { ...options, tsconfig: { ...options.tsconfig, ...legacy } },
    ],
    ...preset.transform,
  },
};
