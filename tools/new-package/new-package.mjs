#!/usr/bin/env node
// npm run new -- <name> "<One sentence.>": makes packages/<name>, which passes every check from the start.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readJson, repository } from '../workspace.mjs';
import { camelCase, filesOf, json } from './files.mjs';

const [name, sentence] = process.argv.slice(2);
const problem = whatIsWrong();
if (problem) {
  console.error(`${problem}\n\nusage: npm run new -- batch "Loads many keys in one call."`);
  process.exit(1);
}

const folder = `packages/${name}`;
const coreVersion = readJson(join(repository, 'packages/core/package.json')).version;
const license = readFileSync(join(repository, 'LICENSE'), 'utf8');
for (const [path, text] of Object.entries(filesOf({ name, sentence, coreVersion, license }))) {
  await write(`${folder}/${path}`, text);
}
await change('tsconfig.build.json', ({ references, ...rest }) => ({
  ...rest,
  references: [
    ...references,
    ...['esm', 'cjs'].map((to) => ({ path: `./${folder}/tsconfig.${to}.json` })),
  ],
}));
const released = [`@acache/${name}`];
if (name !== 'all' && existsSync(join(repository, 'packages/all'))) {
  await addToAll();
  released.push('@acache/all');
}
await write(
  `.changeset/new-${name}.md`,
  `---\n${released.map((pkg, at) => `'${pkg}': ${at === 0 ? 'major' : 'minor'}\n`).join('')}---\n\n${sentence}\n`,
);

// Links the package into node_modules and writes it to the lock file.
const { status } = spawnSync('npm', ['install', '--prefer-offline'], {
  cwd: repository,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
console.log(`
${folder} is there, with a first source, test and changeset. Next:

  npx jest ${folder} --watch    write the test, then the source
  npm run check                 everything CI checks, for what changed
`);

/** @returns {string | undefined} */
function whatIsWrong() {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? '')) {
    return `the name must be in kebab-case, such as redis-tier, got ${name === undefined ? 'none' : `'${name}'`}`;
  }
  if (existsSync(join(repository, 'packages', name))) return `packages/${name} exists already`;
  if (!/^[A-Z].+\.$/.test(sentence ?? '')) {
    return `the second argument must be one sentence that says what it is for, got ${sentence === undefined ? 'none' : `'${sentence}'`}`;
  }
  return undefined;
}

/** `all` has every package: as a dependency, as a reference of its builds, and by name in its index. */
async function addToAll() {
  await change('packages/all/package.json', (manifest) => ({
    ...manifest,
    dependencies: sorted({ ...manifest.dependencies, [`@acache/${name}`]: '^0.0.0' }),
  }));
  for (const to of ['esm', 'cjs']) {
    await change(`packages/all/tsconfig.${to}.json`, (config) => ({
      ...config,
      references: [...config.references, { path: `../${name}/tsconfig.${to}.json` }],
    }));
  }
  const index = 'packages/all/src/index.ts';
  const text = readFileSync(join(repository, index), 'utf8');
  await write(index, `${text}export { ${camelCase(name)} } from '@acache/${name}';\n`);
}

function sorted(record) {
  return Object.fromEntries(
    Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

async function change(file, update) {
  await write(file, json(update(readJson(join(repository, file)))));
}

async function write(file, text) {
  const path = join(repository, file);
  mkdirSync(dirname(path), { recursive: true });
  const options = { ...(await resolveConfig(path)), filepath: path };
  writeFileSync(path, /LICENSE$/.test(path) ? text : await format(text, options));
}
