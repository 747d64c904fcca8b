import { Cluster } from 'ioredis';
import {
  startCluster,
  until,
  type RedisCluster,
  type RedisServer,
} from '../../../tools/redis/index.js';
import {
  connectionsTo,
  endProcesses,
  startCoherent,
  untilAnswered,
  untilCoherent,
  untilForgotten,
  type Process,
} from './processes.js';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ replicas: 1, nodeTimeout: 1000 });
});
afterEach(endProcesses);
afterAll(() => cluster.stop());

const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
const stampKey = 'acache:t:{users by tracking}';

/** Gets without end, whose answers must be of these. */
function serve({ cache }: Process, values: readonly unknown[]): () => Promise<unknown[]> {
  let isOver = false;
  const wrong: unknown[] = [];
  const served = (async () => {
    for (let count = 0; !isOver; count++) {
      const value = await cache.get(`served ${count % 40}`, () => 'loaded');
      if (!values.includes(value)) wrong.push(value);
      await new Promise(setImmediate);
    }
    return wrong;
  })();
  return () => {
    isOver = true;
    return served;
  };
}

describe('a primary of a cluster', () => {
  const ways: [string, (primary: RedisServer) => Promise<unknown>][] = [
    ['that changes places with its replica', (primary) => cluster.handOver(primary)],
    ['that is killed and replaced', (primary) => cluster.failover(primary)],
  ];
  it.each(ways)('%s leaves nothing old, and service goes on', async (_what, replace) => {
    const pairs = await Promise.all(
      (['tracking', 'pubsub'] as const).map(async (coherence) => {
        const client = new Cluster(cluster.addresses, { lazyConnect: true });
        const name = `users by ${coherence}`;
        const options = { name, coherence, commandTimeout: 300, breaker: { openFor: 100 } };
        const [a, b] = await startCoherent(client, options);
        await untilAnswered(a, b);
        await a.cache.setMany(
          keys.map((key) => [key, 'old'] as const),
          { tags: ['tag'] },
        );
        await b.cache.getMany(keys);
        return [a, b] as const;
      }),
    );
    const before = await cluster.ownerOf(stampKey);
    const ends = pairs.map(([, b]) => serve(b, ['loaded']));
    await replace(before);
    for (const end of ends) expect(await end()).toEqual([]);
    const after = await cluster.ownerOf(stampKey);
    expect(after).not.toBe(before);
    for (const [a, b] of pairs) {
      for (const key of keys) {
        await until('a write to be taken', async () => {
          await a.cache.set(key, 'new', { tags: ['tag'] });
          return (await b.cache.get(key)) === 'new';
        });
      }
    }
    const [[a, b]] = pairs as [(typeof pairs)[0]];
    await until('the new primary to be listened to', async () => {
      const listening = (await connectionsTo(after)).filter(({ sub }) => sub !== '0');
      return listening.length >= 2;
    });
    for (const [one, other] of pairs) await untilCoherent(one, other);
    // Somebody writes there who is no cache.
    await b.cache.getMany(keys);
    const stored = await after.command<string[]>('KEYS', 'acache:v:{users by tracking:*key *');
    expect(stored.length).toBeGreaterThan(0);
    await after.command('DEL', stored[0] as string);
    const key = /key \d+/.exec(stored[0] as string)?.[0];
    await Promise.all([untilForgotten(a, key), untilForgotten(b, key)]);
    for (const [one, other] of pairs) {
      await other.cache.getMany(keys);
      await one.cache.invalidateTags('tag');
      for (const each of keys) await untilForgotten(other, each);
      expect(await other.cache.getMany(keys)).toEqual(new Map());
      await one.cache.flush();
      expect(one.tier.getMetrics().unsent).toBe(0);
    }
    await endProcesses();
    if (!before.isRunning) {
      await before.restart();
      await cluster.untilSettled();
    }
  });
});
