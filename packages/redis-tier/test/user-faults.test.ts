import { randomBytes } from 'node:crypto';
import type { Serializer } from '@acache/core';
import { valueSerializer } from '@acache/core/values';
import { until, type RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections, sourceOf, untilUsed } from './illness.js';
import {
  counting,
  redisForAll,
  startCoherent,
  startProcess,
  startTwo,
  untilCoherent,
} from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));

const good = valueSerializer();
const broken = (): never => {
  throw new Error('the serializer’s own');
};

describe('a serializer that throws on the way in', () => {
  const serializer: Serializer = { ...good, serialize: broken };

  it('does not reach who loads: the value is kept in memory for a while', async () => {
    const a = await startProcess(redis.url, { serializer });
    await untilCoherent(a);
    const load = counting('v');
    expect(await a.cache.get('k', load)).toBe('v');
    expect(await a.cache.get('k', load)).toBe('v');
    expect(load.calls).toBe(1);
    expect(a.errors.map(String)).toEqual(['Error: the serializer’s own']);
    expect(a.tier.getMetrics()).toMatchObject({ down: false, outages: 0 });
  });

  it('keeps nobody else waiting for what is not stored', async () => {
    const a = await startProcess(redis.url, { serializer });
    const b = await startProcess(redis.url);
    await untilCoherent(a, b);
    await a.cache.get('k', () => 'a');
    expect(await b.cache.get('k', () => 'b')).toBe('b');
  });

  it('does not reach who sets: the older value is removed', async () => {
    const [b, c] = await startTwo(redis.url);
    const a = await startProcess(redis.url, { serializer });
    await untilCoherent(a, b, c);
    await b.cache.set('k', 'old');
    await untilUsed(c, 'k', 'old');
    await a.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    await until('the others to see it', async () => (await c.cache.get('k')) === undefined);
    await until('its writer too', async () => (await b.cache.get('k')) === undefined);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'text'],
    ['a promise', Promise.resolve(Buffer.from('x'))],
  ])('or gives %s instead of bytes: the same', async (_what, given) => {
    const a = await startProcess(redis.url, {
      serializer: { ...good, serialize: () => given as never },
    });
    await untilCoherent(a);
    expect(await a.cache.get('k', () => 'v')).toBe('v');
    await a.cache.set('l', 'v');
    expect(await redis.command('KEYS', 'acache:v:*')).toEqual([]);
    expect(a.errors.length).toBeGreaterThan(0);
  });
});

describe('a serializer that throws on the way out', () => {
  it('is a miss and an event, and what is loaded takes the place', async () => {
    const b = await startProcess(redis.url);
    const a = await startProcess(redis.url, { serializer: { ...good, deserialize: broken } });
    await untilCoherent(a, b);
    await b.cache.set('k', 'theirs');
    expect(await a.cache.get('k')).toBeUndefined();
    expect(a.events).toContainEqual({
      state: 'unreadable',
      detail: expect.objectContaining({ reason: 'the serializer’s own' }),
    });
    expect(a.tier.getMetrics().unreadable).toBeGreaterThan(0);
    // Reading has left it alone.
    expect(await b.cache.get('k')).toBe('theirs');
    const load = counting('loaded');
    expect(await a.cache.get('k', load)).toBe('loaded');
    expect(load.calls).toBe(1);
    await untilUsed(b, 'k', 'loaded');
  });
});

describe('a huge value', () => {
  it('goes there and back as it is', async () => {
    const [a, b] = await startCoherent(redis.url, { commandTimeout: 5000 });
    const bytes = randomBytes(2 << 20);
    const text = 'x'.repeat(4 << 20);
    await a.cache.set('bytes', bytes);
    await a.cache.set('text', text);
    expect(a.errors).toEqual([]);
    const found = await b.cache.getMany(['bytes', 'text']);
    expect(bytes.equals(found.get('bytes') as Buffer)).toBe(true);
    expect(found.get('text') === text).toBe(true);
  });

  it('that takes too long costs its own caller little, and is not lost here', async () => {
    const a = await startProcess(redis.url, { commandTimeout: 5 });
    await a.cache.set('k', randomBytes(16 << 20));
    expect(await sourceOf(a, 'k')).toBe('memory');
    await until('others to be served again', async () => {
      await a.cache.set('small', 'v');
      await a.cache.flush();
      return (await sourceOf(a, 'small')) === 'memory';
    });
  });
});

describe('listeners that throw', () => {
  it('break nothing, whatever they listen to', async () => {
    const [a, b] = await startCoherent(redis.url);
    const heard = new Set<string>();
    for (const event of ['tier', 'error', 'set', 'delete', 'miss', 'load', 'hit'] as const) {
      a.cache.on(event, () => {
        heard.add(event);
        throw new Error('the listener’s own');
      });
    }
    await b.cache.set('k', 'v');
    await untilUsed(a, 'k', 'v');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('the loss to be told', () => heard.has('tier'));
    await untilCoherent(a, b);
    await b.cache.set('k', 'new');
    await untilUsed(a, 'k', 'new');
    await a.cache.set('k', 'newest');
    await untilUsed(b, 'k', 'newest');
  });
});
