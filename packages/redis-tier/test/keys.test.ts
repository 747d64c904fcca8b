import { Redis } from 'ioredis';
import { until, type RedisServer } from '../../../tools/redis/index.js';
import { everyCall } from './every-call.js';
import {
  endProcesses,
  expectOneCache,
  observe,
  redisForAll,
  startCoherent,
  startProcess,
  startTwo,
  untilCoherent,
  untilForgotten,
  type Process,
} from './processes.js';

let redis: RedisServer;
redisForAll((server) => (redis = server));

const allKeys = (): Promise<string[]> => redis.command<string[]>('KEYS', '*');

/** Commands that work on one key, on all that follow, and on none. */
const onOne = ['get', 'set', 'getrange', 'setrange', 'pexpire', 'pttl'];
const onAll = ['mget', 'del', 'unlink'];
const onNone = [
  'ping',
  'info',
  'client',
  'subscribe',
  'publish',
  'time',
  'select',
  'hello',
  'auth',
];

function keysIn([name = '', ...args]: readonly string[]): readonly string[] {
  const command = name.toLowerCase();
  if (onOne.includes(command)) return args.slice(0, 1);
  if (onAll.includes(command)) return args;
  if (/^eval(sha)?$/.test(command)) return args.slice(2, 2 + Number(args[1]));
  if (onNone.includes(command)) return [];
  throw new Error(`the package used ${name}`);
}

describe('a prefix', () => {
  it.each([
    ['tracking', undefined, 'acache:'],
    ['pubsub', 'shop', 'shop:'],
    ['none', '{shop}', '{shop}:'],
    ['tracking', 'a:b*[c]?\\', 'a:b*[c]?\\:'],
  ] as const)(
    'begins every key and channel, and no command looks at the keys of others: %s %s',
    async (coherence, prefix, base) => {
      const seen = await observe(redis);
      const [a, b] = await startTwo(redis.url, {
        coherence,
        lockTtl: 60,
        ...(prefix && { prefix }),
      });
      if (coherence !== 'none') await untilCoherent(a, b);
      await everyCall(a, b);
      await endProcesses();
      await seen.stop();
      // As MONITOR writes it.
      const begin = base.replaceAll('\\', '\\\\');
      const keys = seen.commands.flatMap(({ args }) => keysIn(args));
      expect(keys.length).toBeGreaterThan(50);
      expect(keys.filter((key) => !key.startsWith(base) && !key.startsWith(begin))).toEqual([]);
      const channels = seen.commands
        .filter(({ args }) => /^(?:subscribe|publish)$/i.test(args[0] as string))
        .map(({ args }) => args[1] as string)
        .filter((channel) => channel !== '__redis__:invalidate');
      expect(channels.filter((channel) => !channel.startsWith(base))).toEqual([]);
      expect((await allKeys()).filter((key) => !key.startsWith(base))).toEqual([]);
    },
  );

  it('keeps two tiers apart', async () => {
    const one = await startProcess(redis.url, { prefix: 'one' });
    const two = await startProcess(redis.url, { prefix: 'two' });
    await one.cache.set('key', 1, { tags: ['tag'] });
    await two.cache.set('key', 2, { tags: ['tag'] });
    await one.cache.invalidateTags('tag');
    await one.cache.clear();
    expect(await one.cache.get('key')).toBeUndefined();
    expect(await two.cache.get('key')).toBe(2);
  });

  it('keeps tiers apart whose prefixes begin alike', async () => {
    const one = await startProcess(redis.url, { prefix: 'app', name: 'v' });
    const two = await startProcess(redis.url, { prefix: 'app:v', name: 'v' });
    await untilCoherent(one, two);
    await one.cache.set('key', 1);
    await two.cache.set('key', 2);
    expect([await one.cache.get('key'), await two.cache.get('key')]).toEqual([1, 2]);
    await one.cache.clear();
    expect(await two.cache.get('key')).toBe(2);
  });
});

describe("a client's own keyPrefix", () => {
  const prefixed = (): Redis =>
    new Redis(redis.url, { keyPrefix: 'theirs:', lazyConnect: true, enableAutoPipelining: true });

  it('comes before ours, once', async () => {
    const [a, b] = await startCoherent(prefixed(), { lockTtl: 60 });
    await everyCall(a, b);
    await a.cache.set('key', 'value');
    const keys = await allKeys();
    expect(keys.filter((key) => !key.startsWith('theirs:acache:'))).toEqual([]);
    expect(keys.filter((key) => key.lastIndexOf('theirs:') > 0)).toEqual([]);
  });

  it.each(['tracking', 'pubsub'] as const)('goes with everything: %s', async (coherence) => {
    const [a, b] = await startCoherent(prefixed(), { coherence });
    await expectOneCache(a, b);
  });

  it('is the same namespace as a prefix that spells it out', async () => {
    const a = await startProcess(prefixed());
    const b = await startProcess(redis.url, { prefix: 'theirs:acache' });
    await untilCoherent(a, b);
    await a.cache.set('key', 'value');
    expect(await b.cache.get('key')).toBe('value');
  });
});

/** Texts that mean something to Redis, to us, or to JavaScript. */
const hostile = [
  '',
  ' ',
  '{',
  '}',
  '{}',
  '{a}1',
  '{a}2',
  '}:{',
  'key}',
  'users:key',
  '*',
  '?',
  '[a-z]',
  '\\',
  '\\x00',
  '%',
  '%7b',
  '%7B',
  '%u0041',
  '%ud800',
  ':',
  '::',
  'a:b',
  'v:{users:key}',
  '\0',
  '\r\n',
  '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
  '\u007f',
  '\u0080',
  '\ud800',
  '\udc00',
  '\ud800\ud800',
  '\udbff a',
  '\ufffd',
  '😀',
  'é',
  'e\u0301',
  'ÿ',
  '__proto__',
  'constructor',
  'undefined',
  'null',
  '1',
  'x'.repeat(300),
  'x'.repeat(100_000),
  '{'.repeat(1000),
];

describe('keys of users', () => {
  it('stay different, whatever is in them, and are found in another process', async () => {
    const [a, b] = await startCoherent(redis.url);
    await a.cache.setMany(hostile.map((key, at) => [key, at]));
    expect(await b.cache.getMany(hostile)).toEqual(new Map(hostile.map((key, at) => [key, at])));
    const keys = await redis.commandBuffer<Buffer[]>('KEYS', 'acache:v:*');
    expect(keys).toHaveLength(hostile.length);
    for (const key of keys) {
      const text = key.toString();
      expect(Buffer.from(text).equals(key)).toBe(true);
      expect(text).toMatch(/^acache:v:\{users:[^{}*?[\]\\\p{Cc}]*\}$/su);
    }
  });

  it('are heard of when they change, whatever is in them', async () => {
    const [a, b] = await startCoherent(redis.url, { cache: { maxSize: 1000 } });
    await a.cache.setMany(hostile.map((key) => [key, 'old']));
    await b.cache.getMany(hostile);
    expect(hostile.filter((key) => !b.cache.has(key))).toEqual([]);
    for (const key of hostile) {
      await a.cache.delete(key);
      await untilForgotten(b, key);
    }
  });

  it.each(['tracking', 'pubsub'] as const)('need not be texts: %s', async (coherence) => {
    const keys = [1, '1', -0.5, 10n, true, 'true', null, undefined, Number.NaN, ['user', 1]];
    const more = [{ b: 1, a: [2] }, new Date(0), new Map([[1, 2]]), Buffer.from('{a}')];
    const [a, b] = await startCoherent(redis.url, { coherence });
    const all = [...keys, ...more];
    for (const [at, key] of all.entries()) await a.cache.set(key, at);
    for (const [at, key] of all.entries()) expect(await b.cache.get(key)).toBe(at);
    await a.cache.delete(['user', 1]);
    await untilForgotten(b, ['user', 1]);
    expect(b.cache.has(1)).toBe(true);
  });

  it('do not match each other as patterns', async () => {
    const { cache } = await startProcess(redis.url);
    await cache.setMany(hostile.map((key, at) => [key, at]));
    for (const key of (await allKeys()).filter((name) => name.length < 1000)) {
      expect(await redis.command('KEYS', key)).toEqual([key]);
    }
  });
});

describe('tags of users', () => {
  it.each(['tracking', 'pubsub'] as const)(
    'stay different, whatever is in them: %s',
    async (coherence) => {
      const tags = hostile.filter((tag) => tag !== '' && tag.length < 1000);
      const [a, b] = await startCoherent(redis.url, { coherence, cache: { maxSize: 1000 } });
      for (const tag of tags) await a.cache.set(`of ${tag}`, tag, { tags: [tag] });
      await b.cache.getMany(tags.map((tag) => `of ${tag}`));
      for (const [at, tag] of tags.entries()) {
        await a.cache.invalidateTags(tag);
        await untilForgotten(b, `of ${tag}`);
        const next = tags[at + 1];
        if (next !== undefined) expect(b.cache.has(`of ${next}`)).toBe(true);
      }
    },
  );
});

describe('names of caches', () => {
  it('are namespaces of their own, whatever is in them', async () => {
    const names = hostile.filter((name) => name !== '' && name.length < 100).slice(0, 30);
    const processes = new Map<string, Process>();
    // Without a memory of their own: what they find is what Redis holds.
    const options = { cache: { maxSize: 0 }, coherence: 'none' } as const;
    for (const name of names) {
      processes.set(name, await startProcess(redis.url, { ...options, name }));
    }
    const cacheOf = (name: string): Process['cache'] => (processes.get(name) as Process).cache;
    const entries = names.flatMap((name) =>
      hostile.slice(0, 25).map((key) => [name, key] as const),
    );
    for (const name of names) {
      const own = entries.filter(([other]) => other === name);
      await cacheOf(name).setMany(own.map(([, key]) => [key, `${name} ${key}`]));
    }
    const keys = await allKeys();
    expect(keys.filter((key) => key.startsWith('acache:v:'))).toHaveLength(entries.length);
    const [cleared, ...others] = names;
    await cacheOf(cleared as string).clear();
    expect(await cacheOf(cleared as string).get('{a}1')).toBeUndefined();
    for (const name of others) {
      expect(await cacheOf(name).get('{a}1')).toBe(`${name} {a}1`);
    }
  });

  it('and keys are told apart where a colon could be of either', async () => {
    const outer = await startProcess(redis.url, { name: 'a' });
    const inner = await startProcess(redis.url, { name: 'a:b' });
    await outer.cache.set('b:c', 'outer');
    await inner.cache.set('c', 'inner');
    expect([await outer.cache.get('b:c'), await inner.cache.get('c')]).toEqual(['outer', 'inner']);
    await until('two values', async () => {
      return (await allKeys()).filter((key) => key.startsWith('acache:v:')).length === 2;
    });
  });
});
