import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from './workspace.mjs';

/** Copies what git tracks or would track, with changes that are not committed yet: a clean clone of the work at hand. */
export function copyWorkspace(to) {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: repository, maxBuffer: 2 ** 26 },
  );
  for (const file of new Set(listed.toString().split('\0'))) {
    if (file === '' || !existsSync(join(repository, file))) continue;
    mkdirSync(join(to, dirname(file)), { recursive: true });
    copyFileSync(join(repository, file), join(to, file));
  }
}
