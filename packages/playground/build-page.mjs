#!/usr/bin/env node
// Bundles what is in page/ for a browser. After a build it puts the bundle into dist; with --print it prints it, for tests.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const { outputFiles, metafile } = await build({
  entryPoints: { app: join(here, 'page/main.tsx') },
  bundle: true,
  write: false,
  minify: true,
  metafile: true,
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  outdir: here,
  absWorkingDir: here,
  // The types of the server are known here, and nothing else of it.
  logLevel: 'error',
});

const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
const bundle = { script: `${notices()}${text('.js')}`, style: text('.css') };
if (process.argv.includes('--print')) {
  console.log(JSON.stringify(bundle));
} else {
  const json = JSON.stringify(bundle);
  writeFileSync(join(here, 'dist/esm/page/bundle.js'), `export const bundle = ${json};\n`);
  writeFileSync(
    join(here, 'dist/cjs/page/bundle.js'),
    `'use strict';\nObject.defineProperty(exports, '__esModule', { value: true });\nexports.bundle = ${json};\n`,
  );
  for (const format of ['esm', 'cjs']) {
    // The map of what was there before says nothing about this.
    const map = { version: 3, file: 'bundle.js', sources: [], names: [], mappings: '' };
    writeFileSync(join(here, `dist/${format}/page/bundle.js.map`), JSON.stringify(map));
  }
}

/** The licences of what is in the bundle, which they ask to come along. */
function notices() {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap((path) => {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
      return match === null ? [] : [join(here, match[1])];
    }),
  );
  return [...folders]
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const license = readFileSync(join(folder, 'LICENSE'), 'utf8').trim();
      return `/*! ${name} ${version}\n\n${license}\n*/\n`;
    })
    .join('');
}
