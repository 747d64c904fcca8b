#!/usr/bin/env node
// Proves that a package made by `npm run new` passes every check, in a copy of the workspace that is thrown away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyWorkspace } from '../copy-workspace.mjs';
import { run } from '../run.mjs';

const name = 'brand-new';
const cwd = mkdtempSync(join(tmpdir(), 'acache-new-'));
try {
  copyWorkspace(cwd);
  // Without building everything: the targets below build what they need.
  run('npm', ['ci', '--prefer-offline', '--ignore-scripts'], { cwd });
  run('npm', ['run', 'new', '--', name, 'Shows that a new package passes every check.'], { cwd });
  run('npm', ['run', 'check:arrows'], { cwd });
  run('npm', ['run', 'check:lock'], { cwd });
  const written = [`packages/${name}`, `.changeset/new-${name}.md`, 'tsconfig.build.json'];
  run('npx', ['prettier', '--check', ...written], { cwd });
  const targets = 'lint,typecheck,test,build,pack';
  run('npx', ['nx', 'run-many', '-t', targets, '-p', `@acache/${name}`], { cwd });
  console.log('check-new-package: a new package passes every check');
} catch (error) {
  console.error(`a new package does not pass: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
