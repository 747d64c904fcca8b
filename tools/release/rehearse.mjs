import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyWorkspace } from '../copy-workspace.mjs';
import { json } from '../new-package/files.mjs';
import { startRedis } from '../redis/harness.mjs';
import { run } from '../run.mjs';
import { readPackages } from '../workspace.mjs';
import { tryAsConsumers } from './consumers.mjs';
import { readExamples } from './examples.mjs';
import { startRegistry } from './registry.mjs';

/** The whole release in a scratch clone, to a registry of its own on this machine. Nothing else changes. */
export async function rehearse() {
  const scratch = mkdtempSync(join(tmpdir(), 'acache-release-'));
  const cwd = join(scratch, 'clone');
  /** @type {(() => unknown)[]} */
  const stops = [];
  try {
    step('clone');
    copyWorkspace(cwd);
    git('init', '--quiet', '--initial-branch=main');
    commit('Everything');
    run('npm', ['ci', '--prefer-offline'], { cwd });

    step('version');
    run('npx', ['changeset', 'version'], { cwd });
    withoutProvenance(cwd);
    run('npm', ['install', '--package-lock-only', '--prefer-offline'], { cwd });
    commit('Version packages');
    const published = readPackages(cwd).filter(({ manifest }) => !manifest.private);
    for (const { name, manifest } of published) console.log(`  ${name} ${manifest.version}`);

    step('build and check the packages');
    run('npx', ['nx', 'run-many', '-t', 'build,pack'], { cwd });

    step('publish to a registry on this machine');
    const registry = await startRegistry(join(scratch, 'registry'));
    stops.push(registry.stop);
    run('npx', ['changeset', 'publish'], {
      cwd,
      env: { NPM_CONFIG_USERCONFIG: registry.userconfig },
    });
    console.log(git('tag').trim().replace(/^/gm, '  tagged '));

    step('install and use');
    const redis = await startRedis();
    stops.push(() => redis.stop());
    await tryAsConsumers({
      url: registry.url,
      folder: join(scratch, 'consumers'),
      names: published.map(({ name }) => name),
      specifiers: published.flatMap(({ name, manifest }) =>
        Object.keys(manifest.exports)
          .filter((subpath) => !subpath.endsWith('.json'))
          .map((subpath) => name + subpath.slice(1)),
      ),
      optionalPeers: published.flatMap(({ manifest }) =>
        Object.keys(manifest.peerDependenciesMeta ?? {}),
      ),
      examples: readExamples(
        cwd,
        published.map(({ folder }) => folder),
        redis.url,
      ),
      clearRedis: () => redis.command('FLUSHALL'),
    });
    console.log(
      '\nThe rehearsal went well; nothing was published. For real: npm run release -- --publish',
    );
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    rmSync(scratch, { recursive: true, force: true });
  }

  function git(...args) {
    return run(
      'git',
      ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', ...args],
      { cwd },
    );
  }

  function commit(message) {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  }
}

/** Only CI can attest where a build came from. */
function withoutProvenance(root) {
  for (const { folder, manifest } of readPackages(root)) {
    const { provenance, ...publishConfig } = manifest.publishConfig ?? {};
    writeFileSync(join(root, folder, 'package.json'), json({ ...manifest, publishConfig }));
  }
}

function step(what) {
  console.log(`\n${what}`);
}
