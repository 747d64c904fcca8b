import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import {
  startProxy,
  startSentinel,
  until,
  type RedisSentinel,
} from '../../../tools/redis/index.js';
import {
  connectionsTo,
  endProcesses,
  expectOneCache,
  startCoherent,
  startProcess,
  startTwo,
  untilCoherent,
  untilForgotten,
} from './processes.js';

let group: RedisSentinel;
let options: RedisOptions;
beforeAll(async () => {
  group = await startSentinel({ downAfter: 300 });
  options = { sentinels: group.addresses, name: group.name };
});
afterEach(endProcesses);
afterAll(() => group.stop());

describe('a Sentinel group', () => {
  const targets: [string, () => RedisOptions | Redis][] = [
    ['options', () => options],
    ['a client', () => new Redis({ ...options, lazyConnect: true })],
    [
      'a client that expects failovers',
      () => new Redis({ ...options, lazyConnect: true, failoverDetector: true }),
    ],
    [
      'a client of ioredis 5',
      () => new Redis5({ ...options, lazyConnect: true } as object) as unknown as Redis,
    ],
  ];
  it.each(targets)('is one cache: with %s', async (_what, target) => {
    const [a, b] = await startCoherent(target());
    await expectOneCache(a, b);
  });

  it('is written to by way of a client that reads from replicas', async () => {
    const [a, b] = await startTwo(new Redis({ ...options, role: 'slave', lazyConnect: true }));
    await until('both to be coherent', () => a.tier.getMetrics().coherent, 2000);
    await untilCoherent(b);
    await a.cache.set('key', 'value');
    expect(await b.cache.get('key')).toBe('value');
  });

  it('is found when its sentinels come back, though the client would ask them once', async () => {
    await using proxy = await startProxy(group.sentinels[0]!);
    proxy.refuse();
    const client = new Redis({
      ...options,
      sentinels: [{ host: proxy.host, port: proxy.port }],
      updateSentinels: false,
      sentinelRetryStrategy: () => null,
      lazyConnect: true,
    });
    const { cache, tier } = await startProcess(client, { commandTimeout: 100 });
    expect(await cache.get('key', () => 'loaded')).toBe('loaded');
    await proxy.resume();
    await until('the tier to be coherent', () => tier.getMetrics().coherent, 3000);
    await cache.close();
  });

  it('frees its connections, those to the sentinels too', async () => {
    const servers = [...group.nodes, ...group.sentinels];
    const count = async (): Promise<number> => {
      const all = await Promise.all(servers.map((server) => connectionsTo(server)));
      // Sentinels and replicas talk to each other all the time.
      return all.flat().filter(({ name }) => !(name ?? '').includes('sentinel')).length;
    };
    await until('the last ones to be gone', async () => (await count()) === (await count()));
    const before = await count();
    await startCoherent({ ...options, failoverDetector: true });
    expect(await count()).toBeGreaterThanOrEqual(before + 4);
    await endProcesses();
    await until('ours to be gone', async () => (await count()) <= before);
  });
});

describe('a failover of Sentinel', () => {
  const ways: [string, () => Promise<unknown>][] = [
    [
      'with both alive',
      async () => {
        const before = await group.primary();
        // Sentinels that tell each other more often take the promoted one for a deserter.
        const slower = ['SENTINEL', 'DEBUG', 'publish-period', '500'] as const;
        await Promise.all(group.sentinels.map((sentinel) => sentinel.command(...slower)));
        await group.sentinels[0]!.command('SENTINEL', 'FAILOVER', group.name);
        return group.successorOf(before);
      },
    ],
    ['after the primary was killed', () => group.failover()],
  ];
  it.each(ways)(
    'leaves nothing old in memory, and service goes on: %s',
    async (_what, fail) => {
      await group.untilSettled();
      const [a, b] = await startCoherent(options, { commandTimeout: 300 });
      await a.cache.set('key', 'old');
      expect(await b.cache.get('key')).toBe('old');
      const before = await group.primary();
      let isOver = false;
      const served = (async () => {
        for (let count = 0; !isOver; count++) {
          const value = await b.cache.get(`during ${count % 50}`, () => 'loaded');
          if (value !== 'loaded') return `got ${String(value)}`;
          await new Promise(setImmediate);
        }
        return 'loaded';
      })();
      await fail();
      const after = await group.primary();
      expect(after).not.toBe(before);
      // Somebody writes there who is no cache: only who listens there hears of it.
      const bothListen = async (): Promise<boolean> => {
        const listening = (await connectionsTo(after)).filter(({ sub }) => sub === '1');
        return listening.length >= 2 && [a, b].every(({ tier }) => tier.getMetrics().coherent);
      };
      // A sentinel that was held up for two seconds names the old one for half a minute more (its TILT mode).
      await until('both to listen to the new primary', bothListen, 45_000);
      isOver = true;
      expect(await served).toBe('loaded');
      expect(b.cache.has('key')).toBe(false);
      await a.cache.set('key', 'new');
      expect(await b.cache.get('key')).toBe('new');
      const keys = await after.command<string[]>('KEYS', 'acache:v:*');
      const ours = keys.filter((key) => /\bkey\}$/.test(key));
      expect(ours).toHaveLength(1);
      await after.command('DEL', ours[0] as string);
      await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
      await until('a write to be taken', async () => {
        await a.cache.set('key', 'newer');
        return (await b.cache.get('key')) === 'newer';
      });
      await untilCoherent(a, b);
      await expectOneCache(a, b);
      if (!before.isRunning) await before.restart();
    },
    90_000,
  );
});
