import { fakeClock, type FakeClock } from '@acache/core/testing';
import { startProxy, type RedisServer } from '../../../tools/redis/index.js';
import { within } from '../../../tools/redis/until.js';
import { untilHeard, untilWaiting } from './heard.js';
import { dataLine, failOnUnhandledRejections } from './illness.js';
import { coherentModes, Gate, mustNotLoad, until, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

/** By default a lock stands for five seconds: who is served within this did not wait for its end. */
const AT_ONCE = 2500;
const timedOut = { code: 'ERR_ACACHE_LOAD_TIMEOUT' };

describe.each(coherentModes)('a caller who leaves, with %s', (coherence) => {
  const tier = { coherence };

  it('as the last of its load has the signal fire, and another process loads at once', async () => {
    const [a, b] = await world.two({}, tier);
    const abandoned = new Gate();
    const [first, last] = [new AbortController(), new AbortController()];
    const waiting = [first, last].map(({ signal }) =>
      a.get('k', { loader: abandoned.load, signal }),
    );
    const ends = Promise.allSettled(waiting);
    await abandoned.started;
    const other = b.get('k', () => 'loaded by b');
    await untilWaiting(b);
    const reason = new Error('left');
    first.abort(reason);
    await expect(waiting[0]).rejects.toBe(reason);
    expect(abandoned.signal?.aborted).toBe(false);
    last.abort(reason);
    await ends;
    await expect(waiting[1]).rejects.toBe(reason);
    expect(abandoned.signal?.aborted).toBe(true);
    expect(await within('the other process to load', other, AT_ONCE)).toBe('loaded by b');
    abandoned.resolve('too late');
    await untilHeard(a, b);
    expect(await a.get('k', mustNotLoad)).toBe('loaded by b');
  });

  it('while another process loads has nothing loaded, then or later', async () => {
    const [a, b] = await world.two({}, tier);
    const [load, unwanted] = [new Gate(), new Gate()];
    const waiting = a.get('k', load.load);
    await load.started;
    const caller = new AbortController();
    const left = b.get('k', { loader: unwanted.load, signal: caller.signal });
    await untilWaiting(b);
    caller.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    load.resolve('loaded');
    expect(await waiting).toBe('loaded');
    await untilHeard(b, a);
    expect(await b.get('k', mustNotLoad)).toBe('loaded');
    expect(unwanted.calls).toBe(0);
  });

  it('by the end of its process while another one loads is told so at once', async () => {
    const [a, b] = await world.two({}, tier);
    const load = new Gate();
    const waiting = a.get('k', load.load);
    await load.started;
    const left = b.get('k', mustNotLoad);
    await untilWaiting(b);
    const closing = b.close();
    await expect(left).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    await within('the close', closing, AT_ONCE);
    load.resolve('loaded');
    expect(await waiting).toBe('loaded');
  });
});

describe.each(coherentModes)('a caller who runs out of time, with %s', (coherence) => {
  const tier = { coherence };
  let clock: FakeClock;
  beforeEach(() => {
    clock = fakeClock(Date.now());
  });

  /** Has somebody wait for a load that began, and run out of time. */
  async function runOut(process: Process, load: Gate): Promise<void> {
    const late = process.get('k', { loader: load.load, timeout: 50 });
    const error = late.catch((reason: unknown) => reason);
    await load.started;
    await clock.advance(50);
    expect(await error).toMatchObject(timedOut);
    expect(load.signal?.aborted).toBe(true);
  }

  it('while its process loads: nobody loads beside it, and all get the late value', async () => {
    const [a, b] = await world.two({ clock }, tier);
    const slow = new Gate();
    await runOut(a, slow);
    const others = [a.get('k', mustNotLoad), b.get('k', mustNotLoad)];
    await untilWaiting(b);
    slow.resolve('late');
    expect(await Promise.all(others)).toEqual(['late', 'late']);
    expect(await b.get('k', mustNotLoad)).toBe('late');
  });

  it('while another process loads: nothing is loaded for it', async () => {
    const all = await world.three({ clock }, tier);
    const [a, ...others] = all;
    const [load, unwanted] = [new Gate(), new Gate()];
    const waiting = a.get('k', load.load);
    await load.started;
    const late = others.map((each) => each.get('k', { loader: unwanted.load, timeout: 50 }));
    const ends = Promise.allSettled(late);
    await Promise.all(others.map(untilWaiting));
    await clock.advance(50);
    for (const end of await ends) expect(end).toMatchObject({ reason: timedOut });
    load.resolve('loaded');
    expect(await waiting).toBe('loaded');
    for (const each of all) expect(await each.get('k', mustNotLoad)).toBe('loaded');
    expect(unwanted.calls).toBe(0);
  });

  it('leaves the key free at once when the load fails afterwards', async () => {
    const [a, b] = await world.two({ clock }, tier);
    const slow = new Gate();
    await runOut(a, slow);
    const other = b.get('k', () => 'loaded by b');
    await untilWaiting(b);
    slow.reject(new Error('in the end'));
    expect(await within('the other process to load', other, AT_ONCE)).toBe('loaded by b');
  });

  it('leaves nothing of the late value where the key was deleted elsewhere', async () => {
    const [a, b] = await world.two({ clock }, tier);
    const slow = new Gate();
    await runOut(a, slow);
    await b.delete('k');
    slow.resolve('late');
    await untilHeard(a, b);
    expect(await a.get('k')).toBeUndefined();
    expect(await b.get('k')).toBeUndefined();
  });

  it.each(['timeout', 'softTimeout'] as const)(
    'by %s is given the stale value of the tier, and one process goes on loading',
    async (patience) => {
      const all = await world.three({ ttl: '1m', staleIfError: '1m', clock }, tier);
      const [a, b, c] = all;
      await a.set('k', 'stale');
      await a.expire('k');
      const slow = new Gate();
      const options = { loader: slow.load, [patience]: 50 };
      const late = [b.getWithMeta('k', options)];
      await slow.started;
      late.push(c.getWithMeta('k', options));
      await untilWaiting(c);
      await clock.advance(50);
      for (const each of await Promise.all(late)) {
        expect(each).toMatchObject({ value: 'stale', status: 'error-stale' });
      }
      expect(slow.calls).toBe(1);
      slow.resolve('new');
      await until('the new value', async () => {
        const values = await Promise.all(all.map((each) => each.get('k', mustNotLoad)));
        return values.every((value) => value === 'new');
      });
    },
  );

  it('while Redis does not answer yet: nothing is lost of what it asked for', async () => {
    await using proxy = await startProxy(redis);
    const far = new World(() => proxy.url);
    const a = await far.process({ name: world.name(), clock }, tier);
    const answers = await dataLine(proxy);
    answers.hold('toClient');
    const load = new Gate();
    const late = a.get('k', { loader: load.load, timeout: 50 });
    const error = late.catch((reason: unknown) => reason);
    await clock.advance(50);
    expect(await error).toMatchObject(timedOut);
    expect(load.calls).toBe(0);
    const joining = a.get('k', load.load);
    answers.resume();
    await load.started;
    load.resolve('loaded');
    expect(await joining).toBe('loaded');
    expect(load.calls).toBe(1);
    await a.close();
  });
});
