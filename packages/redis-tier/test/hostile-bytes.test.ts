import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { until, type RedisServer } from '../../../tools/redis/index.js';
import { crc32 } from '../src/crc32.js';
import { randomFrom, type Random } from './random.js';
import { redisAndWorkersForAll, type Worker } from './start-worker.js';

const SEED = Number(process.env.ACACHE_FUZZ_SEED ?? Date.now() % 1e9);
const KEYS = 5000;
/** Keys that are asked for at once. */
const BULK = 1000;

let server: RedisServer;
let client: Redis;
let worker: Worker;
let other: Worker;
let random: Random;
let noise: Buffer;
/** Entries as caches write them. */
let samples: Buffer[];
let zipped: Buffer[];

const keys = Array.from({ length: KEYS }, (_, at) => `key ${at}`);

const placeOf = (key: string, kind = 'v'): string => `acache:${kind}:{cache:s${key.length}:${key}}`;

afterAll(() => client.disconnect());
redisAndWorkersForAll(2, (redis, workers) => {
  [server, client] = [redis, new Redis(redis.url)];
  [worker, other] = workers as [Worker, Worker];
});

beforeEach(async () => {
  random = randomFrom(SEED);
  noise = Buffer.from(Array.from({ length: 65_536 }, () => random.below(256)));
  zipped = Array.from({ length: 50 }, (_, at) => gzipSync('x'.repeat(20 * at)));
  await server.command('FLUSHALL');
  await open();
  samples = await written();
});

afterEach(async () => {
  // Both live, have said nothing, and inherit from what they did.
  for (const process of [worker, other]) {
    expect(await process.ask('isClean')).toBe(true);
    expect(process.log).toBe('');
  }
});

async function open(coherence: 'tracking' | 'pubsub' = 'tracking'): Promise<void> {
  const setup = { at: server.url, name: 'cache', tier: { coherence } };
  await Promise.all([worker, other].map((process) => process.ask('open', setup)));
}

/** Some entries as a cache writes them. */
async function written(): Promise<Buffer[]> {
  const values = [
    'text',
    12,
    { a: [1, new Date(0)] },
    new Map([['text', 2n]]),
    { long: 'x'.repeat(5000) },
  ];
  await Promise.all(
    values.map((value, at) => worker.ask('set', `sample ${at}`, value, { tags: ['a', 'b'] })),
  );
  const places = values.map((_, at) => placeOf(`sample ${at}`));
  return (await client.mgetBuffer(places)) as Buffer[];
}

/** So many random ones. */
function bytes(length: number): Buffer {
  const from = random.below(noise.length - length);
  return noise.subarray(from, from + length);
}

/** What others may have put there. */
function foreign(): Buffer {
  const value = { constructor: 1, __proto__: null, list: ['x', random.below(9)] };
  return random.of([
    () => Buffer.from(JSON.stringify({ ['__proto__']: { polluted: true }, value })),
    () => serialize(value),
    () => random.of(zipped),
    () => Buffer.from('undefined'),
    () => bytes(random.below(200)),
    () =>
      Buffer.concat([
        Buffer.from([0xac, 0xca, random.below(4), random.below(5)]),
        // No placeholder: of those another test tells.
        bytes(17 + random.below(120)),
      ]),
    () => Buffer.alloc(random.below(200), random.below(256)),
  ])();
}

/** An entry that something happened to. */
function damaged(): Buffer {
  const whole = random.of(samples);
  const copy = Buffer.from(whole);
  const at = random.below(whole.length);
  return random.of([
    () => copy.fill(copy[at]! ^ (1 << random.below(8)), at, at + 1),
    () => copy.subarray(0, at),
    () => Buffer.concat([copy, bytes(1 + random.below(9))]),
    () => copy.fill(whole[at]! ^ 1, at, Math.min(at + 1 + random.below(16), whole.length)),
    () => Buffer.concat([copy.subarray(0, at + 1), random.of(samples)]),
    () => Buffer.concat([copy.subarray(0, at), bytes(1), copy.subarray(at)]),
  ])();
}

/** An entry with other bytes than it had, whose checksums are right all the same. */
function forged(): Buffer {
  const copy = Buffer.from(random.of(samples));
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = 20 + random.below(copy.length - 24);
    const to = Math.min(at + 1 + random.below(8), copy.length - 4);
    if (random.chance(0.5)) bytes(1).copy(copy, at);
    else copy.fill(random.of([0, 0x7f, 0x80, 0xff]), at, to);
  }
  copy.writeUInt32BE(crc32(copy, 0, 28), 28);
  copy.writeUInt32BE(crc32(copy, 32, copy.length - 4), copy.length - 4);
  return copy;
}

/** Puts something under the keys, in a few round trips. */
async function put(
  make: () => Buffer,
  kinds: readonly string[] = ['v'],
  count = KEYS,
): Promise<void> {
  for (let from = 0; from < count; from += BULK) {
    const pipeline = client.pipeline();
    for (const key of keys.slice(from, from + BULK)) {
      for (const kind of kinds) pipeline.set(placeOf(key, kind), make());
    }
    await pipeline.exec();
  }
}

/** What a cache finds under all keys. */
async function found(): Promise<[string, unknown][]> {
  const all: [string, unknown][] = [];
  for (let from = 0; from < KEYS; from += BULK) {
    all.push(...(await other.ask('getMany', keys.slice(from, from + BULK))));
  }
  return all;
}

/** What tells one state of all keys from another. */
async function digest(): Promise<string> {
  let sum = '';
  for (let from = 0; from < KEYS; from += BULK) {
    const values = await client.mgetBuffer(
      keys.slice(from, from + BULK).map((key) => placeOf(key)),
    );
    sum += values.map((value) => value && crc32(value, 0, value.length)).join();
  }
  return sum;
}

describe('bytes that no cache wrote', () => {
  it.each([
    ['foreign', foreign],
    ['damaged', damaged],
  ] as const)('are found by nobody, and left alone, when they are %s', async (_, make) => {
    await put(make, ['v', 'r']);
    const before = await digest();
    expect(await found()).toEqual([]);
    const { unreadable } = await other.ask('metrics');
    expect(unreadable).toBeGreaterThan(KEYS / 2);
    expect(await digest()).toBe(before);
  });

  it.each([
    ['foreign', foreign],
    ['damaged', damaged],
  ] as const)('are loaded anew when they are %s', async (_, make) => {
    const some = keys.slice(0, 1000);
    await put(make, ['v', 'r'], some.length);
    const asked = { keys: some, gets: 1, seed: SEED, ms: 0, many: 200 };
    const { wrong, loads } = await other.ask('storm', asked);
    expect(wrong).toEqual([]);
    expect(loads).toBe(some.length);
    const again = await worker.ask('storm', asked);
    expect(again.wrong).toEqual([]);
    expect(again.loads).toBe(0);
  });

  it('keep nobody waiting for much longer than lockTtl though they look like a load', async () => {
    const lockTtl = 300;
    const setup = { at: server.url, name: 'cache', tier: { lockTtl } };
    await other.ask('open', setup);
    const placeholder = Buffer.concat([Buffer.from([0xac, 0xca, 1, 1]), bytes(16)]);
    await client.set(placeOf('key 0'), placeholder);
    const asked = other.ask('get', 'key 0', { value: 'right', ms: 0 });
    const late = sleep(6 * lockTtl, 'late');
    try {
      expect(await Promise.race([asked, late])).toMatchObject({ value: 'right' });
    } finally {
      await client.del(placeOf('key 0'));
      await asked;
    }
  });

  it('crash nothing though their checksums are right', async () => {
    await put(forged);
    await found();
    const some = keys.slice(0, 500);
    await worker.ask('clear');
    const { wrong } = await other.ask('storm', {
      keys: some,
      gets: 1,
      seed: SEED,
      ms: 0,
      many: 100,
    });
    expect(wrong).toEqual([]);
  });
});

describe('stamps that no cache made', () => {
  const stamps = [
    'acache:t:{cache}',
    'acache:a:{cache}',
    'acache:t:{cache}:a',
    'acache:t:{cache}:b',
  ];
  const wrongs: [what: string, put: (key: string) => Promise<unknown>][] = [
    ['empty', (key) => client.set(key, '')],
    ['short', (key) => client.set(key, 'abc')],
    ['long', (key) => client.set(key, bytes(300))],
    ['of another type', (key) => client.multi().del(key).lpush(key, 'a', 'b').exec()],
  ];

  it.each(wrongs)('give nobody a wrong value when they are %s', async (_, put) => {
    const some = keys.slice(0, 20);
    const asked = { keys: some, gets: 3, seed: SEED, ms: 0, tags: ['a', 'b'] };
    for (const stamp of stamps) {
      await put(stamp);
      for (const process of [worker, other]) {
        expect((await process.ask('storm', asked)).wrong).toEqual([]);
        expect((await process.ask('storm', { ...asked, many: 10 })).wrong).toEqual([]);
      }
    }
  });

  it.each(wrongs)('are replaced by an invalidation when they are %s', async (_, put) => {
    for (const stamp of stamps) {
      await put(stamp);
    }
    await worker.ask('clear');
    await worker.ask('invalidateTags', 'a', 'b');
    await worker.ask('get', 'key', { value: 'new', ms: 0 }, { tags: ['a', 'b'] });
    expect(await other.ask('get', 'key')).toMatchObject({ value: 'new', source: 'tier' });
  });
});

describe('announcements that no cache made', () => {
  it('change nothing, and stop nobody', async () => {
    await open('pubsub');
    const { resets } = await other.ask('metrics');
    for (let from = 0; from < KEYS; from += BULK) {
      const pipeline = client.pipeline();
      for (let at = 0; at < BULK; at++) {
        const message = random.of([
          foreign,
          () => Buffer.from(JSON.stringify(random.of([null, 1, 'x', [], { from: 'x' }]))),
          () => Buffer.from('{"from":"x","name":"cache","keys":{"length":1e9},"tags":[1],"all":1}'),
          () => Buffer.from('{"from":"x","name":"__proto__","keys":["__proto__"],"all":true}'),
        ])();
        pipeline.publish('acache:i', message);
      }
      await pipeline.exec();
    }
    await worker.ask('set', 'key', 'new');
    expect((await other.ask('get', 'key')).value).toBe('new');
    await worker.ask('set', 'key', 'newer');
    await until('the other to see it', async () => {
      return (await other.ask('get', 'key')).value === 'newer';
    });
    expect(await other.ask('metrics')).toMatchObject({ coherent: true, resets });
  });
});
