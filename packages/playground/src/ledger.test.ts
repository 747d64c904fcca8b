import { AsyncCache } from '@acache/core';
import { fakeClock, memoryPersistence, type MemoryFile } from '@acache/core/testing';
import { Ledger } from './ledger.js';

async function cacheWith(ledger: Ledger, options: object = {}) {
  const clock = fakeClock();
  const cache = new AsyncCache<string, { text: string }>({
    ttl: 1000,
    clock,
    persistence: ledger,
    ...options,
  });
  await cache.ready;
  return { cache, clock };
}

const item = (text: string) => ({ text });

describe('Ledger', () => {
  it('has the entries, the one used last first, and counts nothing', async () => {
    const ledger = new Ledger();
    const { cache, clock } = await cacheWith(ledger);
    await cache.set('a', item('A'), { tags: ['odd', 'acache:calls|n1;'] });
    await clock.advance(300);
    await cache.get('b', () => item('B'));
    await cache.get('a');

    const before = cache.getMetrics();
    expect(ledger.page(10)).toEqual({
      total: 2,
      rows: [
        { key: 'a', value: 'A', age: 300, ttlLeft: 700, freshness: 'fresh', tags: ['odd'] },
        { key: 'b', value: 'B', age: 0, ttlLeft: 1000, freshness: 'fresh', tags: [] },
      ],
    });
    expect(cache.getMetrics()).toEqual(before);
    await cache.close();
  });

  it('follows what becomes of them', async () => {
    const ledger = new Ledger();
    const { cache, clock } = await cacheWith(ledger, { maxSize: 3, staleWhileRevalidate: 500 });
    const keys = () => ledger.page(10).rows.map(({ key, freshness }) => `${key} ${freshness}`);
    for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, item(key));
    expect(keys()).toEqual(['d fresh', 'c fresh', 'b fresh']);
    await cache.delete('c');
    await cache.expire('b');
    expect(keys()).toEqual(['d fresh', 'b stale']);
    await clock.advance(600);
    expect(keys()).toEqual(['d fresh']);
    await cache.clear();
    expect(ledger.page(10)).toEqual({ rows: [], total: 0 });
    await cache.close();
  });

  it('shows no more rows than it is told, and how many there are', async () => {
    const ledger = new Ledger();
    const { cache } = await cacheWith(ledger, { ttl: null });
    for (let at = 0; at < 20; at++) await cache.set(`k${at}`, item(''));
    const { rows, total } = ledger.page(5);
    expect([rows.length, total, rows[0]?.ttlLeft]).toEqual([5, 20, null]);
    await cache.close();
  });

  it('passes everything on to what is behind it, and knows what that brings back', async () => {
    const file: MemoryFile = new Map();
    const first = await cacheWith(new Ledger(memoryPersistence(file)));
    await first.cache.set('a', item('A'));
    await first.cache.set('b', item('B'));
    await first.cache.delete('b');
    await first.cache.close();

    const ledger = new Ledger(memoryPersistence(file));
    const { cache } = await cacheWith(ledger);
    expect(ledger.page(10).rows.map(({ key, value }) => [key, value])).toEqual([['a', 'A']]);
    await cache.close();
  });

  it('goes on in memory where the file cannot be had, and says why', async () => {
    const locked = new Error('another process has it');
    const ledger = new Ledger({ ...memoryPersistence(), open: () => Promise.reject(locked) });
    const { cache } = await cacheWith(ledger);
    await cache.set('a', item('A'));
    expect(ledger.page(10).total).toBe(1);
    expect(ledger.problem).toBe(locked);
    await cache.close();
  });
});
