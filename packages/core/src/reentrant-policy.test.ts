import { settle } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/outcome.js';
import { AsyncCache, type CacheError, lru, type Policy } from './index.js';

failOnUnhandledRejections();

const MAX = 5;

interface Value {
  readonly of: unknown;
}

type Cache = AsyncCache<unknown, Value>;

/** A cache whose LRU does something to it whenever `method` is called, until `times` are over. */
function setUp(method: keyof Policy, meddle: (cache: Cache) => unknown, times = 100) {
  let depth = 0;
  const asked = <T>(name: keyof Policy, answer: () => T): T => {
    if (name === method && depth < 2 && times-- > 0) {
      depth++;
      meddle(cache);
      depth--;
    }
    return answer();
  };
  const cache: Cache = new AsyncCache<unknown, Value>({
    maxSize: MAX,
    policy: (limits) => {
      const policy = lru()(limits);
      return {
        add: (slot, key) => asked('add', () => policy.add(slot, key)),
        use: (slot) => asked('use', () => policy.use(slot)),
        remove: (slot) => asked('remove', () => policy.remove(slot)),
        victim: () => asked('victim', () => policy.victim()),
        missed: () => asked('missed', () => undefined),
        order: () => policy.order(),
        clear: () => asked('clear', () => policy.clear()),
      };
    },
  });
  const errors: CacheError[] = [];
  cache.on('error', ({ error }) => errors.push(error as CacheError));
  return { cache, errors };
}

/** Every value lies under its own key, and `size` is the number of those that can be found. */
function checkConsistent(cache: Cache): void {
  const keys = ['x', ...Array(130).keys()].filter((key) => cache.has(key));
  for (const key of keys) expect(cache.peek(key)).toEqual({ of: key });
  expect(keys).toHaveLength(cache.size);
  expect(cache.size).toBeLessThanOrEqual(MAX);
}

function set(cache: Cache, key: unknown): void {
  void cache.set(key, { of: key }, { tags: ['t'] });
}

function setMany(cache: Cache): void {
  for (let key = 100; key < 120; key++) set(cache, key);
}

const MEDDLING: readonly (readonly [string, (cache: Cache) => unknown])[] = [
  ['peeks', (cache) => cache.peek(1)],
  ['reads', (cache) => cache.get(1, () => ({ of: 1 }))],
  ['reads metrics', (cache) => cache.getMetrics()],
  ['sets', (cache) => set(cache, 'x')],
  ['sets many', setMany],
  ['deletes what there is', (cache) => [...Array(40).keys()].map((key) => cache.delete(key))],
  ['invalidates', (cache) => cache.invalidateTags('t')],
  ['clears', (cache) => cache.clear()],
];
const METHODS = ['add', 'use', 'remove', 'victim', 'missed', 'clear'] as const;

describe('a policy that changes the cache when it is asked', () => {
  describe.each(METHODS)('in %s', (method) => {
    it.each(MEDDLING)('costs no caller a value: it %s', async (_, meddle) => {
      const { cache } = setUp(method, meddle);
      for (let key = 0; key < 20; key++) {
        set(cache, key);
        checkConsistent(cache);
      }
      for (let at = 0; at < 20; at++) {
        const key = at % 8;
        expect(await cache.get(key, () => ({ of: key }))).toEqual({ of: key });
        checkConsistent(cache);
      }
      await cache.clear();
      checkConsistent(cache);
      for (let key = 0; key < 20; key++) set(cache, key);
      checkConsistent(cache);
    });
  });

  it('each time gives way to LRU, and this is told', async () => {
    let isOver = false;
    let next = 100;
    const { cache, errors } = setUp('remove', () => undefined);
    const policy = (limits: Parameters<ReturnType<typeof lru>>[0]): Policy => {
      const held = lru()(limits);
      return {
        add: (slot, key) => held.add(slot, key),
        use: (slot) => held.use(slot),
        remove(slot) {
          held.remove(slot);
          if (!isOver) set(endless, next++);
        },
        victim: () => held.victim(),
        order: () => held.order(),
        clear: () => held.clear(),
      };
    };
    const endless: Cache = new AsyncCache<unknown, Value>({ maxSize: MAX, policy });
    endless.on('error', ({ error }) => errors.push(error as CacheError));
    for (let key = 0; key < 20; key++) set(endless, key);
    isOver = true;
    await settle();
    expect(errors.map(({ code }) => code)).toEqual(['ERR_ACACHE_POLICY']);
    expect(errors[0]?.message).toContain('must not change the cache whenever it is told');
    expect([15, 16, 17, 18, 19].map((key) => endless.has(key))).not.toContain(false);
    await cache.close();
  });
});
