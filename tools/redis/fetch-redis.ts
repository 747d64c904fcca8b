import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The copy that `fetchRedis` has left in the cache, if there is one for this system. */
export function cachedRedis(cache: string): string | undefined {
  const program = programIn(copyIn(cache));
  return existsSync(program) ? program : undefined;
}

/** Rejects, with the reason, when a program is not a server that will do. */
type Check = (program: string) => Promise<unknown>;

/**
 * Downloads Debian's or Ubuntu's packages of the server and of the libraries that this system lacks, and unpacks them
 * into the cache. Needs no root, installs nothing, and starts no service.
 * @returns the path of a script that runs the server with those libraries
 */
export async function fetchRedis(
  cache: string,
  env: NodeJS.ProcessEnv,
  check: Check,
): Promise<string> {
  const run = commandsIn(env);
  if (process.platform !== 'linux' || !(await run('apt-get', ['--version']).catch(() => ''))) {
    throw new Error('only Debian and Ubuntu, with apt-get, have one to unpack');
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.fetch-'));
  try {
    // The packages as the system's lists name them; where there are no lists, or they are out of date, by fresh ones
    // of our own, which need no root.
    const packages = await download(run, join(work, 'packages'), patience).catch(async () => {
      const options = await ownLists(run, join(work, 'apt'));
      return download(run, join(work, 'packages'), options);
    });
    const copy = join(work, 'copy');
    for (const file of packages) await run('dpkg-deb', ['-x', file, copy]);
    await rm(join(copy, 'usr/share'), { recursive: true, force: true });
    await writeProgram(copy);
    await check(programIn(copy));
    return await put(copy, copyIn(cache), check);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Where the network is silent, it is not for long. */
const patience = ['-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15'];

type Run = (command: string, args: readonly string[], cwd?: string) => Promise<string>;

function commandsIn(env: NodeJS.ProcessEnv): Run {
  return async (command, args, cwd) => {
    const options = { env: { ...env, LC_ALL: 'C' }, cwd, maxBuffer: 2 ** 24 };
    return (await promisify(execFile)(command, args, options)).stdout;
  };
}

async function download(run: Run, folder: string, options: readonly string[]): Promise<string[]> {
  const plan = await run('apt-get', [
    ...options,
    ...['install', '--simulate', '--no-install-recommends', 'redis-server'],
  ]);
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => String(name));
  await mkdir(folder, { recursive: true });
  const names = new Set(['redis-server', 'redis-tools', ...missing]);
  await run('apt-get', [...options, 'download', ...names], folder);
  return (await readdir(folder)).map((file) => join(folder, file));
}

async function ownLists(run: Run, folder: string): Promise<string[]> {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'archives/partial'), { recursive: true });
  const folders = ['-o', `Dir::State::Lists=${folder}/lists`, '-o', `Dir::Cache=${folder}`];
  const options = [...patience, ...folders];
  await run('apt-get', [...options, 'update']);
  return options;
}

/** Writes a script that runs the server with the libraries beside it, wherever the copy is moved to. */
async function writeProgram(copy: string): Promise<void> {
  const files = await readdir(copy, { recursive: true });
  const folders = new Set(files.filter((file) => file.includes('.so.')).map(dirname));
  const libraries = [...folders].map((folder) => `$here/${folder}`).join(':');
  const script = [
    '#!/bin/sh',
    'here=${0%/*}',
    `export LD_LIBRARY_PATH="${libraries}"`,
    'exec "$here/usr/bin/redis-server" "$@"',
  ];
  await writeFile(programIn(copy), `${script.join('\n')}\n`);
  await chmod(programIn(copy), 0o755);
}

/** Puts a whole copy in place with one rename: whoever looks meanwhile, another test process, finds all or nothing. */
async function put(copy: string, to: string, check: Check): Promise<string> {
  const move = (): Promise<void> => rename(copy, to);
  await move().catch(async (error: unknown) => {
    if (!existsSync(to)) throw error;
    // Another process was first, which is as good; or what is there does not run here any more.
    await check(programIn(to)).catch(async () => {
      await rm(to, { recursive: true });
      await move();
    });
  });
  return programIn(to);
}

/** A copy is of one system: a container may share the folder with its host. */
function copyIn(cache: string): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? 'unknown';
  return join(cache, `${field('ID')}-${field('VERSION_ID')}-${process.arch}`);
}

const programIn = (copy: string): string => join(copy, 'redis-server');
