import { performance } from 'node:perf_hooks';
import {
  freePort,
  startRedis,
  until,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import {
  failOnUnhandledRejections,
  proxyForEach,
  SOON,
  sourceOf,
  timed,
  untilUsed,
} from './illness.js';
import {
  counting,
  endProcesses,
  redisForEach,
  startCoherent,
  startProcess,
  untilCoherent,
  untilLoading,
  untilMadeGood,
} from './processes.js';
import { untilWaiting } from './heard.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;

describe('a Redis that refuses connections at the start', () => {
  afterEach(async () => {
    await endProcesses();
    await redis.stop();
  });

  it('holds nothing up, and is used once it is there', async () => {
    const port = await freePort();
    const begun = performance.now();
    const a = await startProcess(`redis://127.0.0.1:${port}`);
    expect(await a.cache.get('k', () => 'loaded')).toBe('loaded');
    const rest = Array.from({ length: 100 }, (_, at) => at);
    for (const at of rest) expect(await a.cache.get(at, () => at)).toBe(at);
    expect(performance.now() - begun).toBeLessThan(SOON);
    expect(a.tier.getMetrics()).toMatchObject({ coherent: false, outages: 1, down: true });
    expect(a.states).toEqual(expect.arrayContaining(['disconnected', 'down']));

    redis = await startRedis({ port });
    const b = await startProcess(redis.url);
    await untilCoherent(a, b);
    expect(a.tier.getMetrics()).toMatchObject({ coherent: true, down: false });
    expect(
      a.states
        .filter((state) => state !== 'disconnected')
        .slice(-3)
        .sort(),
    ).toEqual(['coherent', 'connected', 'up']);
    await a.cache.set('k', 'a');
    await untilUsed(b, 'k', 'a');
    expect(await sourceOf(b, 'k')).toBe('memory');
    await a.cache.set('k', 'newer');
    await untilUsed(b, 'k', 'newer');
  });

  it('serves what was loaded meanwhile to nobody once it is there', async () => {
    const port = await freePort();
    const a = await startProcess(`redis://127.0.0.1:${port}`, { staleness: '10s' });
    await a.cache.get('k', () => 'loaded alone');
    redis = await startRedis({ port });
    const b = await startProcess(redis.url);
    await b.cache.set('k', 'theirs');
    await untilCoherent(a);
    expect(await a.cache.get('k')).toBe('theirs');
  });
});

describe('a Redis that is killed', () => {
  redisForEach((server) => (redis = server));

  it('is done without, and coherent again once it is back, empty', async () => {
    const [a, b] = await startCoherent(redis.url, { staleness: '30s' });
    await a.cache.set('k', 'old');
    await untilUsed(b, 'k', 'old');
    const { resets } = b.tier.getMetrics();
    await redis.kill();
    await until('the loss to be noticed', () => !b.tier.getMetrics().coherent);
    // Nobody vouches for what memory holds any more.
    expect(b.cache.has('k')).toBe(false);
    const took = await timed(async () => {
      expect(await b.cache.get('k', () => 'during')).toBe('during');
      expect(await a.cache.get('k', () => 'during too')).toBe('during too');
    });
    expect(took).toBeLessThan(SOON);

    await redis.restart();
    await untilCoherent(a, b);
    expect(await b.cache.get('k', () => 'after')).toBe('after');
    expect(await a.cache.get('k', () => 'never')).toBe('after');
    expect(b.states).toEqual(expect.arrayContaining(['silent', 'disconnected', 'connected']));
    expect(b.tier.getMetrics().resets).toBeGreaterThan(resets);
  });

  it('lets nobody who waits for a load of another process hang', async () => {
    const [a, b] = await startCoherent(redis.url);
    let finish = (_: string): void => undefined;
    const owner = a.cache.get('k', () => new Promise<string>((resolve) => (finish = resolve)));
    await untilLoading(a);
    const waiter = b.cache.get('k', () => 'own');
    await untilWaiting(b);
    await redis.kill();
    expect(await waiter).toBe('own');
    finish('late');
    expect(await owner).toBe('late');
  });

  it('calls a loader once per flight, also where the tier fails after it', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    const load = counting('value');
    const killing = async (): Promise<string> => {
      await redis.kill();
      return load();
    };
    const callers = Array.from({ length: 5 }, () => a.cache.get('k', killing));
    expect(await Promise.all(callers)).toEqual(Array.from({ length: 5 }, () => 'value'));
    expect(load.calls).toBe(1);
    expect(a.cache.getMetrics()).toMatchObject({ loads: 1, loadErrors: 0 });
  });

  it('passes on what a loader throws, which is called once', async () => {
    const a = await startProcess(redis.url);
    await redis.kill();
    const failure = new Error('the loader’s own');
    let calls = 0;
    const load = async (): Promise<never> => {
      calls++;
      throw failure;
    };
    await expect(a.cache.get('k', load)).rejects.toBe(failure);
    expect(calls).toBe(1);
  });

  it('has no error reach a caller, whatever is called', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    await redis.kill();
    await a.cache.set('k', 1, { tags: ['t'] });
    expect(await a.cache.get('k')).toBe(1);
    expect(await a.cache.expire('k')).toBe(true);
    expect(await a.cache.delete('none')).toBe(false);
    await a.cache.setMany([
      ['m', 1],
      ['n', 2],
    ]);
    expect(await a.cache.getMany(['m', 'n', 'o'], async (keys) => keys.map(String))).toEqual(
      new Map<string, unknown>([
        ['m', 1],
        ['n', 2],
        ['o', 'o'],
      ]),
    );
    await a.cache.invalidateTags('t');
    await a.cache.clear();
    expect(await a.cache.get('k')).toBeUndefined();
    const report = await a.cache.warmup([['w', () => 'warm']]);
    expect(report).toMatchObject({ loaded: 1, failures: [] });
    expect(a.errors.length).toBeGreaterThan(0);
    expect(a.cache.getMetrics().tierErrors).toBeGreaterThan(0);
  });
});

describe('a Redis that is frozen', () => {
  redisForEach((server) => (redis = server));

  it('before the start, costs little, and is used once it goes on', async () => {
    await redis.freeze();
    const begun = performance.now();
    const a = await startProcess(redis.url, { commandTimeout: 100 });
    expect(performance.now() - begun).toBeLessThan(SOON);
    expect(await timed(() => a.cache.get('k', () => 'v'))).toBeLessThan(SOON);
    await until('the breaker to open', async () => {
      await a.cache.get(Math.random(), () => 'v');
      return a.tier.getMetrics().down;
    });
    const many = Array.from({ length: 200 }, (_, at) => at);
    const took = await timed(async () => {
      for (const at of many) await a.cache.get(at, () => at);
    });
    expect(took).toBeLessThan(SOON);
    redis.thaw();
    await untilCoherent(a);
    await a.cache.set('k', 'shared');
    const b = await startProcess(redis.url);
    expect(await b.cache.get('k')).toBe('shared');
  });

  it('costs each get little, and nothing once that is known', async () => {
    const a = await startProcess(redis.url, { commandTimeout: 100 });
    await untilCoherent(a);
    await redis.freeze();
    const keys = Array.from({ length: 10 }, (_, at) => `first ${at}`);
    for (const key of keys) {
      expect(await timed(() => a.cache.get(key, () => 'v'))).toBeLessThan(SOON);
    }
    expect(a.tier.getMetrics()).toMatchObject({ down: true, outages: 1 });
    const took = await timed(async () => {
      for (let at = 0; at < 500; at++) await a.cache.get(at, () => at);
    });
    expect(took).toBeLessThan(SOON);
    expect(a.states).toContain('down');
    redis.thaw();
    await until('the breaker to close', () => !a.tier.getMetrics().down);
    await untilCoherent(a);
    expect(a.states).toContain('up');
  });

  it('leaves a value in memory for as long as staleness, and no longer', async () => {
    const staleness = 1500;
    const [a, b] = await startCoherent(redis.url, { staleness });
    await b.cache.set('k', 'v');
    await untilUsed(a, 'k', 'v');
    await redis.freeze();
    const frozen = performance.now();
    let last = 0;
    await until('memory not to be trusted', () => {
      // Before it is asked: however busy the machine, it was not served later.
      const asked = performance.now();
      if (!a.cache.has('k')) return true;
      last = asked;
      return false;
    });
    expect(last).toBeGreaterThan(0);
    expect(last - frozen).toBeLessThanOrEqual(staleness);
    expect(a.tier.getMetrics().coherent).toBe(false);
  });

  it('has a loader called once per staleness, not once per get', async () => {
    const staleness = 400;
    const a = await startProcess(redis.url, { staleness, commandTimeout: 100 });
    await untilCoherent(a);
    await redis.freeze();
    const load = counting('v');
    const begun = performance.now();
    let gets = 0;
    while (performance.now() - begun < 3 * staleness) {
      expect(await a.cache.get('k', load)).toBe('v');
      gets++;
      if (gets % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(gets).toBeGreaterThan(100);
    expect(load.calls).toBeGreaterThan(1);
    expect(load.calls).toBeLessThanOrEqual(5);
  });

  it('and goes on, has changed nothing behind anybody’s back', async () => {
    const [a, b] = await startCoherent(redis.url, { commandTimeout: 100, staleness: 500 });
    await b.cache.set('k', 'old');
    await untilUsed(a, 'k', 'old');
    await redis.freeze();
    await a.cache.set('k', 'set while it stood');
    expect(await a.cache.get('k')).toBe('set while it stood');
    redis.thaw();
    await untilCoherent(a, b);
    await untilMadeGood(a);
    await a.cache.flush();
    await until('the old value to be gone', async () => (await b.cache.get('k')) !== 'old');
    await b.cache.set('k', 'new');
    await untilUsed(a, 'k', 'new');
  });
});

describe('the breaker', () => {
  let proxy: TcpProxy;
  redisForEach((server) => (redis = server));
  proxyForEach(
    () => redis,
    (started) => (proxy = started),
  );

  it('sends nothing of callers once it is open, and closes by itself', async () => {
    const a = await startProcess(proxy.url, {
      commandTimeout: 100,
      breaker: { failures: 3, openFor: 300 },
    });
    await untilCoherent(a);
    await a.cache.set('shared', 'v');
    const heard = (key: string): boolean => proxy.connections.some((line) => line.heard(key));
    await a.cache.get('before', () => 1);
    expect(heard('before')).toBe(true);
    proxy.hold('toClient');
    await until('the breaker to open', async () => {
      await a.cache.get(`opening ${Math.random()}`, () => 1);
      return a.tier.getMetrics().down;
    });
    expect(heard('opening')).toBe(true);
    const took = await timed(async () => {
      for (let at = 0; at < 100; at++) await a.cache.get(`after ${at}`, () => 1);
      await a.cache.delete('after delete');
    });
    expect(took).toBeLessThan(SOON);
    expect(a.tier.getMetrics().down).toBe(true);
    expect(heard('after')).toBe(false);
    await proxy.resume();
    await until('it to close', () => !a.tier.getMetrics().down);
    await untilCoherent(a);
    expect(await a.cache.get('shared')).toBe('v');
    expect(a.states.filter((state) => state === 'down' || state === 'up')).toEqual(['down', 'up']);
  });

  it('stays closed for what a live server refuses', async () => {
    const a = await startProcess(redis.url, { breaker: { failures: 1 } });
    await untilCoherent(a);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    for (let at = 0; at < 5; at++) await a.cache.get(at, () => at);
    expect(a.tier.getMetrics()).toMatchObject({ down: false, outages: 0 });
  });
});
