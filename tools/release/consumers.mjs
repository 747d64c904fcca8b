import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { repository } from '../workspace.mjs';

/**
 * Installs every published package into empty projects (ESM, CommonJS, TypeScript), loads each entry, and runs a program.
 * An entry whose optional peer is not there has to say which.
 * @param {{ url: string, folder: string, specifiers: string[], names: string[], optionalPeers: string[] }} options
 */
export function tryAsConsumers({ url, folder, names, specifiers, optionalPeers }) {
  const typescript = join(repository, 'node_modules/typescript/bin/tsc');
  const nodeTypes = `@types/node@${process.versions.node.split('.')[0]}`;
  const esm = project('esm', 'module', []);
  run('node', ['--input-type=module', '-e', imports((to) => `await import('${to}')`)], esm);
  run('node', ['use.mjs'], esm);

  const cjs = project('cjs', 'commonjs', []);
  run('node', ['--input-type=commonjs', '-e', imports((to) => `require('${to}')`)], cjs);
  run('node', ['use.cjs'], cjs);

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
    console.log(`  installed and run in an empty ${name} project`);
    return { cwd };
  }
}
