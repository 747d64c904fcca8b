#!/usr/bin/env node
// npm run playground -- --help: builds the playground, unless it is built, and serves it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './run.mjs';
import { repository } from './workspace.mjs';

run('npx', ['nx', 'build', '@acache/playground'], { cwd: repository });
await import(pathToFileURL(join(repository, 'packages/playground/dist/esm/cli.js')).href);
