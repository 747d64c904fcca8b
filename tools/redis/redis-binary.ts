import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cachedRedis, fetchRedis } from './fetch-redis.js';
import { messageOf } from './message-of.js';

/** A server program that runs here. */
export interface RedisBinary {
  readonly path: string;
  /** `'7.0.15'` */
  readonly version: string;
}

export interface FindOptions {
  /** @defaultValue `process.env` */
  readonly env?: NodeJS.ProcessEnv;
  /** Where a fetched copy is kept. @defaultValue `.cache/redis` of the repository */
  readonly cache?: string;
}

/** The first with ACL selectors, `SET … NX GET`, `CLUSTER ADDSLOTSRANGE`, `--cluster-port` and `SENTINEL DEBUG`. */
const oldest = 7;

const repositoryCache = join(__dirname, '../../.cache/redis');

/**
 * Finds a Redis (or Valkey) server for the tests: the one that `REDIS_SERVER` names, else one on the `PATH`, else a
 * copy in the cache, else, on Debian and Ubuntu, a copy that it unpacks into the cache. Installs nothing.
 * @throws when there is none, with what to do about it
 */
export async function findRedis({
  env = process.env,
  cache = repositoryCache,
}: FindOptions = {}): Promise<RedisBinary> {
  const named = env.REDIS_SERVER;
  if (named !== undefined && named !== '') {
    const path = named.includes('/') ? resolve(named) : (onPath(named, env) ?? named);
    return await check(path).catch((cause: unknown) => {
      throw new Error(`REDIS_SERVER is '${named}', but ${messageOf(cause)}`, { cause });
    });
  }
  const tried: string[] = [];
  const attempts: (() => string | undefined | Promise<string>)[] = [
    () => onPath('redis-server', env),
    () => onPath('valkey-server', env),
    () => cachedRedis(cache),
    () => fetchRedis(cache, env, check),
  ];
  for (const attempt of attempts) {
    try {
      const path = await attempt();
      if (path !== undefined) return await check(path);
    } catch (error) {
      tried.push(messageOf(error));
    }
  }
  throw new Error(
    [
      `The tests need a Redis server, ${oldest} or newer, and there is none.`,
      'Install one (macOS: brew install redis; Fedora: dnf install redis; Alpine: apk add redis), or name its program',
      'in the environment: REDIS_SERVER=/path/to/redis-server npm test',
      'There is none on the PATH that will do, and none could be fetched:',
      ...tried.map((line) => `- ${line}`),
    ].join('\n'),
  );
}

// The first test that needs a server may wait for a download, which takes longer than jest lets a test take by default.
if (typeof jest !== 'undefined') jest.setTimeout(60_000);

let found: Promise<RedisBinary> | undefined;

/** The server program of the tests, looked for once. */
export const redisBinary = (): Promise<RedisBinary> => (found ??= findRedis());

/** @throws when it does not run here, or is too old */
async function check(path: string): Promise<RedisBinary> {
  const { stdout } = await promisify(execFile)(path, ['--version']).catch((error: unknown) => {
    throw new Error(`${path} does not run: ${messageOf(error).trim()}`, { cause: error });
  });
  const version = /\bv=([\d.]+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${path} is no Redis: ${stdout.trim()}`);
  if (Number.parseInt(version, 10) < oldest) {
    throw new Error(`${path} is ${version}, older than ${oldest}`);
  }
  return { path, version };
}

function onPath(name: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  return PATH.split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
