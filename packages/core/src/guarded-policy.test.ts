import { settle } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/outcome.js';
import {
  AsyncCache,
  type AsyncCacheOptions,
  lru,
  type CacheError,
  type PersistenceHost,
  type Policy,
  type PolicyFactory,
} from './index.js';
import { memoryPersistence } from './testing.js';

failOnUnhandledRejections();

/** LRU that keeps its promises, but for what is given. */
function lruBut(odd: (policy: Policy) => Partial<Policy>): PolicyFactory {
  return (limits) => {
    const policy = lru()(limits);
    const right: Policy = {
      add: (slot, key) => policy.add(slot, key),
      use: (slot) => policy.use(slot),
      remove: (slot) => policy.remove(slot),
      victim: () => policy.victim(),
      missed: () => undefined,
      order: () => policy.order(),
      clear: () => policy.clear(),
    };
    return { ...right, ...odd(policy) };
  };
}

function setUp(policy: PolicyFactory, options: AsyncCacheOptions<number, number> = {}) {
  const cache = new AsyncCache<number, number>({ maxSize: 3, ttl: '1h', policy, ...options });
  const errors: CacheError[] = [];
  cache.on('error', ({ error, source }) => {
    expect(source).toBe('policy');
    errors.push(error as CacheError);
  });
  return { cache, errors };
}

const broken = new Error('broken');
const fail = (): never => {
  throw broken;
};

describe('a policy whose victim is no entry', () => {
  it.each<[string, unknown]>([
    ['a slot that was never used', 999],
    ['slot 0', 0],
    ['a negative slot', -1],
    ['a fraction', 1.5],
    ['NaN', NaN],
    ['nothing', undefined],
    ['a text', '1'],
  ])('gives way to LRU, and this is told once: %s', async (_, named) => {
    let asked = 0;
    const { cache, errors } = setUp(
      lruBut(() => ({
        victim: () => {
          if (++asked > 1000) fail();
          return named as number;
        },
      })),
    );
    for (let key = 0; key < 8; key++) {
      expect(await cache.get(key, () => key)).toBe(key);
      expect(cache.size).toBeLessThanOrEqual(3);
    }
    await settle();
    expect(asked).toBeLessThan(10);
    expect([5, 6, 7].map((key) => cache.peek(key))).toEqual([5, 6, 7]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ERR_ACACHE_POLICY' });
    expect(errors[0]?.message).toMatch(
      /^policy\.victim\(\) must name the slot of an entry, got .*; the cache goes on as LRU$/,
    );
  });

  it('gives way when it names again what has just gone', async () => {
    const { cache, errors } = setUp(
      lruBut(() => ({ victim: () => 1 })),
      { maxWeight: 3, weigh: (value) => value },
    );
    for (const key of [0, 1, 2]) await cache.set(key, 1);
    await cache.set(3, 3);
    expect(cache.size).toBe(1);
    expect(cache.peek(3)).toBe(3);
    expect(errors).toHaveLength(1);
  });

  it('gives way in every kind of write', async () => {
    for (const options of [{}, { tags: ['t'] }, { ttl: 5 }]) {
      const { cache, errors } = setUp(lruBut(() => ({ victim: () => 999 })));
      for (let key = 0; key < 8; key++) await cache.set(key, key, options);
      expect(cache.size).toBe(3);
      expect(cache.has(7)).toBe(true);
      expect(errors).toHaveLength(1);
    }
  });
});

describe('a policy that throws', () => {
  const methods = ['add', 'use', 'remove', 'victim', 'missed', 'clear'] as const;

  it.each(methods)('costs nobody anything: in %s', async (method) => {
    const { cache, errors } = setUp(lruBut(() => ({ [method]: fail })));
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 5; key++) {
        expect(await cache.get(key, () => key)).toBe(key);
        expect(await cache.get(key, () => -1)).toBe(key);
        await cache.set(key, key);
        await cache.set(key + 10, key, { tags: ['t'] });
        expect(cache.size).toBeLessThanOrEqual(3);
      }
      await cache.delete(4);
      await cache.invalidateTags('t');
      await cache.clear();
      expect(cache.size).toBe(0);
    }
    await settle();
    expect(errors).toEqual([broken]);
  });

  it.each(methods)('or rejects, from %s', async (method) => {
    const rejects = (): never => Promise.reject(broken) as never;
    const { cache, errors } = setUp(lruBut(() => ({ [method]: rejects })));
    for (let key = 0; key < 8; key++) await cache.get(key % 4, () => key);
    await cache.get(3);
    await cache.clear();
    await settle();
    expect(cache.size).toBe(0);
    expect(errors).toHaveLength(1);
  });

  it('evicts what came in first, of all that there is', async () => {
    let isBroken = false;
    const { cache } = setUp(
      lruBut((policy) => ({ use: (slot) => (isBroken ? fail() : policy.use(slot)) })),
    );
    for (let key = 0; key < 40; key++) await cache.set(key, key);
    isBroken = true;
    await cache.get(37);
    await cache.set(40, 40);
    expect([37, 38, 39, 40].map((key) => cache.has(key))).toEqual([true, false, true, true]);
  });

  it('may have let much come in before', async () => {
    let isBroken = false;
    const policy = lruBut((sound) => ({
      victim: () => (isBroken ? fail() : sound.victim()),
    }));
    const cache = new AsyncCache<number, number>({ maxSize: 1000, policy });
    for (let key = 0; key < 1000; key++) await cache.set(key, key);
    for (let key = 0; key < 990; key++) await cache.delete(key);
    isBroken = true;
    for (let key = 1000; key < 2100; key++) await cache.set(key, key);
    expect(cache.size).toBe(1000);
    const held = Array.from({ length: 2100 }, (_, key) => key).filter((key) => cache.has(key));
    expect(held).toEqual(Array.from({ length: 1000 }, (_, at) => 1100 + at));
  });
});

function* endless(): Generator<number> {
  for (let at = 1; ; at = (at % 3) + 1) yield at;
}

describe('a policy whose order is wrong', () => {
  const orders: [string, () => Iterable<number>][] = [
    ['nothing', () => []],
    ['what is no entry', () => [999]],
    ['an entry twice', () => [1, 1, 2]],
    ['no end', endless],
    ['an error', fail],
    ['no list', () => 5 as never],
  ];

  it.each(orders)('loses no entry that a persistence would keep: %s', async (_, order) => {
    let host: PersistenceHost | undefined;
    const persistence = memoryPersistence();
    const open = persistence.open.bind(persistence);
    persistence.open = (given) => open((host = given));
    const cache = new AsyncCache<number, number>({
      persistence,
      policy: lruBut(() => ({ order })),
    });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    await cache.ready;
    for (const key of [1, 2, 3]) await cache.set(key, key);
    expect([...host!.order()]).toHaveLength(3);
    await settle();
    expect(errors).toHaveLength(1);
  });
});

it('asks a sound policy as ever', async () => {
  const { cache, errors } = setUp(lruBut(() => ({})));
  for (let key = 0; key < 3; key++) await cache.set(key, key);
  await cache.get(0);
  await cache.set(3, 3);
  await settle();
  expect([0, 1, 2, 3].map((key) => cache.has(key))).toEqual([true, false, true, true]);
  expect(errors).toEqual([]);
});
