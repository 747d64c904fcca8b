import type { LoadContext } from '@acache/core';
import type { RedisServer } from '../../../tools/redis/index.js';
import { untilHeard, untilWaiting } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, Gate, mustNotLoad, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

type Change = (process: Process<string, string>) => Promise<unknown>;

const removals: [how: string, remove: Change][] = [
  ['delete', (process) => process.delete('k')],
  ['clear', (process) => process.clear()],
  ['invalidateTags', (process) => process.invalidateTags('early')],
];

describe.each(coherentModes)('a load that another process overtakes, with %s', (coherence) => {
  const tier = { coherence };

  it.each(removals)('by %s keeps nobody waiting who asks afterwards', async (_how, remove) => {
    const all = await world.three<string, string>({}, tier);
    const [a, b, c] = all;
    const old = new Gate();
    const waiting = a.get('k', { loader: old.load, tags: ['early'] });
    await old.started;
    const before = b.get('k', { loader: () => 'new', tags: ['early'] });
    await untilWaiting(b);
    await remove(c);
    const after = c.get('k', { loader: () => 'new', tags: ['early'] });
    // The old load has not ended yet.
    expect(await Promise.all([before, after])).toEqual(['new', 'new']);
    old.resolve('old');
    expect(await waiting).toBe('old');
    await untilHeard(a, b);
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('new');
  });

  it.each([
    ['a function', { tags: () => ['late'] }],
    ['its loader', {}],
  ])('by a tag that only %s names is for who asked before', async (what, tags) => {
    const all = await world.three<string, string>({}, tier);
    const [a, b, c] = all;
    const old = new Gate();
    const tagged = (load: () => Promise<string>) => ({
      ...tags,
      loader: async (_: string, context: LoadContext<string>) => {
        const value = await load();
        if (what === 'its loader') context.tag('late');
        return value;
      },
    });
    const renewed = tagged(() => Promise.resolve('new'));
    const waiting = a.get('k', tagged(old.load));
    await old.started;
    await c.invalidateTags('late');
    await untilHeard(a, c);
    const after = all.map((each) => each.get('k', renewed));
    old.resolve('old');
    expect(await waiting).toBe('old');
    expect(await Promise.all(after)).toEqual(['new', 'new', 'new']);
    await untilHeard(a, b);
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('new');
  });

  it('by set hands what was set to all who wait or ask', async () => {
    const all = await world.three<string, string>({}, tier);
    const [a, b, c] = all;
    const old = new Gate();
    const waiting = a.get('k', old.load);
    await old.started;
    const before = c.get('k', mustNotLoad);
    await untilWaiting(c);
    await b.set('k', 'set');
    expect(await before).toBe('set');
    await untilHeard(a, b);
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('set');
    old.resolve('old');
    expect(await waiting).toBe('old');
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('set');
  });

  it('is stored all the same where memory needs its room', async () => {
    const [a, b] = await world.two<string, string>({ maxSize: 1 }, tier);
    await a.set('k', 'older');
    const load = new Gate();
    const waiting = a.get('k', { loader: load.load, refresh: true });
    await load.started;
    await a.set('another', 'value');
    expect(a.has('k')).toBe(false);
    const joined = a.get('k', mustNotLoad);
    load.resolve('loaded');
    expect(await Promise.all([waiting, joined])).toEqual(['loaded', 'loaded']);
    for (const each of [a, b]) expect(await each.get('k', mustNotLoad)).toBe('loaded');
  });
});
