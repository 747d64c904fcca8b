import ts from 'typescript';

/**
 * Compiles for Jest what is written with the decorators of old. ts-jest cannot compile two ways in one
 * project: a process keeps to the options of the file that it happens to compile first.
 */
export default {
  process(source, fileName, { config, transformerConfig }) {
    // All else as the preset has it.
    const [, , { tsconfig }] = config.transform.find(([, path]) => path.includes('ts-jest'));
    const { options } = ts.convertCompilerOptionsFromJson(
      { ...tsconfig, ...transformerConfig },
      import.meta.dirname,
    );
    const compilerOptions = { ...options, inlineSourceMap: true, sourceMap: false };
    return { code: ts.transpileModule(source, { fileName, compilerOptions }).outputText };
  },
};
