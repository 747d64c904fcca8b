import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { repository } from '../workspace.mjs';
import { runInCjs, runInEsm, runInTypeScript } from './examples.mjs';

/**
 * Installs every published package into empty projects (ESM, CommonJS, TypeScript), loads each entry, runs a program, then
 * each example of the READMEs. An entry whose optional peer is not there has to say which.
 * @param {{ url: string, folder: string, specifiers: string[], names: string[], optionalPeers: string[],
 *   examples: import('./examples.mjs').Examples, clearRedis: () => Promise<unknown> }} options
 */
export async function tryAsConsumers({
  url,
  folder,
  names,
  specifiers,
  optionalPeers,
  examples,
  clearRedis,
}) {
  const typescript = join(repository, 'node_modules/typescript/bin/tsc');
  const nodeTypes = `@types/node@${process.versions.node.split('.')[0]}`;
  const esm = project('esm', 'module', []);
  run('node', ['--input-type=module', '-e', imports((to) => `await import('${to}')`)], esm);
  run('node', ['use.mjs'], esm);
  await tryExamples(runInEsm, esm);

  const cjs = project('cjs', 'commonjs', []);
  run('node', ['--input-type=commonjs', '-e', imports((to) => `require('${to}')`)], cjs);
  run('node', ['use.cjs'], cjs);
  await tryExamples(runInCjs, cjs);

  const ts = project('typescript', 'module', [nodeTypes]);
  for (const module of ['node16', 'nodenext']) {
    run(
      'node',
      [
        typescript,
        'use.mts',
        '--module',
        module,
        '--target',
        'es2022',
        '--strict',
        '--types',
        'node',
      ],
      ts,
    );
    run('node', ['use.mjs'], ts);
  }
  await tryExamples(runInTypeScript, ts);

  async function tryExamples(runAll, { cwd }) {
    await clearRedis();
    run('npm', ['install', '--prefer-offline', ...examples.needs], { cwd });
    runAll(examples, cwd);
    console.log(`  and run the ${examples.programs.length} examples of the READMEs`);
  }

  function imports(load) {
    return `
      const peers = ${JSON.stringify(optionalPeers)};
      const isMissing = ({ code, message }) =>
        /^(ERR_)?MODULE_NOT_FOUND$/.test(code) && peers.some((peer) => message.includes("'" + peer));
      ${specifiers.map((to) => `try { ${load(to)} } catch (error) { if (!isMissing(error)) throw error; }`).join('\n')}
    `;
  }

  function project(name, type, more) {
    const cwd = join(folder, name);
    cpSync(join(import.meta.dirname, 'consumers', name), cwd, { recursive: true });
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name, private: true, type }));
    writeFileSync(join(cwd, '.npmrc'), `@acache:registry=${url}\n`);
    run('npm', ['install', '--prefer-offline', ...names, ...more], { cwd });
    console.log(`  installed and used in an empty ${name} project`);
    return { cwd };
  }
}
