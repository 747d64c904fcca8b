import type { RedisServer } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { movedClock } from './moved-clock.js';
import { coherentModes, Gate, mustNotLoad, until, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

type Change = (process: Process<string, string>) => Promise<unknown>;

describe.each(coherentModes)('a refresh that is asked for, with %s', (coherence) => {
  const tier = { coherence };

  it('takes the load over from another process, whose value is stored nowhere', async () => {
    const all = await world.three({}, tier);
    const [a, b, c] = all;
    const old = new Gate();
    const waiting = a.get('k', old.load);
    await old.started;
    const elsewhere = c.get('k', mustNotLoad);
    expect(await b.get('k', { loader: () => 'refreshed', refresh: true })).toBe('refreshed');
    expect(await elsewhere).toBe('refreshed');
    old.resolve('old');
    expect(await waiting).toBe('old');
    await untilHeard(a, b);
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('refreshed');
  });

  it.each(['ends first', 'ends last'])('wins over an earlier one when it %s', async (when) => {
    const all = await world.three({}, tier);
    const [a, b] = all;
    await a.set('k', 'old');
    const [earlier, later] = [new Gate(), new Gate()];
    const first = a.get('k', { loader: earlier.load, refresh: true });
    await earlier.started;
    const last = b.get('k', { loader: later.load, refresh: true });
    await later.started;
    if (when === 'ends first') later.resolve('later');
    else earlier.resolve('earlier');
    await (when === 'ends first' ? last : first);
    later.resolve('later');
    earlier.resolve('earlier');
    expect(await Promise.all([first, last])).toEqual(['earlier', 'later']);
    await untilHeard(a, b);
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('later');
  });
});

describe.each(coherentModes)('a refresh behind a value, with %s', (coherence) => {
  const changes: [what: string, left: string | undefined, change: Change][] = [
    ['set', 'new', (process) => process.set('k', 'new')],
    ['deleted', undefined, (process) => process.delete('k')],
    ['expired', 'stale', (process) => process.expire('k')],
    ['invalidated by its tag', undefined, (process) => process.invalidateTags('t')],
    ['cleared', undefined, (process) => process.clear()],
  ];

  it.each(changes)('is stored nowhere when its key is %s elsewhere', async (_, left, change) => {
    const options = { ttl: '1m', staleWhileRevalidate: '1m' } as const;
    const [a, b] = await world.two<string, string>(options, { coherence });
    await a.set('k', 'stale', { tags: ['t'] });
    await a.expire('k');
    const refresh = new Gate();
    // Its loader names no tag: what it is about to replace does.
    expect(await a.get('k', refresh.load)).toBe('stale');
    await refresh.started;
    await change(b);
    refresh.resolve('refreshed');
    await untilHeard(b, a);
    await untilHeard(a, b);
    expect([await a.get('k'), await b.get('k')]).toEqual([left, left]);
  });

  it('that is not stale yet is made by one process', async () => {
    const clock = movedClock();
    const all = await world.three({ ttl: '10m', refreshAhead: 0.5, clock }, { coherence });
    await all[0].set('k', 'first');
    for (const each of all) await each.get('k', mustNotLoad);
    clock.ahead = 6 * 60_000;
    const refresh = new Gate();
    const gets = all.flatMap((each) => [each.get('k', refresh.load), each.get('k', refresh.load)]);
    expect(await Promise.all(gets)).toEqual(gets.map(() => 'first'));
    await refresh.started;
    const [a, b, c] = all;
    // By then all have asked whether they may.
    await Promise.all([untilHeard(a, b), untilHeard(b, c), untilHeard(c, a)]);
    refresh.resolve('second');
    await until('all to have it', async () => {
      const values = await Promise.all(all.map((each) => each.get('k')));
      return values.every((value) => value === 'second');
    });
    expect(refresh.calls).toBe(1);
  });
});
