import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy, type RedisServer, type TcpProxy } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { randomFrom } from './random.js';
import { coherentModes, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

const SEED = Number(process.env.ACACHE_FUZZ_SEED ?? Date.now() % 1e9);
const KEYS = ['a', 'b', 'c', 'd'];

let redis: RedisServer;
let proxies: TcpProxy[];
redisForAll(async (server) => {
  redis = server;
  proxies = [await startProxy(redis), await startProxy(redis)];
});
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

describe.each(coherentModes)(
  'three processes, two of them behind networks that lag, with %s',
  (coherence) => {
    it('serve what the source holds, as soon as all has been heard', async () => {
      const random = randomFrom(SEED);
      const worlds = [redis, ...proxies].map(({ url }) => new World(() => url));
      const name = `lagging, ${coherence}`;
      const options = { name, ttl: '10m', staleWhileRevalidate: '10m', maxSize: null } as const;
      const all = (await Promise.all(
        worlds.map((world) =>
          world.process<string, number>(options, { coherence, commandTimeout: 10_000 }),
        ),
      )) as [Process<string, number>, ...Process<string, number>[]];
      const errors: string[] = [];
      for (const each of all) each.on('error', ({ error }) => errors.push(String(error)));
      const source = new Map(KEYS.map((key) => [key, 0]));
      const load = async (key: string): Promise<number> => {
        const value = source.get(key)!;
        await sleep(random.below(6));
        return value;
      };

      /** Reads, or changes the source and tells a cache. */
      async function act(each: Process<string, number>, key: string): Promise<unknown> {
        const tags = random.chance(0.5) ? ['t'] : () => ['t'];
        const dice = random.below(12);
        if (dice < 7) return each.get(key, { loader: load, tags });
        if (dice < 8) {
          return each.getMany(KEYS, { loadMany: (keys) => Promise.all(keys.map(load)), tags });
        }
        const next = source.get(key)! + 1;
        source.set(key, next);
        if (dice < 9) return each.delete(key);
        if (dice < 10) return each.invalidateTags('t');
        if (dice < 11) return each.set(key, next, { tags: ['t'] });
        return each.clear();
      }

      for (let round = 0; round < 4; round++) {
        for (const line of proxies.flatMap(({ connections }) => connections)) {
          line.shape({ lag: random.below(2) * random.below(12) }, 'toClient');
          line.shape({ lag: random.below(2) * random.below(6) }, 'toServer');
        }
        const running: Promise<unknown>[] = [];
        for (let at = 0; at < 30; at++) {
          running.push(act(random.of(all), random.of(KEYS)));
          if (random.chance(0.25)) await sleep(random.below(4));
        }
        await Promise.all(running);
        // Two sets of one key by two processes may arrive in either order; a removal after them is sure.
        for (const key of KEYS) await random.of(all).delete(key);
        for (const each of all) {
          await untilHeard(each, each === all[0] ? all[1]! : all[0]);
          const values = await Promise.all(KEYS.map((key) => each.get(key, load)));
          expect([SEED, round, values]).toEqual([SEED, round, [...source.values()]]);
        }
      }
      expect(errors).toEqual([]);
    }, 30_000);
  },
);
