import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { dependencyFields, filesIn, readPackages, siblingsOf } from '../workspace.mjs';
import { importsOf } from './imports.mjs';
import { arrows } from './rules.mjs';

/**
 * Every arrow between packages that rules.mjs does not allow: in sources, in package.json, in tsconfig references.
 * @param {string} root the folder of the workspace
 * @returns {string[]} one line each, with the place
 */
export function findViolations(root) {
  const workspace = { root, packages: readPackages(root) };
  return [
    ...workspace.packages.flatMap((from) => [
      ...inManifest(workspace, from),
      ...inSources(workspace, from),
      ...inReferences(workspace, from),
    ]),
    ...inBuildReferences(workspace),
  ];
}

function inManifest({ packages }, { name: own, folder, kind, manifest }) {
  return [...dependencyFields, 'bundleDependencies', 'bundledDependencies'].flatMap((field) => {
    const entries = Array.isArray(manifest[field])
      ? manifest[field].map((name) => [name, '*'])
      : Object.entries(manifest[field] ?? {});
    return entries.flatMap(([name, range]) => {
      const at = `${folder}/package.json: ${field} has ${name}`;
      if (kind === 'core') return [`${at}, but ${arrows.core.because}`];
      if (name === own) return [`${at}, which is the package itself`];
      // Nobody installs what a package is tested with, another version of a peer under its own name, say.
      const isAlias = field === 'devDependencies' && range.startsWith('npm:');
      if (!isAlias && /^(file|link|npm|workspace|git|https?):/.test(range)) {
        return [`${at} as '${range}', but only a version range works for those who install it`];
      }
      return forbidden(packages, kind, name).map((reason) => `${at}, but ${reason}`);
    });
  });
}

function inSources({ root, packages }, from) {
  return filesIn(join(root, from.folder))
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .flatMap((file) =>
      importsOf(file, readFileSync(join(root, from.folder, file), 'utf8')).flatMap(
        ({ specifier, line }) =>
          whyNot(packages, from, file, specifier).map(
            (reason) => `${from.folder}/${file}:${line}: imports '${specifier}', but ${reason}`,
          ),
      ),
    );
}

/** @returns {string[]} */
function whyNot(packages, from, file, specifier) {
  const use = useOf(from, file);
  if (specifier.startsWith('.')) return outside(from, file, specifier, use);
  if (specifier.startsWith('#')) return [];
  if (specifier.startsWith('/') || /^(file|data|https?):/.test(specifier)) {
    return ['a package reaches others by name only'];
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (use === 'bundled') return ['a page runs in a browser'];
    return use === 'shipped' && from.kind === 'core' ? ['core runs wherever JavaScript does'] : [];
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return [
    ...(name === from.name
      ? []
      : [...forbidden(packages, from.kind, name), ...undeclared(packages, from, name, use)]),
    ...notExported(packages, name, specifier),
  ];
}

/**
 * What a file is for. Tests and configuration may use what the root installs, and the harnesses in tools. The page of
 * a tool is bundled with all that it imports.
 * @returns {'shipped' | 'bundled' | 'development'}
 */
function useOf(from, file) {
  if (from.kind === 'example') return 'development';
  if (from.kind === 'tool' && file.startsWith('page/')) return 'bundled';
  if (from.kind === 'tool' && file === 'build-page.mjs') return 'development';
  return /(^test\/|\.test(-d)?\.[cm]?tsx?$|(^|\/)[\w-]+\.config\.[cm]?[jt]s$)/.test(file)
    ? 'development'
    : 'shipped';
}

function outside(from, file, specifier, use) {
  const target = posix.join(from.folder, posix.dirname(file), specifier);
  if (target === from.folder || target.startsWith(`${from.folder}/`)) return [];
  if (use === 'development' && target.startsWith('tools/')) return [];
  return [`it leaves ${from.folder}; a package reaches others by name only`];
}

function forbidden(packages, kind, name) {
  const to = packages.find((pkg) => pkg.name === name);
  if (!to) return name.startsWith('@acache/') ? ['there is no such package'] : [];
  return arrows[kind].may.includes(to.kind)
    ? []
    : [arrows[to.kind === 'example' ? 'example' : kind].because];
}

function undeclared(packages, { kind, manifest }, name, use) {
  if (use === 'shipped' && kind === 'core') return [arrows.core.because];
  const isSibling = packages.some((pkg) => pkg.name === name);
  if (use === 'development' && !isSibling) return [];
  const { fields, where } = declaredIn(use, isSibling);
  if (fields.some((field) => manifest[field]?.[name])) return [];
  return [`package.json does not name ${name} in its ${where}`];
}

/** Where package.json has to name what is imported. */
function declaredIn(use, isSibling) {
  if (use === 'shipped') {
    const fields = dependencyFields.filter((field) => field !== 'devDependencies');
    return { fields, where: 'dependencies or peerDependencies' };
  }
  // A page brings along what it is made of, so nobody must install that.
  if (use === 'bundled' && !isSibling)
    return { fields: ['devDependencies'], where: 'devDependencies' };
  return { fields: dependencyFields, where: 'dependencies' };
}

function notExported(packages, name, specifier) {
  const to = packages.find((pkg) => pkg.name === name);
  if (!to?.manifest.exports) return [];
  const subpath = `.${specifier.slice(name.length)}`;
  return subpath in to.manifest.exports ? [] : [`${name} does not export '${subpath}'`];
}

function inReferences({ root, packages }, { folder, manifest }) {
  return ['esm', 'cjs'].flatMap((format) => {
    const file = `${folder}/tsconfig.${format}.json`;
    if (!existsSync(join(root, file))) return [];
    const needed = siblingsOf(manifest, packages)
      .filter((sibling) => existsSync(join(root, sibling.folder, `tsconfig.${format}.json`)))
      .map((sibling) => `../../${sibling.folder}/tsconfig.${format}.json`);
    return differences(root, file, needed, 'package.json');
  });
}

function inBuildReferences({ root, packages }) {
  const needed = packages.flatMap(({ folder }) =>
    ['esm', 'cjs']
      .map((format) => `./${folder}/tsconfig.${format}.json`)
      .filter((file) => existsSync(join(root, file))),
  );
  return differences(root, 'tsconfig.build.json', needed, 'the packages');
}

/** Where the references of a tsconfig are not exactly those needed. */
function differences(root, file, needed, source) {
  const { config } = ts.readConfigFile(join(root, file), ts.sys.readFile);
  const at = (path) => posix.join(posix.dirname(file), path);
  const present = (config?.references ?? []).map(({ path }) => at(path));
  const wanted = needed.map((path) => at(path));
  return [
    ...wanted
      .filter((path) => !present.includes(path))
      .map((path) => `${file}: references lack ${path}, which ${source} asks for`),
    ...present
      .filter((path) => !wanted.includes(path))
      .map((path) => `${file}: references have ${path}, which ${source} does not ask for`),
  ];
}
