import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { repository } from '../workspace.mjs';

/** publint (strict) and attw (node16 profile): do bundlers, Node and TypeScript find what `exports` promises? */
export async function checkManifest({ installed, tarball, manifest }) {
  const { messages } = await publint({ pkgDir: installed, strict: true, pack: false });
  const attw = spawnSync(
    join(repository, 'node_modules/.bin/attw'),
    [tarball, '--profile', 'node16', '--format', 'ascii', '--no-emoji', '--no-color'],
    { encoding: 'utf8' },
  );
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`),
    ...(attw.status === 0 ? [] : [`attw:\n${attw.stdout}${attw.stderr}`]),
  ];
}
