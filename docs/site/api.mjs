#!/usr/bin/env node
// Writes docs/api: a page for each entry of each published package, made of its docstrings.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Converter } from 'typedoc';
import { repository } from '../../tools/workspace.mjs';
import { publishedEntries, repositoryUrl } from './published.mjs';

const docs = join(import.meta.dirname, '..');
const entries = publishedEntries();

/** @type {Partial<import('typedoc').TypeDocOptions & import('typedoc-plugin-markdown').PluginOptions>} */
const options = {
  plugin: ['typedoc-plugin-markdown'],
  logLevel: 'Warn',
  entryPoints: entries.map(({ source }) => join(repository, source)),
  // What two entries export is described where it comes first: by the package that it is of.
  sortEntryPoints: false,
  tsconfig: join(docs, 'tsconfig.api.json'),
  // `npm run typecheck` has done that.
  skipErrorChecking: true,
  // Our defaults are said in words.
  jsDocCompatibility: { defaultTag: false },
  // The README of @acache/all says what it exports again.
  excludeReferences: true,
  excludeInternal: true,
  excludePrivate: true,
  name: 'API reference',
  out: join(docs, 'api'),
  readme: 'none',
  disableGit: true,
  gitRevision: 'main',
  basePath: repository,
  sourceLinkTemplate: `${repositoryUrl}/blob/{gitRevision}/packages/{path}#L{line}`,
  router: 'module',
  entryFileName: 'index',
  excludeScopesInPaths: true,
  flattenOutputFiles: true,
  tableColumnSettings: { hideSources: true },
  hideBreadcrumbs: true,
  hidePageHeader: true,
  parametersFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  interfacePropertiesFormat: 'table',
};
const app = await Application.bootstrapWithPlugins(options);

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const [at, module] of (project.children ?? []).entries()) {
    module.name = entries[at]?.specifier ?? module.name;
  }
});

const project = await app.convert();
if (project === undefined) throw new Error('typedoc could not read the sources');
rmSync(join(docs, 'api'), { recursive: true, force: true });
await app.generateOutputs(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
