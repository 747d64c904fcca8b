import type { RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections } from './illness.js';
import { untilHeard } from './heard.js';
import { movedClock } from './moved-clock.js';
import { mustNotLoad, until, World } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

describe('two processes', () => {
  it.each([-2000, 2000])('whose clocks are %i ms apart share what is fresh', async (by) => {
    const name = world.name();
    const a = await world.process<string, string>({ name, ttl: '10m', clock: movedClock(by) });
    const b = await world.process<string, string>({ name, ttl: '10m' });
    await a.set('of a', 'a');
    await b.set('of b', 'b');
    expect(await b.get('of a', mustNotLoad)).toBe('a');
    expect(await a.get('of b', mustNotLoad)).toBe('b');
    let loads = 0;
    const load = async (): Promise<string> => `loaded ${++loads}`;
    const both = [a, b].map((each) => each.get('k', load));
    expect(await Promise.all(both)).toEqual(['loaded 1', 'loaded 1']);
  });

  it.each([-3_600_000, -2000, 2000, 3_600_000])(
    'whose clocks are %i ms apart see each change all the same',
    async (by) => {
      const name = world.name();
      const options = { name, ttl: '10m', staleWhileRevalidate: '5m' } as const;
      const a = await world.process<string, string>({ ...options, clock: movedClock(by) });
      const b = await world.process<string, string>(options);
      // A ttl may seem to be over by the other clock: then it is loaded anew, and never an older value.
      const seen = { a: () => a.get('k', () => 'new'), b: () => b.get('k', () => 'new') };
      await a.set('k', 'old');
      await seen.b();
      await b.set('k', 'new');
      await untilHeard(a, b);
      expect(await seen.a()).toBe('new');
      expect(await seen.b()).toBe('new');
      await a.set('k', 'new');
      await until('the other to see it', async () => (await seen.b()) === 'new');
      await a.delete('k');
      await untilHeard(b, a);
      expect(await b.get('k')).toBeUndefined();
      expect(await a.get('k')).toBeUndefined();
    },
  );
});
