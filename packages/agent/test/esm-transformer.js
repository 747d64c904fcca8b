import { transformSync } from 'esbuild';

/** Compiles packages for Jest, which can neither require ES modules nor import them from CommonJS ones. */
export default {
  process(source, sourcefile) {
    const { code } = transformSync(source, {
      sourcefile,
      format: 'cjs',
      loader: 'js',
      target: 'node20',
      supported: { 'dynamic-import': false },
      sourcemap: 'inline',
      sourcesContent: false,
    });
    return { code };
  },
};
