import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { repository } from '../workspace.mjs';
import { entriesOf } from './entries.mjs';

const { ESNext, Node16, NodeNext, Preserve } = ts.ModuleKind;
const node = { lib: ['lib.es2023.d.ts'], types: ['node'] };
const browser = { lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: [] };
const bundler = { moduleResolution: ts.ModuleResolutionKind.Bundler };

/**
 * Those who may install the package: each compiles a file that imports every entry, checking our .d.ts as well.
 * @type {Record<string, { file: string, options: ts.CompilerOptions }>}
 */
const consumers = {
  'node16 ESM': { file: 'use.mts', options: { ...node, module: Node16 } },
  'node16 CJS': { file: 'use.cts', options: { ...node, module: Node16 } },
  'nodenext ESM': { file: 'use.mts', options: { ...node, module: NodeNext } },
  'nodenext CJS': { file: 'use.cts', options: { ...node, module: NodeNext } },
  'a bundler for Node': { file: 'use.mts', options: { ...node, ...bundler, module: Preserve } },
  'a bundler for browsers': {
    file: 'use.mts',
    options: { ...browser, ...bundler, module: ESNext },
  },
};

/** Whether the published types compile for each kind of consumer, with nothing but what that consumer has. */
export function checkTypes({ manifest, kind, installed, consumer }) {
  const entries = entriesOf(manifest, installed);
  const text = entries
    .map(({ specifier }, index) => `export * as entry${index} from '${specifier}';\n`)
    .join('');
  const parsed = new Map();
  return Object.entries(consumers)
    .filter(([, { options }]) => kind === 'core' || options.lib === node.lib)
    .flatMap(([who, { file, options }]) => {
      const path = join(consumer, file);
      writeFileSync(path, text);
      const host = sharingHost(parsed, {
        ...options,
        target: ts.ScriptTarget.ES2022,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        typeRoots: [join(repository, 'node_modules/@types')],
      });
      const program = ts.createProgram([path], host.options, host);
      const published = program
        .getSourceFiles()
        .filter(({ fileName }) => fileName.startsWith(consumer));
      return [
        ...program.getOptionsDiagnostics(),
        ...program.getGlobalDiagnostics(),
        ...published.flatMap((source) => program.getSyntacticDiagnostics(source)),
        ...published.flatMap((source) => program.getSemanticDiagnostics(source)),
      ].map((problem) => `types for ${who}: ${describe(problem, consumer)}`);
    });
}

/** A compiler host that parses the standard library once for all consumers. */
function sharingHost(parsed, options) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  return Object.assign(host, {
    options,
    getSourceFile(file, version, ...rest) {
      if (!file.includes('/typescript/lib/'))
        return getSourceFile.call(host, file, version, ...rest);
      if (!parsed.has(file)) parsed.set(file, getSourceFile.call(host, file, version, ...rest));
      return parsed.get(file);
    },
  });
}

function describe({ file, start, messageText }, consumer) {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (!file) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${file.fileName.replace(`${consumer}/`, '')}:${line + 1} ${message}`;
}
