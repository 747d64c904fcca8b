import { until, type RedisServer } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, mustNotLoad, World } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

/** A loader that fails, and counts. */
function failing() {
  const error = new Error('the source is down');
  const source = {
    error,
    loads: 0,
    load: (): Promise<string> => {
      source.loads++;
      return Promise.reject(error);
    },
  };
  return source;
}

describe.each(coherentModes)('a load that fails, with %s', (coherence) => {
  const tier = { coherence };

  it('leaves all processes the older value where it is fresh', async () => {
    const [a, b] = await world.two({ ttl: '1m' }, tier);
    await a.set('k', 'older');
    expect(await b.get('k')).toBe('older');
    const { error, load } = failing();
    await expect(b.get('k', { loader: load, refresh: true })).rejects.toBe(error);
    await untilHeard(a, b);
    for (const each of [a, b]) expect(await each.get('k', mustNotLoad)).toBe('older');
  });

  it('leaves all processes the older value where staleIfError allows', async () => {
    const [a, b] = await world.two({ ttl: '1m', staleIfError: '1m' }, tier);
    await a.set('k', 'older');
    await a.expire('k');
    const stale = { value: 'older', status: 'error-stale' };
    for (const each of [b, a]) {
      expect(await each.getWithMeta('k', failing().load)).toMatchObject(stale);
    }
    expect(await b.get('k', () => 'newer')).toBe('newer');
    await untilHeard(a, b);
    expect(await a.get('k', mustNotLoad)).toBe('newer');
  });

  it('behind a stale value is tried once by each process, and then not at every hit', async () => {
    const [a, b] = await world.two({ ttl: '1m', staleWhileRevalidate: '1m' }, tier);
    const sources: string[] = [];
    for (const each of [a, b]) each.on('error', ({ source }) => sources.push(source));
    await a.set('k', 'stale');
    await a.expire('k');
    const source = failing();
    for (const [tries, each] of [a, b].entries()) {
      expect(await each.get('k', source.load)).toBe('stale');
      await until('the refresh to fail', () => sources.length > tries);
    }
    for (let hits = 0; hits < 20; hits++) {
      expect(await a.get('k', source.load)).toBe('stale');
      expect(await b.get('k', source.load)).toBe('stale');
    }
    expect(source.loads).toBe(2);
    expect(sources).toEqual(['refresh', 'refresh']);
  });

  it.each(['set', 'clear'] as const)(
    'is remembered for errorTtl, unless another process calls %s',
    async (forget) => {
      const [a, b] = await world.two<string, string>({ errorTtl: '1m' }, tier);
      const source = failing();
      for (let gets = 0; gets < 3; gets++) {
        await expect(a.get('k', source.load)).rejects.toBe(source.error);
      }
      expect(source.loads).toBe(1);
      await (forget === 'set' ? b.set('k', 'new') : b.clear());
      await untilHeard(a, b);
      expect(await a.get('k', () => 'new')).toBe('new');
    },
  );
});
