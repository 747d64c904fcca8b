import type { RedisServer } from '../../../tools/redis/index.js';
import { coherentModes, mustNotLoad, until, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

const keys = Array.from({ length: 600 }, (_, nth) => `k${nth}`);

function errorsOf(cache: Process<string, string>): unknown[] {
  const errors: unknown[] = [];
  cache.on('error', ({ error }) => errors.push(error));
  return errors;
}

/** How often the server has run each of the commands. */
async function callsOf(...commands: string[]): Promise<Record<string, number>> {
  const text = String(await redis.command('INFO', 'commandstats'));
  const calls = (name: string) => new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0;
  return Object.fromEntries(commands.map((name) => [name, Number(calls(name))]));
}

describe.each(coherentModes)('a bulk that nobody has loaded, %s', (coherence) => {
  it('is claimed and stored in a few round trips, and found by all', async () => {
    const [a, b] = await world.two<string, string>({ maxSize: 1000 }, { coherence });
    const errors = errorsOf(a);
    await redis.command('CONFIG', 'RESETSTAT');
    await a.getMany(keys, (missing) => Promise.resolve(missing.map((key) => `v of ${key}`)));
    expect((await callsOf('evalsha')).evalsha).toBeLessThan(60);
    expect(errors).toEqual([]);
    const values = await b.getMany(keys, mustNotLoad);
    expect([...values.values()]).toEqual(keys.map((key) => `v of ${key}`));
    expect(b.getMetrics().loads).toBe(0);
  });

  it('is heard of by those who wait for its loads', async () => {
    const [a, b] = await world.two<string, string>({ maxSize: 1000 }, { coherence });
    let end!: (values: string[]) => void;
    const loading = new Promise<string[]>((resolve) => (end = resolve));
    const first = a.getMany(keys, () => loading);
    await until('the claims', async () => Number(await redis.command('DBSIZE')) >= keys.length);
    const second = b.getMany(keys, mustNotLoad);
    await until('the waiting', () => b.tier.getMetrics().waits >= keys.length);
    end(keys.map((key) => `v of ${key}`));
    expect(await second).toEqual(await first);
  });

  it('stores all but those that were removed or set meanwhile', async () => {
    const [a, b] = await world.two<string, string>({ maxSize: 1000 }, { coherence });
    let end!: (values: string[]) => void;
    const loading = new Promise<string[]>((resolve) => (end = resolve));
    const all = a.getMany(keys, { loadMany: () => loading, tags: ['t'] });
    await until('the claims', async () => Number(await redis.command('DBSIZE')) >= keys.length);
    await Promise.all([b.delete('k1'), b.delete('k599'), b.set('k2', 'set')]);
    end(keys.map(() => 'loaded'));
    await all;
    const later = await b.getMany(['k0', 'k1', 'k2', 'k598', 'k599']);
    expect(Object.fromEntries(later)).toEqual({ k0: 'loaded', k2: 'set', k598: 'loaded' });
  });
});

describe('one key of a bulk that Redis cannot handle', () => {
  it('hurts no other', async () => {
    const [a, b] = await world.two<string, string>({ maxSize: 1000, staleIfError: '1m' });
    const errors = errorsOf(a);
    await a.setMany(keys.map((key) => [key, 'old']));
    await Promise.all(keys.map((key) => a.expire(key)));
    let end!: (values: string[]) => void;
    const loading = new Promise<string[]>((resolve) => (end = resolve));
    const all = a.getMany(keys, () => loading);
    const locks = async (): Promise<string[]> => {
      const names = await redis.command('KEYS', 'acache:r:*');
      return Array.isArray(names) ? names.map(String) : [];
    };
    await until('the locks', async () => (await locks()).length === keys.length);
    const lock = (await locks()).find((name) => name.endsWith('k7}')) as string;
    await redis.command('DEL', lock);
    await redis.command('RPUSH', lock, 'x');
    end(keys.map((key) => `v of ${key}`));
    expect((await all).get('k7')).toBe('v of k7');
    expect(errors.map(String)).toEqual([expect.stringContaining('WRONGTYPE')]);
    const found = await b.getMany(
      keys.filter((key) => key !== 'k7'),
      mustNotLoad,
    );
    expect(new Set(found.values()).size).toBe(keys.length - 1);
  });
});
