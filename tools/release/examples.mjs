import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { run } from '../run.mjs';
import { READERS_REDIS, readSnippets } from '../snippets/markdown.cjs';
import { readJson, repository } from '../workspace.mjs';

/**
 * @typedef {{ name: string, code: string, printed: readonly string[] }} Example a program of a README
 * @typedef {{ programs: Example[], parts: Example[], needs: string[] }} Examples with what else they import, as `name@version`
 */

/**
 * The examples of the READMEs, with a Redis in the place of the reader's.
 *
 * @param {string} root of the workspace
 * @param {string[]} folders of the published packages in it
 * @param {string} redisUrl
 * @returns {Examples}
 */
export function readExamples(root, folders, redisUrl) {
  /** @param {'ts' | 'typescript'} language */
  const examplesIn = (language) =>
    ['.', ...folders].flatMap((folder) =>
      readSnippets(join(root, folder, 'README.md'), language).map(({ line, code, printed }) => ({
        name: `${folder === '.' ? 'root' : basename(folder)}-${line}`,
        code: code.replaceAll(READERS_REDIS, redisUrl),
        printed,
      })),
    );
  const programs = examplesIn('ts');
  const parts = examplesIn('typescript');
  return { programs, parts, needs: needsOf([...programs, ...parts], root) };
}

/** The packages of others that they import, in the versions that this workspace tests with. */
function needsOf(examples, root) {
  const imported = examples.flatMap(({ code }) =>
    ts.preProcessFile(code).importedFiles.map(({ fileName }) => fileName),
  );
  const names = imported
    .filter((specifier) => !/^(node:|@acache\/)/.test(specifier))
    .map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)[0]);
  return [...new Set(names)].map((name) => {
    const { version } = readJson(join(root, 'node_modules', name, 'package.json'));
    return `${name}@${version}`;
  });
}

/**
 * Compiles the examples as a strict TypeScript project's own, then runs each.
 *
 * @param {Examples} examples
 * @param {string} cwd a TypeScript project of ES modules
 */
export function runInTypeScript({ programs, parts }, cwd) {
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const strict = '--strict --target es2022 --module nodenext --types node'.split(' ');
  const written = programs.map((program) => write(cwd, program, 'ts', module(program.code)));
  run('node', [compiler, ...strict, ...written], { cwd });
  for (const program of programs) runOne(program, cwd, 'js');

  const given = join(cwd, 'examples/given.d.ts');
  copyFileSync(join(repository, 'tools/snippets/given.d.ts'), given);
  const fragments = parts.map((part) => write(cwd, part, 'ts', module(part.code)));
  // What is around them declares things of SDKs that are not installed.
  run('node', [compiler, ...strict, '--noEmit', '--skipLibCheck', ...fragments, given], { cwd });
}

/** @param {Examples} examples @param {string} cwd a project of ES modules */
export function runInEsm({ programs }, cwd) {
  for (const program of programs) {
    write(cwd, program, 'mjs', strip(program.code, ts.ModuleKind.ESNext));
    runOne(program, cwd, 'mjs');
  }
}

/** @param {Examples} examples @param {string} cwd a CommonJS project */
export function runInCjs({ programs }, cwd) {
  for (const program of programs) {
    // CommonJS has no await at the top.
    const code = strip(program.code, ts.ModuleKind.CommonJS);
    write(cwd, program, 'cjs', `(async () => {\n${code}\n})();\n`);
    runOne(program, cwd, 'cjs');
  }
}

const module = (code) => `${code}\nexport {};\n`;

function strip(code, module) {
  const compilerOptions = { module, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

/** @returns {string} the file, which has a folder of its own, since it may write files beside it */
function write(cwd, { name }, extension, text) {
  const file = join(cwd, 'examples', name, `example.${extension}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** @throws {Error} when it fails, or does not print what its README says */
function runOne({ name, printed }, cwd, extension) {
  const folder = join(cwd, 'examples', name);
  const got = run('node', [`example.${extension}`], { cwd: folder });
  // A console breaks long lines.
  const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
  if (oneLine(got) !== oneLine(printed.join('\n'))) {
    throw new Error(
      `the example ${name} should print:\n${printed.join('\n')}\nand printed:\n${got}`,
    );
  }
}
