import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cached,
  createAgentCache,
  createCache,
  invalidates,
  type AgentCacheRuntime,
  type AsyncCache,
} from '@acache/all';
import { startRedis, until, type RedisServer } from '../../../tools/redis/index.js';

interface User {
  readonly id: number;
  readonly name: string;
}

/** What the services of a test have in common: the database. */
class Database {
  readonly names = new Map<number, string>();
  queries: number[][] = [];

  find(ids: readonly number[]): Promise<User[]> {
    this.queries.push([...ids]);
    return Promise.resolve(ids.map((id) => ({ id, name: this.names.get(id) ?? `user ${id}` })));
  }
}

/** A service, as a process of its own would have it. */
class Service {
  readonly cache: AsyncCache<unknown, User>;
  readonly rename: (id: number, name: string) => Promise<unknown>;
  readonly userOf: (id: number) => Promise<User>;

  constructor(
    readonly database: Database,
    options: { at: string; file: string },
  ) {
    const cache = createCache<unknown, User>({
      name: 'users',
      ttl: '1h',
      maxSize: 1000,
      redis: { client: options.at, commandTimeout: 1000 },
      persist: options.file,
    });
    this.cache = cache;
    const batchLoader = (keys: readonly unknown[]) => database.find(keys as number[]);
    this.userOf = (id) => cache.get(id, { batchLoader, tags: [`user:${id}`] });
    this.rename = invalidates({ cache, tags: (id: number) => [`user:${id}`] })(
      async (id: number, name: string) => database.names.set(id, name),
    );
  }
}

describe('everything at once', () => {
  let server: RedisServer;
  let folder: string;
  let database: Database;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.stop());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'acache-all-'));
    database = new Database();
  });

  afterEach(() => rm(folder, { recursive: true }));

  const start = async (file: string): Promise<Service> => {
    const service = new Service(database, { at: server.url, file: join(folder, file) });
    await service.cache.ready;
    return service;
  };

  it('loads once, tells the others, outlives a restart and an outage', async () => {
    const [a, b] = [await start('a'), await start('b')];

    // N+1 reads in one process are one query, and none in the other.
    await Promise.all([1, 2, 3].map((id) => a.userOf(id)));
    expect(await b.userOf(2)).toEqual({ id: 2, name: 'user 2' });
    expect(database.queries).toEqual([[1, 2, 3]]);

    // What one process changes, the other sees.
    await a.rename(2, 'Ann');
    await until('the other to hear of it', async () => (await b.userOf(2)).name === 'Ann');
    expect(database.queries).toEqual([[1, 2, 3], [2]]);

    // A process that starts again has its memory back, but for what changed meanwhile.
    await a.cache.close();
    await b.rename(3, 'Bob');
    const again = await start('a');
    expect(await again.userOf(1)).toEqual({ id: 1, name: 'user 1' });
    expect(await again.userOf(3)).toEqual({ id: 3, name: 'Bob' });
    expect(database.queries).toEqual([[1, 2, 3], [2], [3]]);

    // Without Redis everything is still answered, rightly.
    await server.kill();
    expect((await again.userOf(1)).name).toBe('user 1');
    await again.rename(1, 'Cleo');
    expect((await again.userOf(1)).name).toBe('Cleo');
    await server.restart();
    await until('the other to hear of it', async () => (await b.userOf(1)).name === 'Cleo');

    await Promise.all([again.cache.close(), b.cache.close()]);
  });

  it('lets the agents of several processes see what each other does, through an outage', async () => {
    const stock = new Map([['tea', 3]]);
    let checks = 0;
    const process = async (file: string) => {
      const { cache } = await start(file);
      const runtime: AgentCacheRuntime = createAgentCache({ cache: cache });
      const check = runtime.read(
        { name: 'check_stock', resource: 'stock:{item}', scope: 'global' },
        async ({ item }: { item: string }) => {
          checks++;
          return Promise.resolve(stock.get(item));
        },
      );
      const take = runtime.mutate(
        { name: 'take', resource: 'stock:{item}', scope: 'global' },
        async ({ item }: { item: string }) => {
          stock.set(item, (stock.get(item) ?? 0) - 1);
          return Promise.resolve(true);
        },
      );
      return { cache, runtime, check, take };
    };
    const [a, b] = [await process('d'), await process('e')];
    const tea = { item: 'tea' };
    await a.runtime.session({ loopDetection: false }).run(async () => {
      expect(await a.check(tea)).toBe(3);
      expect(await b.check(tea)).toBe(3);
      expect(checks).toBe(1);
      await b.take(tea);
      await until('the other to hear of it', async () => (await a.check(tea)) === 2);

      await server.kill();
      await a.take(tea);
      expect(await a.check(tea)).toBe(1);
      await server.restart();
      await until('the other to hear of it', async () => (await b.check(tea)) === 1);
    });
    await a.runtime.session({ maxToolRepeats: 3 }).run(async (session) => {
      for (let at = 0; at < 3; at++) expect(await a.check(tea)).toBe(1);
      const loop = { code: 'ERR_ACACHE_AGENT_LOOP', kind: 'repeat', count: 4 };
      await expect(a.check(tea)).rejects.toMatchObject(loop);
      expect(session.signal.aborted).toBe(true);
    });
    await Promise.all([a.cache.close(), b.cache.close()]);
  });

  it('serves decorated functions from the same cache', async () => {
    const { cache } = await start('c');
    let calls = 0;
    const greet = cached({ cache, name: 'greet', tags: (id: number) => [`user:${id}`] })(async (
      id: number,
    ) => {
      calls++;
      return Promise.resolve({ id, name: `hello ${id}` });
    });
    await greet(7);
    expect(await greet(7)).toEqual({ id: 7, name: 'hello 7' });
    await cache.invalidateTags('user:7');
    await greet(7);
    expect(calls).toBe(2);
    await cache.close();
  });
});
