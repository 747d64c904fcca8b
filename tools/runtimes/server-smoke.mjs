import { AgentCache, AgentCacheInvalidator, AgentCacheSession } from '@acache/agent';
import { AsyncCache } from '@acache/core';
import { valueSerializer } from '@acache/core/values';
import { keyvTier } from '@acache/keyv-tier';
import { filePersistence } from '@acache/persist-file';
import { redisTier } from '@acache/redis-tier';
import { keepAll, same } from './promises.mjs';

/**
 * What the built packages for servers promise.
 * @param {{ file: string, redis: string }} places a file that is not there yet, and a Redis
 */
export function serverSmoke({ file, redis }) {
  return keepAll({
    'keeps what a value is': async () => {
      const { serialize, deserialize } = valueSerializer();
      const value = new Map([['when', new Date(0)]]);
      const back = /** @type {typeof value} */ (deserialize(serialize(value)));
      same(back.get('when')?.getTime(), 0);
    },

    'comes back from its file': async () => {
      for (const loads of [1, 0]) {
        const cache = new AsyncCache({ persistence: filePersistence(file) });
        same(await cache.get('key', () => 'loaded'), 'loaded');
        same(cache.getMetrics().loads, loads);
        await cache.close();
      }
    },

    'lets one process at a time have a file': async () => {
      const first = new AsyncCache({ persistence: filePersistence(file) });
      await first.ready;
      const second = new AsyncCache({ persistence: filePersistence(file) });
      same(await second.ready.catch(({ code }) => code), 'ERR_ACACHE_LOCKED');
      await Promise.all([first.close(), second.close()]);
    },

    'answers an agent`s reads from its session, until a write': async () => {
      let loads = 0;
      const get = AgentCache({ name: 'get', resource: 'x' })(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return ++loads;
      });
      const set = AgentCacheInvalidator({ name: 'set', resource: 'x' })(async () => 'done');
      const read = async () => [await get(), await get()].join();
      const sessions = [new AgentCacheSession(), new AgentCacheSession()];
      await Promise.all(sessions.map((session) => session.run(read)));
      same(loads, 2);
      await sessions[0].run(set);
      same(await sessions[0].run(read), '3,3');
      await Promise.all(sessions.map((session) => session.end()));
    },

    'stops an agent that repeats itself': async () => {
      const search = AgentCache({ name: 'search' })(async (query) => query);
      const session = new AgentCacheSession({ maxToolRepeats: 2 });
      const { signal } = session;
      const codes = await session.run(async () => {
        const outcomes = [];
        for (let at = 0; at < 4; at++) {
          outcomes.push(await search('cats').catch(({ kind }) => kind));
        }
        return outcomes.join();
      });
      same(codes, 'cats,cats,repeat,repeat');
      same(signal.aborted, true);
    },

    'finds what lies in a store of Keyv, and nothing that was invalidated': async () => {
      const store = new Map();
      const open = () => new AsyncCache({ name: 'users', tier: keyvTier(store) });
      const before = open();
      await before.set('kept', 'kept', { tags: ['odd'] });
      await before.set('gone', 'gone', { tags: ['even'] });
      await before.invalidateTags('even');
      await before.close();
      const after = open();
      same(await after.get('kept'), 'kept');
      same(await after.get('gone'), undefined);
      await after.close();
    },

    'shares a Redis: one load, and an invalidation holds in all': async () => {
      const tiers = [redisTier(redis), redisTier(redis)];
      const [a, b] = tiers.map((tier) => new AsyncCache({ name: file, tier }));
      await Promise.all([a.ready, b.ready]);
      await until(() => tiers.every((tier) => tier.getMetrics().coherent));
      let loads = 0;
      const load = async () => ++loads;
      same((await Promise.all([a.get('key', load), b.get('key', load)])).join(), '1,1');
      await a.delete('key');
      await until(() => !b.has('key'));
      same(await b.get('key', load), 2);
      await Promise.all([a.close(), b.close()]);
    },
  });
}

async function until(holds) {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 500) throw new Error('it never held');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
