import fc from 'fast-check';
import { AsyncCache } from '@acache/core';
import { redisTier } from '@acache/redis-tier';
import type { RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections } from './illness.js';
import { closeLater, redisForAll } from './processes.js';
import { coherentModes, World, type Process } from './world.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

const KEYS = ['a', 'b', 'c'];
/** The tags that each key has, whenever it is set. */
const TAGS: Readonly<Record<string, string[]>> = { a: ['s'], b: ['s', 't'], c: ['s'] };

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('set' as const), key }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('setMany' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom('delete', 'expire', 'load'), key }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('invalidateTags' as const),
      tag: fc.constantFrom('s', 't'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('clear', 'turn', 'all') }) },
);
type Step = { what: string; key?: string; tag?: string };

/** Does one step, and answers with its promise; `left` becomes what must be there then. */
function take(
  cache: Process<string, string>,
  { what, key: name = '', tag = '' }: Step,
  value: string,
  left: Map<string, string>,
): Promise<unknown> {
  switch (what) {
    case 'set':
      left.set(name, value);
      return cache.set(name, value, { tags: TAGS[name] as string[] });
    case 'setMany':
      for (const each of ['a', 'c']) left.set(each, value);
      return cache.setMany(
        ['a', 'c'].map((each) => [each, value] as const),
        { tags: ['s'] },
      );
    case 'delete':
      left.delete(name);
      return cache.delete(name);
    case 'expire':
      left.delete(name);
      return cache.expire(name);
    case 'invalidateTags':
      for (const each of [...left.keys()])
        if (TAGS[each]?.includes(tag) === true) left.delete(each);
      return cache.invalidateTags(tag);
    case 'clear':
      left.clear();
      return cache.clear();
    case 'turn':
      return new Promise((resolve) => setImmediate(resolve));
    default:
      return cache.get(name);
  }
}

describe.each(coherentModes)('changes that nobody waits for, with %s', (coherence) => {
  it.each(['is open', 'opens'])(
    'count in their turn in all processes, while a tier %s',
    async (how) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 15, size: 'max' }),
          async (steps) => {
            const name = world.name();
            const tier = redisTier(redis.url, { commandTimeout: 2000, coherence });
            const cache = Object.assign(new AsyncCache<string, string>({ name, tier }), { tier });
            closeLater(cache as unknown as AsyncCache);
            try {
              if (how === 'is open') await cache.ready;
              const left = new Map<string, string>();
              let running: Promise<unknown>[] = [];
              for (const [at, each] of steps.entries()) {
                if (each.what === 'all') {
                  await Promise.all(running);
                  running = [];
                } else {
                  const done = take(cache, each, `value ${at}`, left);
                  if (each.what === 'turn') await done;
                  else running.push(done);
                }
              }
              await Promise.all(running);
              const other = await world.process<string, string>({ name }, { coherence });
              for (const each of KEYS) {
                expect([each, await cache.get(each)]).toEqual([each, left.get(each)]);
                expect([each, await other.get(each)]).toEqual([each, left.get(each)]);
              }
            } finally {
              await world.close();
            }
          },
        ),
        { numRuns: Number(process.env.ACACHE_RUNS ?? 100) },
      );
    },
  );
});
