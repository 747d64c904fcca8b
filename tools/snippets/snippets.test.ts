import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import ts from 'typescript';
import { redisTier } from '@acache/redis-tier';
import { startRedis, type RedisServer } from '../redis/index.js';
import { READERS_REDIS, readSnippets } from './markdown.cjs';

const root = join(__dirname, '../..');
const SKIPPED = new Set([
  'node_modules',
  'dist',
  'coverage',
  '.git',
  '.cache',
  '.nx',
  '.changeset',
]);
/** Made of docstrings, whose examples are parts of programs. */
const REFERENCE = join(root, 'docs/api');

type Program = (require: NodeJS.Require, exports: object, console: object) => Promise<void>;

/** A TypeScript block of the documentation: a program of its own. */
interface Snippet {
  readonly name: string;
  readonly code: string;
  /** What `tsconfig.json` of its reader has beside `strict`: `LEGACY_DECORATORS`, or nothing. */
  readonly settings: ts.CompilerOptions;
  /** What it says that it prints. */
  readonly printed: readonly string[];
}

/** Of NestJS projects. */
const LEGACY_DECORATORS = { experimentalDecorators: true, emitDecoratorMetadata: true };

const files = markdownFiles(root);
const snippets = files.flatMap((file) => snippetsIn(file, 'ts'));
/** What needs a model, a server of others or a program around it: it compiles, and is not run. */
const fragments = files.flatMap((file) => snippetsIn(file, 'typescript'));

/** In the place of the reader's. */
let redis: RedisServer;
/** The folder that the reader would be in. */
const folder = mkdtempSync(join(tmpdir(), 'snippets-'));
const before = process.cwd();
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await redis.stop();
});

describe('the code in the documentation', () => {
  it('is there', () => {
    expect(snippets.length).toBeGreaterThan(5);
  });

  it('compiles', () => {
    expect(compile(snippets.filter(({ settings }) => settings !== LEGACY_DECORATORS))).toEqual([]);
  }, 60_000);

  it('compiles with legacy decorators', () => {
    const legacy = snippets.filter(({ settings }) => settings === LEGACY_DECORATORS);
    expect(legacy.length).toBeGreaterThan(0);
    expect(compile(legacy)).toEqual([]);
  }, 60_000);

  it('compiles where it is only a part', () => {
    expect(fragments.length).toBeGreaterThan(5);
    expect(compile(fragments, join(__dirname, 'given.d.ts'))).toEqual([]);
  }, 60_000);

  for (const snippet of snippets) {
    it(`prints what it says: ${snippet.name}`, async () => {
      const code = snippet.code.replaceAll(READERS_REDIS, redis.url);
      expect(await run({ ...snippet, code })).toEqual(snippet.printed);
    });
  }
});

/**
 * What a snippet imports. On a busy machine a Redis may take longer than the tier waits for it, which
 * hurts nobody, but prints something else.
 */
const patientRequire = new Proxy(require, {
  apply(load, self, [name]: [string]) {
    const found = Reflect.apply(load, self, [name]) as object;
    if (name !== '@acache/redis-tier') return found;
    const patient: typeof redisTier = (redis, options) =>
      redisTier(redis, { commandTimeout: 2000, ...options });
    return { ...found, redisTier: patient };
  },
});

/** Runs a snippet on the sources, and returns the lines that it printed. */
async function run({ code, settings }: Snippet): Promise<string[]> {
  const lines: string[] = [];
  const print = (...values: unknown[]): void => {
    const texts = values.map((value) =>
      typeof value === 'string' ? value : inspect(value, { breakLength: Infinity }),
    );
    lines.push(texts.join(' '));
  };
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      ...settings,
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
    },
  });
  // An async function gives the snippet its top-level await.
  const AsyncFunction = (async () => undefined).constructor as new (...source: string[]) => Program;
  const program = new AsyncFunction('require', 'exports', 'console', outputText);
  process.chdir(folder);
  try {
    await program(patientRequire, {}, { log: print });
  } finally {
    process.chdir(before);
  }
  return lines;
}

/**
 * What the compiler finds wrong with snippets of the same settings, as a user with strict settings would
 * see it.
 *
 * @param given - declares what is around them
 */
function compile(all: readonly Snippet[], ...given: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) =>
    ts.sys.readFile(file),
  ) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      ...all[0]?.settings,
      noEmit: true,
      types: ['node'],
      module: 'esnext',
      moduleResolution: 'bundler',
    },
    root,
  );
  const files = new Map(
    all.map(({ code }, at) => [join(root, `snippet-${at}.ts`), `${code}\nexport {};`]),
  );
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.getSourceFile = (file, version) => {
    const text = files.get(file);
    return text === undefined
      ? getSourceFile(file, version)
      : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...files.keys(), ...given], options, host);
  return [...files.keys()].flatMap((file, at) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ messageText }) => {
      return `${all[at]?.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }),
  );
}

function snippetsIn(file: string, language: 'ts' | 'typescript'): Snippet[] {
  return readSnippets(file, language).map(({ line, legacy, ...snippet }) => ({
    ...snippet,
    name: `${relative(root, file)}:${line}`,
    settings: legacy ? LEGACY_DECORATORS : {},
  }));
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return SKIPPED.has(entry.name) || path === REFERENCE ? [] : markdownFiles(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
