import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { folderWithLibrary, runFile } from '../test/library.js';

const fixtures = join(__dirname, '../test/fixtures');
const reflectMetadata = pathToFileURL(createRequire(__filename).resolve('reflect-metadata')).href;

type Fixture = 'standard' | 'legacy';

/** What was read once, which is most of the work: the library of TypeScript, and the sources. */
const read = new Map<string, ts.SourceFile | undefined>();

function hostFor(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    getSourceFile(name, ...how) {
      if (!read.has(name)) read.set(name, host.getSourceFile(name, ...how));
      return read.get(name);
    },
  };
}

function programOf(fixture: Fixture): { program: ts.Program; errors: ts.Diagnostic[] } {
  const legacy = fixture === 'legacy';
  const config = {
    extends: '../../../../tsconfig.base.json',
    compilerOptions: { experimentalDecorators: legacy, emitDecoratorMetadata: legacy },
    files: [`${fixture}.ts`],
  };
  const { errors, fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, fixtures);
  return { program: ts.createProgram(fileNames, options, hostFor(options)), errors };
}

/** Compiles a fixture as `tsc` does, against the types of the sources, and for an older platform as well. */
function compile(fixture: Fixture) {
  const { errors, program } = programOf(fixture);
  const file = program.getSourceFile(join(fixtures, `${fixture}.ts`))!;
  const diagnostics = [...errors, ...ts.getPreEmitDiagnostics(program, file)];
  const modern = join(folderWithLibrary(), `${fixture}.js`);
  program.emit(file, (name, text) => {
    if (name.endsWith('.js')) writeFileSync(modern, text);
  });
  const older = join(folderWithLibrary(), `${fixture}-es2015.js`);
  const compilerOptions = {
    ...program.getCompilerOptions(),
    module: ts.ModuleKind.ES2015,
    target: ts.ScriptTarget.ES2015,
  };
  writeFileSync(older, ts.transpileModule(file.text, { compilerOptions }).outputText);
  return {
    modern,
    older,
    signatures: signaturesOf(program, file),
    diagnostics: ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => fixtures,
      getNewLine: () => '\n',
    }),
  };
}

/** How the compiler shows what a file exports, and its properties, to those who call it. */
function signaturesOf(program: ts.Program, file: ts.SourceFile) {
  const checker = program.getTypeChecker();
  const all = checker.getExportsOfModule(checker.getSymbolAtLocation(file)!);
  return (name: string, property?: string): string[] => {
    let type = checker.getTypeOfSymbol(all.find((one) => one.name === name)!);
    if (type.getConstructSignatures().length > 0)
      type = type.getConstructSignatures()[0]!.getReturnType();
    if (property !== undefined) type = checker.getTypeOfSymbol(type.getProperty(property)!);
    const shown = type.getCallSignatures().map((signature) => checker.signatureToString(signature));
    // A function that was sync says that any `this` will do.
    return shown.map((text) => text.replace('(this: unknown, ', '('));
  };
}

const DECORATED = 'decorated: ERR_ACACHE_INVALID_OPTION';
const CALLED = 'called: ERR_ACACHE_GENERATOR';

describe('what is compiled from TypeScript in strict mode', () => {
  const common = {
    first: ['Ada', 'Ada', 1],
    other: ['Ada', 1],
    loud: ['ADA', 'ADA', 1],
    failed: 'Error: no user 3',
    generic: [1, '5.0'],
    overloaded: [
      [1, 2],
      ['Eve', 'Bob'],
    ],
  };
  const standard = {
    ...common,
    renamed: ['Eve', 'ADA', 'EVE'],
    secret: ['salt:7', 'salt:7', 1],
    made: ['a 1', 'a 1', 'a 1'],
    double: [8, 8, 2, 1],
    square: [9, 9, 'for a test', 0],
    names: ['find', 'make', '', ''],
  };

  describe('with TC39 decorators and wrappers', () => {
    const { diagnostics, modern, older, signatures } = compile('standard');

    it('has no error', () => {
      expect(diagnostics).toBe('');
    });

    it('shows callers the names of parameters, overloads and type parameters', () => {
      expect(signatures('double')).toEqual(['(n: number): Promise<number>']);
      expect(signatures('double', 'refresh')).toEqual(['(n: number): Promise<number>']);
      expect(signatures('double', 'invalidateCache')).toEqual(['(n: number): Promise<boolean>']);
      expect(signatures('square')).toEqual(['(side: number, by?: number): Promise<number>']);
      expect(signatures('touch')).toEqual(['(why: string): Promise<string>']);
      expect(signatures('Repository', 'rename')).toEqual([
        '(id: number, name: string): Promise<void>',
      ]);
      expect(signatures('Repository', 'list')).toEqual([
        '(kind: "ids"): Promise<number[]>',
        '(kind: "names"): Promise<string[]>',
      ]);
      expect(signatures('Repository', 'get')).toEqual([
        '<K extends string | number>(key: K): Promise<K>',
      ]);
    });

    it.each([
      ['today', modern, DECORATED],
      ['ES2015, without private methods and async functions', older, CALLED],
    ])('works on a platform of %s', (_platform, file, generator) => {
      expect(runFile(file)).toEqual({ code: 0, stderr: '', answer: { ...standard, generator } });
    });
  });

  const legacy = {
    ...common,
    renamed: ['Eve', 'ADA', 'EVE'],
    shared: ['first', 'first', 'first', false],
    made: ['a 1', 'a 1', 'a 2'],
    names: ['find', 'make'],
  };

  describe('with legacy decorators', () => {
    const { diagnostics, modern, older } = compile('legacy');

    it('has no error', () => {
      expect(diagnostics).toBe('');
    });

    it.each([
      ['today', modern, DECORATED],
      ['ES2015', older, CALLED],
    ])('works on a platform of %s, with metadata and without', (_platform, file, generator) => {
      const answer = { ...legacy, generator };
      expect(runFile(file)).toEqual({ code: 0, stderr: '', answer });
      expect(runFile(file, '--import', reflectMetadata)).toEqual({
        code: 0,
        stderr: '',
        answer: { ...answer, metadata: ['User'] },
      });
    });
  });
});
