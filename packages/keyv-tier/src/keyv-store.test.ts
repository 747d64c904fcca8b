import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import Keyv from 'keyv';
import { Keyv as Keyv6 } from 'keyv6';
import { PatientStore } from '../test/stores.js';
import { keyvTier, type KeyvLike, type KeyvStoreLike } from './index.js';

const cacheOn = (keyv: KeyvLike | KeyvStoreLike) =>
  new AsyncCache<string, string>({ name: 'c', ttl: '1m', tier: keyvTier(keyv) });

describe('the store of a Keyv', () => {
  it('is used without the Keyv, whose namespace may even be our prefix', async () => {
    const keyv = new Keyv({ namespace: 'acache' });
    const cache = cacheOn(keyv);
    await cache.set('k', 'v', { tags: ['t'] });
    expect(await cacheOn(keyv).get('k')).toBe('v');
    expect([...(keyv.store as Map<string, string>).keys()].sort()).toEqual([
      'acache:a:c:',
      'acache:t:c:t',
      expect.stringMatching(/^acache:v:c:[A-Za-z0-9_.~%-]+$/),
    ]);
  });

  it('is found in Keyv 4 too, which has it among its options', async () => {
    const store = new Map<string, string>();
    const keyv = { opts: { store }, get: () => undefined, set: () => true, delete: () => true };
    await cacheOn(keyv).set('k', 'v');
    expect(store.size).toBe(2);
  });

  it('is told how long a value is good for: a span, or in Keyv 6 its end', async () => {
    for (const [keyv, from] of [
      [new Keyv({ store: new PatientStore() }), 0],
      [new Keyv6(), Date.now()],
    ] as const) {
      const { store } = keyv as { store: KeyvStoreLike };
      const times: unknown[] = [];
      const set = store.set.bind(store);
      store.set = (key, value, time) => {
        if (key.includes(':v:')) times.push(time);
        return set(key, value, time);
      };
      await cacheOn(keyv).set('k', 'v');
      expect(times).toHaveLength(1);
      expect(times[0]).toBeGreaterThan(from + 55_000);
      expect(times[0]).toBeLessThan(from + 65_000);
    }
  });

  it('tells of its errors while caches use it, and is left alone afterwards', async () => {
    const store = new PatientStore();
    const keyv = new Keyv({ store });
    const clock = fakeClock();
    const cache = new AsyncCache({ name: 'c', clock, tier: keyvTier(keyv) });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    await cache.ready;
    store.emit('error', new Error('the connection is lost'));
    expect(errors).toContainEqual(new Error('the connection is lost'));
    await cache.close();
    expect(keyv.listeners('error')).toEqual([]);
    expect(store.listenerCount('error')).toBe(1);
  });

  it('keeps an entry without a ttl for `maxTtl`', async () => {
    const times: unknown[] = [];
    const map = new Map<string, string>();
    const store: KeyvStoreLike = {
      get: (key) => map.get(key),
      set: (key, value, time) => {
        times.push([key.slice(0, 9), time]);
        map.set(key, value);
      },
      delete: (key) => map.delete(key),
    };
    const cache = new AsyncCache({ name: 'c', tier: keyvTier(store, { maxTtl: '1d' }) });
    await cache.set('k', 'v', { tags: ['t'] });
    expect(new Map(times as [string, unknown][])).toEqual(
      new Map<string, unknown>([
        ['acache:a:', undefined],
        ['acache:t:', 86_400_000],
        ['acache:v:', 86_400_000],
      ]),
    );
  });

  it('may throw at once', async () => {
    const store: KeyvStoreLike = {
      get: () => {
        throw new Error('no');
      },
      set: () => false,
      delete: () => {
        throw new Error('no');
      },
    };
    const cache = cacheOn(store);
    cache.on('error', () => undefined);
    expect(await cache.get('k', () => 'loaded')).toBe('loaded');
    expect(await cache.delete('k')).toBe(true);
    await expect(cache.flush()).rejects.toThrow('no');
    await cache.close();
  });
});
