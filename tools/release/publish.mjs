import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { run } from '../run.mjs';
import { readPackages, repository } from '../workspace.mjs';

/** The real thing: versions, commits, publishes to npm, tags. Refuses unless everything is in place for it. */
export async function publish() {
  const hasChangesets = changesets().length > 0;
  if (!hasChangesets && !readPackages().some(isUnreleased)) {
    console.log(
      'Nothing to publish: there is no changeset (npm run change), and every version has its tag.',
    );
    return;
  }
  const refusals = whatIsMissing();
  if (refusals.length > 0) {
    throw new Error(`Nothing was published:\n${refusals.map((line) => `- ${line}`).join('\n')}`);
  }
  await confirm();

  // In the release workflow, the pull request that was merged has done this; a first release has its versions already.
  if (hasChangesets) show('npm', ['run', '--silent', 'release:version']);
  show('npx', ['nx', 'run-many', '-t', 'lint,typecheck,test,build,pack']);
  if (hasChangesets) {
    show('git', ['add', '--all']);
    show('git', ['commit', '--message', 'Version packages']);
  }
  show('npx', ['changeset', 'publish']);
  console.log('\nPublished. Now: git push --follow-tags');
}

function whatIsMissing() {
  const git = (...args) => run('git', args, { cwd: repository }).trim();
  const branch = git('branch', '--show-current');
  return [
    ...(branch === 'main' ? [] : [`the branch must be main, it is ${branch || 'none'}`]),
    ...(git('status', '--porcelain') === ''
      ? []
      : ['the work tree must be clean: commit or stash first']),
    ...(isLoggedIn() ? [] : ['npm must know you: npm login']),
    ...(canAttest()
      ? []
      : ['provenance can be attested from CI only: run this in the release workflow']),
  ];
}

function changesets() {
  return readdirSync(join(repository, '.changeset')).filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  );
}

/** A package whose version has no tag yet was never published: its first release needs no changeset. */
function isUnreleased({ name, manifest }) {
  if (manifest.private) return false;
  return run('git', ['tag', '--list', `${name}@${manifest.version}`], { cwd: repository }) === '';
}

function isLoggedIn() {
  return spawnSync('npm', ['whoami'], { cwd: repository }).status === 0;
}

/** What npm needs for `publishConfig.provenance`: an identity token of the CI that builds. */
function canAttest() {
  return Boolean(process.env.ACTIONS_ID_TOKEN_REQUEST_URL ?? process.env.SIGSTORE_ID_TOKEN);
}

async function confirm() {
  if (process.env.CI) return;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    "This publishes to npm, for everyone. Type 'publish' to go on: ",
  );
  terminal.close();
  if (answer.trim() !== 'publish') throw new Error('Nothing was published.');
}

function show(command, args) {
  console.log(`\n$ ${command} ${args.join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: repository, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`'${command} ${args.join(' ')}' failed; nothing after it was run`);
}
