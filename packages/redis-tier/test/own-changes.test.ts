import { AsyncCache } from '@acache/core';
import { redisTier } from '@acache/redis-tier';
import type { RedisServer } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, mustNotLoad, until, World, type Process } from './world.js';
import { closeLater, redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

type Change = (process: Process<string, string>) => Promise<unknown>;

describe.each([...coherentModes, 'none'] as const)('a process, with %s', (coherence) => {
  it('reads what it changed last, whatever is on its way', async () => {
    const [a, b] = await world.two<string, number>({}, { coherence });
    for (let round = 0; round < 60; round++) {
      const running = [
        a.get('k', () => -1),
        a.delete('k'),
        a.set('k', round),
        b.get(`another ${round}`),
      ];
      expect(a.peek('k')).toBe(round);
      expect(await a.get('k', () => -2)).toBe(round);
      await Promise.all(running);
      expect(await a.get('k', () => -3)).toBe(round);
      void a.delete('k');
      expect(await a.get('k')).toBeUndefined();
    }
  });
});

describe.each(coherentModes)('a change in the turn of a get, with %s', (coherence) => {
  const changes: [how: string, left: string, change: Change][] = [
    ['set', 'set', (process) => process.set('k', 'set')],
    ['delete', 'loaded after', (process) => process.delete('k')],
    ['invalidateTags', 'loaded after', (process) => process.invalidateTags('t')],
    ['clear', 'loaded after', (process) => process.clear()],
  ];

  it.each(changes)('counts for who asks after it: %s', async (_how, left, change) => {
    const [a, b] = await world.two<string, string>({}, { coherence });
    await b.set('k', 'older', { tags: ['t'] });
    await untilHeard(a, b);
    const before = a.get('k', { loader: () => 'loaded before', tags: ['t'] });
    const changed = change(a);
    expect(await a.get('k', () => 'loaded after')).toBe(left);
    await Promise.all([before, changed]);
    await untilHeard(b, a);
    expect(await a.get('k', mustNotLoad)).toBe(left);
    expect(await b.get('k', mustNotLoad)).toBe(left);
  });
});

describe.each(coherentModes)('a set beside an invalidation of its tag, with %s', (coherence) => {
  it('stays where it comes after it, in the same turn or in another process', async () => {
    const all = await world.three<string, string>({}, { coherence });
    const [a, b, c] = all;
    const untilAll = (value: string): Promise<unknown> =>
      until(`all to see '${value}'`, async () => {
        const values = await Promise.all(all.map((each) => each.get('k')));
        return values.every((seen) => seen === value);
      });
    for (let round = 0; round < 10; round++) {
      await a.get('k', { loader: () => 'older', tags: ['t'] });
      await Promise.all([a.invalidateTags('t'), a.set('k', `own ${round}`, { tags: ['t'] })]);
      expect(await a.get('k')).toBe(`own ${round}`);
      await untilAll(`own ${round}`);
      await b.invalidateTags('t');
      await c.set('k', `another's ${round}`, { tags: ['t'] });
      expect(await c.get('k')).toBe(`another's ${round}`);
      await untilAll(`another's ${round}`);
    }
  });

  it('is gone everywhere where it comes before it', async () => {
    const [a, b] = await world.two<string, number>({}, { coherence });
    for (let round = 0; round < 20; round++) {
      await Promise.all([a.set('k', round, { tags: ['t'] }), a.set('l', round, { tags: ['u'] })]);
      await b.get('k');
      await b.invalidateTags('t', 'u');
      expect(await b.get('k')).toBeUndefined();
      expect(await b.get('l')).toBeUndefined();
      await until('the other one to forget it', () => !a.has('k') && !a.has('l'));
    }
  });
});

describe.each(coherentModes)('a set that is taken back at once, with %s', (coherence) => {
  const setOld: Change = (process) => process.set('k', 'old', { tags: ['t'] });
  const takes: [how: string, take: Change][] = [
    ['delete', (process) => process.delete('k')],
    ['invalidateTags', (process) => process.invalidateTags('t')],
    ['clear', (process) => process.clear()],
  ];

  describe.each(['are not', 'are'])('whose stamps %s known', (known) => {
    it.each(takes)('is gone everywhere: %s', async (_, take) => {
      const [a, b] = await world.two<string, string>({}, { coherence });
      if (known === 'are') await a.set('other', 'other', { tags: ['t'] });
      await Promise.all([setOld(a), take(a)]);
      expect([a.peek('k'), await a.get('k'), await b.get('k')]).toEqual(Array(3).fill(undefined));
    });

    it.each(takes)('by who listens, is gone everywhere: %s', async (_, take) => {
      const [a, b] = await world.two<string, string>({}, { coherence });
      if (known === 'are') await a.set('other', 'other', { tags: ['t'] });
      let taken: Promise<unknown> | undefined;
      a.on('set', () => {
        taken = take(a);
      });
      await setOld(a);
      await taken;
      expect([a.peek('k'), await a.get('k'), await b.get('k')]).toEqual(Array(3).fill(undefined));
    });

    it.each(takes)('and set again, stays: %s', async (_, take) => {
      const [a, b] = await world.two<string, string>({}, { coherence });
      if (known === 'are') await a.set('other', 'other', { tags: ['t'] });
      await Promise.all([setOld(a), take(a), a.set('k', 'new', { tags: ['t'] })]);
      expect([a.peek('k'), await a.get('k'), await b.get('k')]).toEqual(Array(3).fill('new'));
    });
  });
});

describe('before a tier is open', () => {
  const takeBack: Change = (process) => process.invalidateTags('t');
  const setTagged = (value: string): Change => {
    return (process) => process.set('k', value, { tags: ['t'] });
  };

  it.each<[string, Change[], string | undefined]>([
    ['a set that is taken back is gone', [setTagged('old'), takeBack], undefined],
    ['what is set after that stays', [takeBack, setTagged('new')], 'new'],
  ])('%s', async (_, inTurn, left) => {
    const name = world.name();
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    const opening = Object.assign(new AsyncCache<string, string>({ name, tier }), { tier });
    closeLater(opening as unknown as AsyncCache);
    await Promise.all(inTurn.map((change) => change(opening)));
    const other = await world.process<string, string>({ name });
    expect([await opening.get('k'), await other.get('k')]).toEqual([left, left]);
  });
});
