import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { Redis } from 'ioredis';
import {
  startRedis,
  until,
  type RedisOptions,
  type RedisServer,
} from '../../../tools/redis/index.js';
import { redisTier, type RedisTarget, type RedisTierOptions } from '../src/index.js';

/** What stands for a process: a cache on a tier of its own, and what that said. */
export interface Process {
  readonly cache: AsyncCache<unknown, unknown>;
  readonly tier: ReturnType<typeof redisTier>;
  /** The states of `tier` events, in their order. */
  readonly states: string[];
  readonly events: { state: string; detail?: unknown }[];
  readonly errors: unknown[];
}

export interface ProcessOptions extends RedisTierOptions {
  readonly name?: string;
  readonly cache?: Omit<AsyncCacheOptions<unknown, unknown>, 'name' | 'tier'>;
}

/** For tests that are not about slowness. */
const patient: RedisTierOptions = { commandTimeout: 1000 };
const running: AsyncCache<never, never>[] = [];

/**
 * One Redis for all tests of a file, empty before each; what a test starts on it ends with the test.
 *
 * @param use - given the server once it runs
 */
export function redisForAll(use: (redis: RedisServer) => unknown, options?: RedisOptions): void {
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    redis = await startRedis(options);
    await use(redis);
  });
  beforeEach(() => redis?.command('FLUSHALL'));
  afterEach(endProcesses);
  afterAll(() => redis?.stop());
}

/** A Redis for each test, which may kill it; what a test starts on it ends first. */
export function redisForEach(use: (redis: RedisServer) => unknown): void {
  let redis: RedisServer | undefined;
  beforeEach(async () => {
    redis = await startRedis();
    await use(redis);
  });
  afterEach(async () => {
    await endProcesses();
    await redis?.stop();
  });
}

/** Starts one, and waits until it is connected, or was given up on. */
export async function startProcess(
  target: RedisTarget,
  { name = 'users', cache: options, ...tierOptions }: ProcessOptions = {},
): Promise<Process> {
  const tier = redisTier(target, { ...patient, ...tierOptions });
  const cache = new AsyncCache<unknown, unknown>({ ...options, name, tier });
  closeLater(cache);
  const process: Process = { cache, tier, states: [], events: [], errors: [] };
  cache.on('tier', ({ state, detail }) => {
    process.states.push(state);
    process.events.push({ state, detail });
  });
  cache.on('error', ({ error }) => process.errors.push(error));
  await cache.ready;
  return process;
}

/** Two of them on one Redis, the second to see what the first one does. */
export async function startTwo(
  target: RedisTarget,
  options?: ProcessOptions,
): Promise<[Process, Process]> {
  return [await startProcess(target, options), await startProcess(target, options)];
}

/** Two of them that hear of each other's changes. */
export async function startCoherent(
  target: RedisTarget,
  options?: ProcessOptions,
): Promise<[Process, Process]> {
  const both = await startTwo(target, options);
  await untilCoherent(...both);
  return both;
}

/** For what a test makes by itself. */
export function closeLater(cache: AsyncCache<never, never> | AsyncCache): void {
  running.push(cache as AsyncCache<never, never>);
}

/** Ends all that was started. */
export async function endProcesses(): Promise<void> {
  await Promise.all(running.splice(0).map((cache) => cache.close()));
}

/** Waits until every change elsewhere would be heard of. */
export async function untilCoherent(...processes: readonly Process[]): Promise<void> {
  await until('the tier to be coherent', () =>
    processes.every(({ tier }) => tier.getMetrics().coherent),
  );
}

/** Waits until every server answers: the first commands for a node of a cluster may find it on its way. */
export async function untilAnswered(...processes: readonly Process[]): Promise<void> {
  for (const { cache, tier } of processes) {
    await until('every server to answer', async () => {
      await cache.flush();
      return !tier.getMetrics().down;
    });
  }
}

/** Waits until the memory of a process does not serve a key any more. */
export async function untilForgotten({ cache }: Process, key: unknown): Promise<void> {
  await until('memory to forget the key', () => !cache.has(key));
}

/** Waits until Redis has heard of every removal, those included that it could not be told at first. */
export async function untilMadeGood({ tier }: Process): Promise<void> {
  await until('what was not sent to be made good', () => tier.getMetrics().unsent === 0);
}

/** Waits until a process loads something that no other one may load meanwhile. */
export async function untilLoading({ tier }: Process): Promise<void> {
  await until('the load to have begun', () => tier.getMetrics().leases === 1);
}

/** That whatever one of them does is seen by the other. */
export async function expectOneCache(a: Process, b: Process): Promise<void> {
  const loader = counting('loaded');
  const key = `loaded ${Math.random()}`;
  await Promise.all([a.cache.get(key, loader), b.cache.get(key, loader)]);
  expect(loader.calls).toBe(1);
  await a.cache.set('shared', 'old', { tags: ['tag'] });
  expect(await b.cache.get('shared')).toBe('old');
  await b.cache.set('shared', 'new', { tags: ['tag'] });
  await untilForgotten(a, 'shared');
  expect(await a.cache.get('shared')).toBe('new');
  await a.cache.invalidateTags('tag');
  await untilForgotten(b, 'shared');
  expect(await b.cache.get('shared')).toBeUndefined();
  await a.cache.set('shared', 'again');
  expect(await b.cache.get('shared')).toBe('again');
  await a.cache.clear();
  await untilForgotten(b, 'shared');
  expect(await b.cache.get('shared')).toBeUndefined();
}

/** A loader that counts. */
export function counting<T>(value: T): { (): Promise<T>; calls: number } {
  const loader = async (): Promise<T> => {
    loader.calls++;
    return value;
  };
  loader.calls = 0;
  return loader;
}

/** The connections of clients to a server; those of the harness and of other servers left out. */
export async function connectionsTo(
  server: Pick<RedisServer, 'command'>,
): Promise<Record<string, string>[]> {
  const list = await server.command<string>('CLIENT', 'LIST');
  return list
    .trim()
    .split('\n')
    .map((line) =>
      Object.fromEntries(
        line.split(' ').map((field) => {
          const at = field.indexOf('=');
          return [field.slice(0, at), field.slice(at + 1)] as const;
        }),
      ),
    )
    .filter(({ cmd, flags }) => cmd !== 'client|list' && !/[SM]/.test(flags ?? ''));
}

/** What a server was asked, scripts' own commands included, as a client of its own sees it. */
export interface Observation {
  readonly commands: readonly { args: readonly string[]; from: string }[];
  /** Waits for what has been sent up to now, and ends. */
  stop(): Promise<void>;
}

export async function observe(server: RedisServer): Promise<Observation> {
  const client = new Redis(server.url, { ...(server.tls && { tls: server.tls }) });
  const monitor = await client.monitor();
  const commands: { args: string[]; from: string }[] = [];
  monitor.on('monitor', (_time: string, args: string[], from: string) => {
    commands.push({ args, from });
  });
  return {
    commands,
    async stop() {
      const mark = `mark ${Math.random()}`;
      await server.command('ECHO', mark);
      const isMark = ({ args }: { args: string[] }): boolean => args[1] === mark;
      await until('the monitor to see all', () => commands.some(isMark));
      commands.splice(commands.findIndex(isMark));
      monitor.disconnect();
      client.disconnect();
    },
  };
}
