import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCache, InvalidOptionError, type CreateCacheOptions } from '@acache/all';
import { Redis } from 'ioredis';
import { startProxy, startRedis, until, type RedisServer } from '../../../tools/redis/index.js';

let server: RedisServer;
let folder: string;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acache-all-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the parts of a cache', () => {
  it('are not begun where an option of another part is refused', async () => {
    await using proxy = await startProxy(server);
    const persist = join(folder, 'file');
    const sound = { name: 'c', redis: { client: proxy.url }, persist };
    const odd: object[] = [
      { ttl: 'x' },
      { name: undefined },
      { batch: { window: -1 } },
      { maxSize: -1 },
      { policy: 'x' },
      { persist: { path: persist, flushInterval: -1 } },
    ];
    for (const options of odd) {
      const make = () => createCache({ ...sound, ...options } as CreateCacheOptions);
      expect(make).toThrow(InvalidOptionError);
    }
    const cache = createCache(sound);
    await cache.ready;
    await cache.close();
    // To ask, and to hear of changes; and nobody else has the file.
    expect(proxy.accepted).toBeLessThanOrEqual(2);
  });

  type Given = (url: string, port: number) => { redis: unknown; own?: Redis };
  const byClient = (wrap: (client: Redis) => unknown, options = {}): Given => {
    return (_, port) => {
      const own = new Redis(port, '127.0.0.1', options);
      return { redis: wrap(own), own };
    };
  };
  it.each<[string, Given]>([
    ['a URL', (url) => ({ redis: url })],
    ['options of ioredis', (_, port) => ({ redis: { host: '127.0.0.1', port } })],
    ['a client', byClient((client) => client)],
    ['a client that is not connected yet', byClient((client) => client, { lazyConnect: true })],
    ['a URL with options', (url) => ({ redis: { client: url, prefix: 'p' } })],
    [
      'a client with options',
      byClient((client) => ({ client, coherence: 'none' }), { keyPrefix: 'p:' }),
    ],
  ])('are closed with it, and a client of yours is not: Redis given as %s', async (_, given) => {
    await using proxy = await startProxy(server);
    const { own, redis } = given(proxy.url, proxy.port);
    const persist = join(folder, 'file');
    const options = Object.freeze({ name: 'c', redis, persist }) as CreateCacheOptions<
      string,
      string
    >;
    const cache = createCache<string, string>(options);
    expect(await cache.get('k', () => 'v')).toBe('v');
    await cache.flush();
    await Promise.all([cache.close(), cache.close(), cache[Symbol.asyncDispose]()]);
    if (own !== undefined) {
      expect(await own.ping()).toBe('PONG');
      await until('its connections to end', () => proxy.connections.length === 1);
      own.disconnect();
    }
    await until('all connections to end', () => proxy.connections.length === 0);
    const again = createCache<string, string>({ name: 'c', persist });
    await again.ready;
    expect(again.peek('k')).toBe('v');
    await again.close();
    await server.command('FLUSHALL');
  });

  it('are freed within 3 s where Redis is frozen while they begin', async () => {
    await using frozen = await startRedis();
    await frozen.freeze();
    const persist = join(folder, 'file');
    const cache = createCache<string, string>({ name: 'c', redis: frozen.url, persist });
    const set = cache.set('k', 'v').catch(() => undefined);
    const began = Date.now();
    await cache.close().catch(() => undefined);
    expect(Date.now() - began).toBeLessThan(3200);
    await set;
    const again = createCache<string, string>({ name: 'c', persist });
    expect(await again.get('k')).toBe('v');
    await again.close();
    frozen.thaw();
  });
});
