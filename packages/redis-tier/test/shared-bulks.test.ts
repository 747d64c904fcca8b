import { until, type RedisServer } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, Gate, mustNotLoad, World } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** Far more than they take: what Redis did not answer in time would be loaded by each. */
const commandTimeout = 10_000;

describe.each(coherentModes)('getMany of several processes, with %s', (coherence) => {
  const tier = { coherence, commandTimeout };

  it('shares its loads with those of get, each key in its place', async () => {
    const [a, b, c] = await world.three<number, string>({}, tier);
    const keys = numbers(20);
    const asked: number[] = [];
    const open = new Gate<void>();
    const loadMany = async (missing: readonly number[]): Promise<string[]> => {
      asked.push(...missing);
      await open.load();
      return missing.map((key) => `v${key}`);
    };
    const load = async (key: number): Promise<string> => (await loadMany([key]))[0] as string;
    const bulks = [
      a.getMany(keys, loadMany),
      b.getMany([...keys].reverse(), loadMany),
      b.getMany([3, 3, 4], loadMany),
    ];
    const single = [...keys.map((key) => c.get(key, load)), a.get(3, load)];
    await until('each key to be asked for', () => asked.length === keys.length);
    open.resolve();
    const orders = (await Promise.all(bulks)).map((found) => [...found.keys()]);
    expect(orders).toEqual([keys, [...keys].reverse(), [3, 4]]);
    expect(await Promise.all(single)).toEqual([...keys.map((key) => `v${key}`), 'v3']);
    expect(asked.sort((one, other) => one - other)).toEqual(keys);
  });

  it('stores all but what failed, for which nobody waits', async () => {
    const [a, b] = await world.two<number, string>({}, tier);
    const error = new Error('of one key');
    const loadMany = async (keys: readonly number[]): Promise<(string | Error)[]> =>
      keys.map((key) => (key === 2 ? error : `v${key}`));
    await expect(a.getMany([1, 2, 3], loadMany)).rejects.toBe(error);
    expect([...(await b.getMany([1, 2, 3]))]).toEqual([
      [1, 'v1'],
      [3, 'v3'],
    ]);
    expect(await b.get(2, () => 'loaded by b')).toBe('loaded by b');
  });

  it('stores nothing that expired meanwhile, and the rest with the tags of a function', async () => {
    const [a, b] = await world.two<number, string>({ maxSize: null }, tier);
    const keys = numbers(270);
    const open = new Gate<void>();
    const many = a.getMany(keys, {
      loadMany: async (missing) => {
        await open.load();
        return missing.map((key) => `v${key}`);
      },
      tags: (_, key) => [`ends in ${key % 10}`],
    });
    await open.started;
    await b.expire(4);
    open.resolve();
    expect([...(await many).values()]).toEqual(keys.map((key) => `v${key}`));
    const left = keys.filter((key) => key !== 4);
    await untilHeard(a, b);
    for (const each of [a, b]) expect([...(await each.getMany(keys)).keys()]).toEqual(left);
    await b.invalidateTags('ends in 3');
    await untilHeard(a, b);
    const others = left.filter((key) => key % 10 !== 3);
    for (const each of [a, b]) expect([...(await each.getMany(keys)).keys()]).toEqual(others);
  });
});

describe.each(coherentModes)('warmup of several processes at once, with %s', (coherence) => {
  it('loads each key once in all', async () => {
    const tier = { coherence, commandTimeout };
    const [a, b] = await world.two<string, string>({}, tier);
    let loads = 0;
    const load = async (key: string): Promise<string> => {
      loads++;
      return key;
    };
    const entries = new Map(numbers(15).map((at) => [`k${at}`, load]));
    const reports = await Promise.all([a.warmup(entries), b.warmup(entries, { concurrency: 3 })]);
    expect(loads).toBe(15);
    for (const { loaded, alreadyCached, failures } of reports) {
      expect({ all: loaded + alreadyCached, failures }).toEqual({ all: 15, failures: [] });
    }
    const late = await world.process<string, string>({ name: a.name }, tier);
    const again = new Map(numbers(15).map((at) => [`k${at}`, mustNotLoad]));
    expect(await late.warmup(again)).toEqual({ loaded: 0, alreadyCached: 15, failures: [] });
  });
});
