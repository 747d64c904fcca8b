import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AsyncCache,
  tinyLfu,
  type AsyncCacheOptions,
  type Serializer,
  type Tier,
} from '@acache/core';
import { failingTier, fakeClock, memoryTier, type FakeClock } from '@acache/core/testing';
import { valueSerializer, type CustomType } from '@acache/core/values';
import type { FilePersistenceOptions } from '../src/options.js';
import { foundIn, keptIn, type Kept } from './caches.js';
import { inFolder } from './host.js';

const MINUTE = 60_000;
const down = (): Promise<never> => Promise.reject(new Error('the source is down'));

/** One process after the other has the same file. */
interface Processes {
  readonly path: string;
  readonly clock: FakeClock;
  readonly start: <V = string>(
    options?: AsyncCacheOptions<string, V>,
    ofFile?: FilePersistenceOptions,
  ) => Promise<Kept<V>>;
}

function processes(task: (given: Processes) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const path = join(folder, 'cache');
    const clock = fakeClock();
    const start = async <V>(
      options: AsyncCacheOptions<string, V> = {},
      ofFile: FilePersistenceOptions = {},
    ): Promise<Kept<V>> => {
      const kept = keptIn<V>(path, { clock, ...options }, ofFile);
      await kept.cache.ready;
      return kept;
    };
    await task({ path, clock, start });
  });
}

describe('what was restored', () => {
  it('is found by its tags', () =>
    processes(async ({ start, path }) => {
      const first = await start();
      await first.cache.set('a', 'a', { tags: ['user:1', 'list'] });
      await first.cache.set('b', 'b', { tags: ['user:2', 'list'] });
      await first.cache.set('c', 'c');
      await first.cache.close();
      const second = await start();
      await second.cache.invalidateTags('user:1');
      expect(second.cache.peek('a')).toBeUndefined();
      expect(await second.cache.get('b', () => 'loaded')).toBe('b');
      await second.cache.close();
      const third = await start();
      await third.cache.invalidateTags('list');
      await third.cache.flush();
      expect(await foundIn(path)).toEqual({ c: 'c' });
      await third.cache.close();
    }));

  it('is served while it is revalidated, and no longer than was said at first', () =>
    processes(async ({ start, clock }) => {
      const windows = { ttl: MINUTE, staleWhileRevalidate: MINUTE };
      const first = await start(windows);
      await first.cache.set('k', 'first');
      await first.cache.close();
      for (const passed of [MINUTE + 1, MINUTE - 2]) {
        await clock.advance(passed);
        // What it is asked for with does not count: what it was stored with does.
        const { cache } = await start({ ttl: '1h' });
        const got = await cache.getWithMeta('k', () => down());
        expect(got).toMatchObject({ value: 'first', status: 'stale' });
        await cache.close();
      }
      await clock.advance(1);
      const last = await start(windows);
      expect(last.cache.size).toBe(0);
      expect(await last.cache.get('k', () => 'loaded')).toBe('loaded');
      await last.cache.close();
    }));

  it('is served when its source fails, and no longer than was said at first', () =>
    processes(async ({ start, clock }) => {
      const windows = { ttl: MINUTE, staleIfError: MINUTE };
      const first = await start(windows);
      await first.cache.set('k', 'first');
      await first.cache.close();
      await clock.advance(2 * MINUTE - 1);
      const second = await start(windows);
      expect(await second.cache.getWithMeta('k', down)).toMatchObject({ status: 'error-stale' });
      await clock.advance(1);
      await expect(second.cache.get('k', down)).rejects.toThrow('the source is down');
      await second.cache.close();
      const third = await start(windows);
      await expect(third.cache.get('k', down)).rejects.toThrow('the source is down');
      await third.cache.close();
    }));

  it('is stale when it was expired, and stays so', () =>
    processes(async ({ start, clock }) => {
      const windows = { ttl: '1h', staleIfError: '1h' } as const;
      const first = await start(windows);
      await first.cache.set('early', 'v');
      await first.cache.set('late', 'v');
      await first.cache.expire('early');
      await first.cache.close();
      const second = await start(windows);
      expect(second.cache.has('early')).toBe(false);
      await second.cache.expire('late');
      await second.cache.close();
      const third = await start(windows);
      for (const key of ['early', 'late']) {
        expect(await third.cache.getWithMeta(key, down)).toMatchObject({ status: 'error-stale' });
      }
      await clock.advance(60 * MINUTE);
      await expect(third.cache.get('late', down)).rejects.toThrow('the source is down');
      await third.cache.close();
    }));

  it('goes in the order in which the process before used it', () =>
    processes(async ({ start, path }) => {
      const first = await start({ maxSize: 4 });
      for (const key of ['a', 'b', 'c', 'd']) await first.cache.set(key, key);
      await first.cache.get('a');
      await first.cache.get('c');
      await first.cache.close();
      expect(Object.keys(await foundIn(path))).toEqual(['b', 'd', 'a', 'c']);
      const second = await start({ maxSize: 4 });
      await second.cache.set('e', 'e');
      await second.cache.set('f', 'f');
      await second.cache.get('a');
      await second.cache.flush();
      expect(Object.keys(await foundIn(path)).sort()).toEqual(['a', 'c', 'e', 'f']);
      await second.cache.close();
      // Where there is less room, those used last stay.
      const third = await start({ maxSize: 2 });
      expect(['a', 'c', 'e', 'f'].filter((key) => third.cache.has(key))).toEqual(['a', 'f']);
      await third.cache.close();
      expect(Object.keys(await foundIn(path))).toEqual(['f', 'a']);
    }));

  it("is there under 'tinylfu', and no scan drives it out", () =>
    processes(async ({ start }) => {
      const options = { maxSize: 100, policy: tinyLfu({ seed: 1 }) };
      const popular = Array.from({ length: 100 }, (_, at) => `popular ${at}`);
      const first = await start(options);
      for (let round = 0; round < 5; round++) {
        for (const key of popular) await first.cache.get(key, () => key);
      }
      await first.cache.close();
      const second = await start(options);
      expect(second.cache.size).toBe(100);
      // Under LRU none would be left when it is asked for again.
      for (let at = 0; at < 1000; at++) {
        await second.cache.get(`scan ${at}`, () => 'once');
        if (at % 5 === 0) await second.cache.get(`popular ${(at / 5) % 20}`, () => 'again');
      }
      expect(second.cache.size).toBe(100);
      expect(second.cache.getMetrics().hits).toBeGreaterThan(100);
      await second.cache.close();
      const third = await start({ maxSize: 100 });
      expect(third.cache.size).toBe(100);
      await third.cache.close();
    }));

  it('weighs what it weighed', () =>
    processes(async ({ start }) => {
      const options = { maxWeight: 100, weigh: (value: string) => value.length };
      const first = await start(options);
      await first.cache.set('a', 'x'.repeat(40));
      await first.cache.set('b', 'x'.repeat(40));
      await first.cache.close();
      let weighed = 0;
      const second = await start({ ...options, weigh: (value) => (weighed++, value.length) });
      expect([second.cache.size, weighed]).toEqual([2, 0]);
      await second.cache.set('c', 'x'.repeat(30));
      expect(['a', 'b', 'c'].filter((key) => second.cache.has(key))).toEqual(['b', 'c']);
      await second.cache.close();
      const third = await start({ ...options, maxWeight: 35 });
      expect(['a', 'b', 'c'].filter((key) => third.cache.has(key))).toEqual(['c']);
      await third.cache.close();
    }));
});

describe('behind a tier, what was restored', () => {
  it('is not served before the tier has confirmed it', () =>
    processes(async ({ start, clock }) => {
      const tier = memoryTier();
      const options = { name: 'c', tier };
      const first = await start(options);
      for (const key of ['same', 'changed', 'deleted', 'tagged']) {
        await first.cache.set(key, 'before', { tags: key === 'tagged' ? ['t'] : [] });
      }
      await first.cache.close();

      const other = new AsyncCache<string, string>({ ...options, clock });
      await other.set('changed', 'after');
      await other.delete('deleted');
      await other.invalidateTags('t');
      await other.close();

      const second = await start(options);
      expect(second.cache.size).toBe(4);
      for (const key of ['same', 'changed', 'deleted', 'tagged']) {
        expect([second.cache.peek(key), second.cache.has(key)]).toEqual([undefined, false]);
      }
      const load = (key: string): string => `loaded ${key}`;
      expect(await second.cache.get('same', load)).toBe('before');
      expect(await second.cache.get('changed', load)).toBe('after');
      expect(await second.cache.get('deleted')).toBeUndefined();
      expect(await second.cache.get('tagged', load)).toBe('loaded tagged');
      await second.cache.close();

      // What the tier told is in the file as well.
      const alone = await start();
      expect(alone.cache.peek('same')).toBe('before');
      expect(alone.cache.peek('changed')).toBe('after');
      expect(alone.cache.peek('tagged')).toBe('loaded tagged');
      expect(alone.cache.peek('deleted')).toBeUndefined();
      await alone.cache.close();
    }));

  it('is not served while the tier is down, and is again when it is back', () =>
    processes(async ({ start }) => {
      const ailment = { active: false };
      const tier: Tier = failingTier(memoryTier(), ailment);
      const options = { name: 'c', tier };
      const first = await start(options);
      await first.cache.set('a', 'before');
      await first.cache.set('b', 'before');
      await first.cache.close();
      ailment.active = true;
      const second = await start(options);
      expect(await second.cache.get('a', () => 'loaded')).toBe('loaded');
      await second.cache.close();
      ailment.active = false;
      const third = await start(options);
      expect(await third.cache.get('a')).toBe('before');
      expect(await third.cache.get('b')).toBe('before');
      expect(third.errors).toEqual([]);
      await third.cache.close();
    }));
});

describe('values', () => {
  it('may be encrypted, and one that cannot be decrypted is a miss', () =>
    processes(async ({ start, path }) => {
      const key = randomBytes(32);
      const first = await start<unknown>({}, { serializer: encrypted(key) });
      await first.cache.set('k', { secret: 'swordfish', at: new Date(0) });
      await first.cache.set('other', 'swordfish');
      await first.cache.close();
      expect((await readFile(path)).includes('swordfish')).toBe(false);
      const second = await start<unknown>({}, { serializer: encrypted(key) });
      expect(await second.cache.get('k')).toEqual({ secret: 'swordfish', at: new Date(0) });
      await second.cache.close();
      const stranger = await start<unknown>({}, { serializer: encrypted(randomBytes(32)) });
      expect(await stranger.cache.get('k', () => 'loaded')).toBe('loaded');
      expect(stranger.errors.length).toBe(1);
      await stranger.cache.flush();
      await stranger.cache.close();
      // What nobody asked for can still be read by who has the key.
      const third = await start<unknown>({}, { serializer: encrypted(key) });
      expect(await third.cache.get('other')).toBe('swordfish');
      await third.cache.close();
    }));

  it('may be instances of classes that are told', () =>
    processes(async ({ start }) => {
      const serializer = valueSerializer({ types: [money] });
      const first = await start<Money>({}, { serializer });
      await first.cache.set('price', new Money(5, 'EUR'));
      await first.cache.close();
      const second = await start<Money>({}, { serializer });
      const price = await second.cache.get('price');
      expect(price).toBeInstanceOf(Money);
      expect(price?.text).toBe('5 EUR');
      await second.cache.close();
      const untold = await start<Money>();
      expect(await untold.cache.get('price', () => new Money(0, 'USD'))).toEqual(
        new Money(0, 'USD'),
      );
      expect(untold.errors).toMatchObject([{ message: expect.stringContaining('Money') }]);
      await untold.cache.close();
    }));

  it('are made when they are asked for, and once', () =>
    processes(async ({ start, path }) => {
      let made = 0;
      const inner = valueSerializer();
      const serializer: Serializer = {
        serialize: (value) => inner.serialize(value),
        deserialize: (bytes) => (made++, inner.deserialize(bytes)),
      };
      const first = await start<unknown>();
      for (let at = 0; at < 100; at++) await first.cache.set(`k${at}`, { at });
      await first.cache.close();
      const { size } = await stat(path);
      const second = await start<unknown>({}, { serializer });
      expect([second.cache.size, made]).toEqual([100, 0]);
      for (let times = 0; times < 3; times++) {
        expect(await second.cache.get('k7')).toEqual({ at: 7 });
      }
      expect(made).toBe(1);
      await second.cache.close();
      // Being read costs the file no more than the order.
      expect((await stat(path)).size).toBeLessThan(size + 1000);
    }));
});

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}

  get text(): string {
    return `${this.amount} ${this.currency}`;
  }
}

const money: CustomType<Money> = {
  name: 'Money',
  class: Money,
  encode: ({ amount, currency }) => [amount, currency],
  decode: ([amount, currency]: [number, string]) => new Money(amount, currency),
};

function encrypted(key: Buffer): Serializer {
  const inner = valueSerializer();
  return {
    serialize(value) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const text = Buffer.concat([cipher.update(inner.serialize(value)), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    deserialize(bytes) {
      const buffer = Buffer.from(bytes);
      const decipher = createDecipheriv('aes-256-gcm', key, buffer.subarray(0, 12));
      decipher.setAuthTag(buffer.subarray(12, 28));
      const text = decipher.update(buffer.subarray(28));
      return inner.deserialize(Buffer.concat([text, decipher.final()]));
    },
  };
}
