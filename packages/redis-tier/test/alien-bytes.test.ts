import { Redis } from 'ioredis';
import { until, type RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections } from './illness.js';
import { counting, redisForAll, startProcess, untilCoherent, type Process } from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;
let client: Redis;
let a: Process;
afterAll(() => client.disconnect());
redisForAll((server) => {
  redis = server;
  client = new Redis(redis.url);
});
beforeEach(async () => {
  a = await startProcess(redis.url);
  await untilCoherent(a);
});

/** Where the value of a key lies. */
async function placeOf(key: string): Promise<string> {
  await a.cache.set(key, 'probe');
  const [found] = (await client.keys('acache:v:*')).filter((name) => name.includes(key));
  await a.cache.delete(key);
  return found!;
}

/** Another process: it holds nothing in memory. */
const fresh = (): Promise<Process> => startProcess(redis.url);

const foreign: [what: string, put: (at: string) => Promise<unknown>][] = [
  ['a list', (at) => client.rpush(at, 'x', 'y')],
  ['a hash', (at) => client.hset(at, 'x', 'y')],
  ['a set', (at) => client.sadd(at, 'x')],
  ['a stream', (at) => client.xadd(at, '*', 'x', 'y')],
  ['a text', (at) => client.set(at, 'not ours')],
  ['an empty text', (at) => client.set(at, '')],
  ['JSON', (at) => client.set(at, '{"value":1}')],
  ['a newer version', (at) => client.set(at, Buffer.from([0xac, 0xca, 2, 2, 1, 2, 3]))],
  [
    'an unknown kind',
    (at) => client.set(at, Buffer.concat([Buffer.from([0xac, 0xca, 1, 9]), Buffer.alloc(99)])),
  ],
  ['a placeholder cut short', (at) => client.set(at, Buffer.from([0xac, 0xca, 1, 1, 0, 0]))],
  ['a megabyte of zeros', (at) => client.set(at, Buffer.alloc(1 << 20))],
];

describe.each(foreign)('%s where a value should be', (_what, put) => {
  it('is a miss and an event, and is left alone by reads', async () => {
    const at = await placeOf('k');
    await put(at);
    const before = await client.dumpBuffer(at);
    const b = await fresh();
    expect(await b.cache.get('k')).toBeUndefined();
    expect((await b.cache.getMany(['k', 'other'])).size).toBe(0);
    expect(await client.dumpBuffer(at)).toEqual(before);
    expect(b.states).toContain('unreadable');
    expect(b.tier.getMetrics().unreadable).toBeGreaterThan(0);
    expect(b.tier.getMetrics()).toMatchObject({ down: false, outages: 0 });
  });

  it('is replaced by what is loaded', async () => {
    await put(await placeOf('k'));
    const b = await fresh();
    const load = counting('loaded');
    expect(await b.cache.get('k', load)).toBe('loaded');
    expect(load.calls).toBe(1);
    expect(await (await fresh()).cache.get('k')).toBe('loaded');
  });

  it('is replaced by what is set', async () => {
    await put(await placeOf('k'));
    const b = await fresh();
    await b.cache.set('k', 'set');
    expect(await (await fresh()).cache.get('k')).toBe('set');
  });

  it('can be expired and deleted without harm', async () => {
    const at = await placeOf('k');
    await put(at);
    await a.cache.expire('k');
    expect(a.errors).toEqual([]);
    await a.cache.delete('k');
    expect(await client.exists(at)).toBe(0);
    expect(a.tier.getMetrics().unsent).toBe(0);
  });
});

describe('a foreign value among others', () => {
  it('spoils nothing of the same round trip', async () => {
    const at = await placeOf('bad');
    await client.rpush(at, 'x');
    await a.cache.set('good', 'v');
    const b = await fresh();
    expect(await b.cache.getMany(['bad', 'good'])).toEqual(new Map([['good', 'v']]));
    const loaded = await b.cache.getMany(['bad', 'good'], async (keys) => keys.map(() => 'new'));
    expect(loaded).toEqual(
      new Map([
        ['bad', 'new'],
        ['good', 'v'],
      ]),
    );
  });

  it('takes the place of what memory holds', async () => {
    await a.cache.set('k', 'v');
    const b = await fresh();
    await untilCoherent(b);
    expect(await b.cache.get('k')).toBe('v');
    const [at] = await client.keys('acache:v:*');
    await client.set(at!, 'not ours');
    await until('memory to forget', async () => (await b.cache.get('k')) === undefined);
  });
});

describe('bytes of ours that were damaged', () => {
  it('each in turn, is a miss, and never another value', async () => {
    await a.cache.set('k', { text: 'the value', list: [1, 2, 3] }, { tags: ['tag'] });
    const [at] = await client.keys('acache:v:*');
    const bytes = (await client.getBuffer(at!))!;
    const b = await fresh();
    for (let place = 0; place < bytes.length; place++) {
      const damaged = Buffer.from(bytes);
      damaged[place] = damaged[place]! ^ 0x20;
      await client.set(at!, damaged);
      await until('the damage to be seen', async () => {
        const value = await b.cache.get('k');
        expect([undefined, { text: 'the value', list: [1, 2, 3] }]).toContainEqual(value);
        // An id or a stamp may be any; those of somebody else are no error.
        return value === undefined || (place >= 4 && place < 20);
      });
    }
    await client.set(at!, bytes);
    await until('the value to be back', async () => (await b.cache.get('k')) !== undefined);
  });

  it('cut short at any length, is a miss', async () => {
    await a.cache.set('k', 'the value');
    const [at] = await client.keys('acache:v:*');
    const bytes = (await client.getBuffer(at!))!;
    const b = await startProcess(redis.url, { coherence: 'none', staleness: 0 });
    for (let length = 0; length < bytes.length; length++) {
      await client.set(at!, bytes.subarray(0, length));
      expect(await b.cache.get('k')).toBeUndefined();
    }
  });
});

describe.each([
  ['a text', (at: string) => client.set(at, 'not a stamp')],
  ['nothing', (at: string) => client.set(at, '')],
  ['a list', (at: string) => client.multi().del(at).rpush(at, 'x').exec()],
] as const)('%s where a stamp should be', (_what, put) => {
  it.each(['acache:t:{users}', 'acache:t:{users}:tag', 'acache:a:{users}'])(
    'is replaced, and costs what carries it at most: %s',
    async (at) => {
      await a.cache.set('k', 'old', { tags: ['tag'] });
      await put(at);
      const b = await fresh();
      const load = counting('new');
      await b.cache.get('k', { tags: ['tag'], loader: load });
      await b.cache.get('other', { tags: ['tag'], loader: load });
      const c = await fresh();
      expect(await c.cache.get('other', { tags: ['tag'], loader: () => 'never' })).toBe('new');
      await c.cache.set('k', 'set', { tags: ['tag'] });
      expect(await (await fresh()).cache.get('k')).toBe('set');
      expect(c.errors).toEqual([]);
    },
  );

  it.each(['acache:t:{users}', 'acache:t:{users}:tag'])(
    'does not keep an invalidation from its work: %s',
    async (at) => {
      await a.cache.set('k', 'old', { tags: ['tag'] });
      await put(at);
      if (at.endsWith('tag')) await a.cache.invalidateTags('tag');
      else await a.cache.clear();
      await a.cache.set('k', 'new', { tags: ['tag'] });
      expect(await (await fresh()).cache.get('k')).toBe('new');
    },
  );
});

describe('a foreign key where a lock should be', () => {
  it('keeps nothing from being refreshed for good', async () => {
    await a.cache.set('k', 'old', { ttl: 1, staleWhileRevalidate: '1h' });
    const [at] = await client.keys('acache:v:*');
    await client.rpush(at!.replace(':v:', ':r:'), 'x');
    const b = await fresh();
    expect(await b.cache.get('k', () => 'new')).toBe('old');
    expect(await b.cache.get('k', { loader: () => 'newer', refresh: true })).toBe('newer');
  });
});

describe('messages that are not ours', () => {
  it('on the channels, are taken for what they are worth', async () => {
    const p = await startProcess(redis.url, { coherence: 'pubsub' });
    await untilCoherent(p);
    await p.cache.set('k', 'v');
    const junk = ['', 'x', '{', 'null', '[]', '{"from":1}', '{"from":"x","name":"users","keys":5}'];
    const named = '{"from":"x","name":"users","keys":["%"],"tags":[""],"proof":{}}';
    for (const message of [...junk, named, Buffer.from([0xff, 0xfe, 0])]) {
      await client.publish('acache:i', message);
      await client.publish('__redis__:invalidate', message);
    }
    await p.cache.flush();
    expect(await p.cache.get('k')).toBe('v');
    expect(p.tier.getMetrics().coherent).toBe(true);
    expect(p.errors).toEqual([]);
    expect(await a.cache.get('k')).toBe('v');
  });

  it('keys of nobody under our prefix, break nothing', async () => {
    const odd = [
      'v:',
      'v:{',
      'v:{users',
      'v:{users:%}',
      'v:{users:%zz}x',
      't:',
      't:{}',
      't:{users}%',
    ];
    for (const name of odd) await client.set(`acache:${name}`, 'x');
    await client.set(Buffer.from('616361636865 763a7bfffe7d'.replace(' ', ''), 'hex'), 'x');
    await a.cache.set('k', 'v');
    await a.cache.flush();
    expect(await a.cache.get('k')).toBe('v');
    expect(a.errors).toEqual([]);
  });
});
