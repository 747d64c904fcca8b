import { batchLoader, DataLoader } from '@acache/batch';
import { AsyncCache, makeKey } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { AsyncLRU, invalidates } from '@acache/decorators';
import { prometheus } from '@acache/metrics';
import { keepAll, same } from './promises.mjs';

/**
 * What the built packages promise, tried on whatever runs this: a server or a browser.
 * @type {Record<string, () => Promise<void>>}
 */
const promises = {
  'loads a key once for all who wait for it': async () => {
    const cache = new AsyncCache();
    let loads = 0;
    const load = async () => ++loads;
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.get('key', load)));
    same(new Set(values).size, 1);
    same(loads, 1);
    await cache.close();
  },

  'serves a value until its ttl has passed': async () => {
    const clock = fakeClock();
    const cache = new AsyncCache({ ttl: '1s', clock });
    await cache.set('key', 'value');
    same(cache.peek('key'), 'value');
    await clock.advance(1001);
    same(cache.peek('key'), undefined);
    await cache.close();
  },

  'forgets what has a tag': async () => {
    const cache = new AsyncCache();
    await cache.set('one', 1, { tags: ['odd'] });
    await cache.set('two', 2, { tags: ['even'] });
    await cache.invalidateTags('odd');
    same(cache.has('one'), false);
    same(cache.has('two'), true);
    await cache.close();
  },

  'gives the loader a signal that fires when the last caller has left': async () => {
    const cache = new AsyncCache();
    const caller = new AbortController();
    const reached = new Promise((resolve) => {
      const loader = (_, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => resolve('aborted')));
      cache.get('key', { loader, signal: caller.signal }).catch(() => undefined);
    });
    await Promise.resolve();
    caller.abort();
    same(await reached, 'aborted');
    await cache.close();
  },

  'makes the same key of equal arguments and different keys of different ones': async () => {
    same(makeKey('user', [{ id: 1, name: 'Ada' }]), makeKey('user', [{ name: 'Ada', id: 1 }]));
    same(makeKey('user', [1]) === makeKey('user', ['1']), false);
    same(makeKey('user', [new Map([[1, 2]])]) === makeKey('user', [{ 1: 2 }]), false);
  },

  'loads in one batch what is asked for in one turn, promise callbacks included': async () => {
    const batches = [];
    const load = async (keys) => {
      batches.push(keys.join());
      return keys;
    };
    const users = new DataLoader(load);
    await Promise.all([users.load(1), users.load(2), Promise.resolve().then(() => users.load(3))]);
    same(batches.join(' '), '1,2,3');
    const cache = new AsyncCache();
    const loader = batchLoader(load);
    await Promise.all([4, 5, 4].map((key) => cache.get(key, loader)));
    same(batches.join(' '), '1,2,3 4,5');
    await cache.close();
  },

  'caches a function, and forgets what a mutation changes': async () => {
    let name = 'Ann';
    const find = AsyncLRU({ tags: () => ['names'] })(async () => name);
    const rename = invalidates({ tags: ['names'] })(async (to) => {
      name = to;
    });
    same(await find(), 'Ann');
    await rename('Anna');
    same(await find(), 'Anna');
    same(find.getMetrics().loads, 2);
  },

  'shows what a cache counts, as a registry asks for it': async () => {
    const registered = new Map();
    const cache = new AsyncCache({ name: 'shown' });
    const unregister = prometheus(cache, {
      registerMetric: (metric) => registered.set(metric.name, metric),
      getSingleMetric: (name) => registered.get(name),
      removeSingleMetric: (name) => registered.delete(name),
    });
    const { values } = await registered.get('acache_entries').get();
    same(JSON.stringify(values), '[{"labels":{"cache":"shown"},"value":0}]');
    unregister();
    same(registered.size, 0);
    await cache.close();
  },
};

/** Rejects with the first promise that is broken; resolves to how many were kept. */
export function smoke() {
  return keepAll(promises);
}
