import { performance } from 'node:perf_hooks';
import {
  until,
  type ProxyConnection,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import {
  dataLine,
  failOnUnhandledRejections,
  listenerLine,
  proxyForEach,
  SOON,
  sourceOf,
  timedLoads,
  untilSaid,
  untilUsed,
} from './illness.js';
import {
  connectionsTo,
  counting,
  redisForAll,
  startProcess,
  untilCoherent,
  type Process,
  type ProcessOptions,
} from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;
let proxy: TcpProxy;
redisForAll((server) => (redis = server));
proxyForEach(
  () => redis,
  (started) => (proxy = started),
);

const staleness = 500;

/** One behind the proxy that holds `k: 'old'` in its memory, and one that reaches Redis directly. */
async function startBoth(options: ProcessOptions = {}): Promise<[a: Process, b: Process]> {
  const a = await startProcess(proxy.url, { staleness, ...options });
  const b = await startProcess(redis.url, { coherence: options.coherence ?? 'auto' });
  await untilCoherent(a, b);
  await b.cache.set('k', 'old');
  await untilUsed(a, 'k', 'old');
  expect(await sourceOf(a, 'k')).toBe('memory');
  return [a, b];
}

/**
 * Lets the other process change `k`, and tells until when the old value was served, in milliseconds
 * from now. Looks at the time before it asks: however busy the machine, it was not served later.
 */
async function servedOldFor({ cache }: Process, b: Process): Promise<number> {
  const begun = performance.now();
  let last = begun;
  await b.cache.set('k', 'new');
  await until('the change to be seen', async () => {
    const asked = performance.now();
    const value = await cache.get('k');
    if (value === 'old') last = asked;
    else expect(value === 'new' || value === undefined).toBe(true);
    return value === 'new';
  });
  return last - begun;
}

describe.each(['tracking', 'pubsub'] as const)(
  'with %s, the link that hears of changes',
  (coherence) => {
    it('is dead without a word: the old value is served for at most staleness', async () => {
      const [a, b] = await startBoth({ coherence });
      const line = await listenerLine(proxy);
      line.swallow('toClient');
      expect(await servedOldFor(a, b)).toBeLessThan(staleness + SOON);
      expect(line.isOpen).toBe(true);
      // Another one takes its place.
      await until('a new link', () => proxy.accepted > 2);
      await untilCoherent(a);
      expect(await listenerLine(proxy)).not.toBe(line);
      expect(a.states).toContain('silent');
      await untilUsed(a, 'k', 'new');
      expect(await sourceOf(a, 'k')).toBe('memory');
    });

    it('says nothing that arrives: the same', async () => {
      const [a, b] = await startBoth({ coherence });
      const line = await listenerLine(proxy);
      line.swallow('toServer');
      // The server can still tell of the change.
      expect(await servedOldFor(a, b)).toBeLessThan(SOON);
      await until('the loss to be noticed', () => a.states.includes('silent'));
      await untilCoherent(a);
    });

    it('is held up and comes back: the old value is served for at most staleness', async () => {
      const [a, b] = await startBoth({ coherence });
      const line = await listenerLine(proxy);
      line.hold();
      expect(await servedOldFor(a, b)).toBeLessThan(staleness + SOON);
      line.resume();
      await untilCoherent(a);
      expect(await a.cache.get('k')).toBe('new');
    });

    it.each([{ reset: false }, { reset: true }])('is cut, %j: memory starts anew', async (how) => {
      const [a, b] = await startBoth({ coherence });
      const { resets } = a.tier.getMetrics();
      const again = untilSaid(a, 'coherent');
      (await listenerLine(proxy)).cut(how);
      expect(await servedOldFor(a, b)).toBeLessThan(staleness + SOON);
      await again;
      expect(a.tier.getMetrics().resets).toBeGreaterThan(resets);
      expect(a.states).toContain('silent');
      await untilUsed(a, 'k', 'new');
      await b.cache.set('k', 'newest');
      await untilUsed(a, 'k', 'newest');
    });

    it('is cut and cannot come back: everything is asked for, nothing old is served', async () => {
      const [a, b] = await startBoth({ coherence });
      proxy.refuse();
      (await listenerLine(proxy)).cut();
      await until('the loss to be noticed', () => !a.tier.getMetrics().coherent);
      await b.cache.set('k', 'new');
      expect(await sourceOf(a, 'k')).toBe('tier');
      expect(await a.cache.get('k')).toBe('new');
      await b.cache.set('k', 'newest');
      expect(await a.cache.get('k')).toBe('newest');
      await proxy.resume();
      await untilCoherent(a);
      await untilUsed(a, 'k', 'newest');
    });
  },
);

describe('the link that commands are sent on', () => {
  it.each([{ reset: false }, { reset: true }])('is cut, %j: memory starts anew', async (how) => {
    const [a, b] = await startBoth({ staleness: '30s' });
    const { resets } = a.tier.getMetrics();
    const said = untilSaid(a, 'connected');
    (await dataLine(proxy)).cut(how);
    expect(await servedOldFor(a, b)).toBeLessThan(SOON);
    await said;
    await untilCoherent(a);
    expect(a.tier.getMetrics().resets).toBeGreaterThan(resets);
    expect(a.states).toContain('disconnected');
    await untilUsed(a, 'k', 'new');
  });

  it('is cut and cannot come back: loads go on, and changes are heard of', async () => {
    const [a, b] = await startBoth();
    proxy.refuse();
    (await dataLine(proxy)).cut();
    await until('the loss to be noticed', () => a.states.includes('disconnected'));
    const load = counting('own');
    expect(await a.cache.get('other', load)).toBe('own');
    await b.cache.set('k', 'new');
    await until('the old value to be gone', async () => (await a.cache.get('k')) !== 'old');
    await b.cache.set('other', 'theirs');
    await until('what was loaded alone to be gone', () => !a.cache.has('other'));
    await proxy.resume();
    await untilUsed(a, 'other', 'theirs');
    await untilUsed(a, 'k', 'new');
  });

  it('is dead without a word: loads go on, and another link takes its place', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100, breaker: { openFor: 200 } });
    const line = await dataLine(proxy);
    const { accepted } = proxy;
    line.swallow();
    expect(await timedLoads(a, 50)).toBeLessThan(SOON);
    await b.cache.set('k', 'new');
    await until('the old value to be gone', async () => (await a.cache.get('k')) !== 'old');
    await until('another link to be tried', () => proxy.accepted > accepted, 6000);
    await untilUsed(a, 'k', 'new');
    expect(a.tier.getMetrics().down).toBe(false);
  });

  it('is held up for a while: loads go on, nothing old is served', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100, breaker: { openFor: 200 } });
    const line = await dataLine(proxy);
    line.hold();
    await timedLoads(a, 10);
    await b.cache.set('k', 'new');
    await until('the old value to be gone', async () => (await a.cache.get('k')) !== 'old');
    await until('the breaker to open', async () => {
      await a.cache.get(Math.random(), () => 1);
      return a.tier.getMetrics().down;
    });
    line.resume();
    await until('the breaker to close', () => !a.tier.getMetrics().down);
    await untilUsed(a, 'k', 'new');
  });

  it('brings a late answer after its caller has gone: nothing is mixed up', async () => {
    const [a] = await startBoth({ commandTimeout: 100, breaker: { failures: 1000 } });
    for (let at = 0; at < 20; at++) await a.cache.set(at, `value of ${at}`);
    await a.cache.flush();
    const b = await startProcess(proxy.url, { commandTimeout: 100, breaker: { failures: 1000 } });
    await untilCoherent(b);
    const newest = await dataLine(proxy);
    newest.hold('toClient');
    const reads = Array.from({ length: 20 }, (_, at) => b.cache.get(at));
    for (const value of await Promise.all(reads)) expect(value).toBeUndefined();
    newest.resume();
    for (let at = 0; at < 20; at++) {
      await until('the right value', async () => {
        const value = await b.cache.get(at);
        expect([undefined, `value of ${at}`]).toContain(value);
        return value !== undefined;
      });
    }
  });
});

describe('a slow network', () => {
  it('within the limits is as good as a fast one', async () => {
    proxy.shape({ lag: 25, chunk: 7 });
    const [a, b] = await startBoth({ staleness: 2000, commandTimeout: 2000 });
    expect(await servedOldFor(a, b)).toBeLessThan(SOON);
    await untilUsed(a, 'k', 'new');
    expect(a.tier.getMetrics()).toMatchObject({ coherent: true, down: false, outages: 0 });
    expect(a.errors).toEqual([]);
  });

  it('beyond the limits is as good as none: loads go on, nothing old is served', async () => {
    const [a, b] = await startBoth({ commandTimeout: 50 });
    proxy.shape({ lag: 400 });
    await b.cache.set('k', 'new');
    await until('the old value to be gone', async () => (await a.cache.get('k')) !== 'old');
    await timedLoads(a, 10);
    const seen = new Set<unknown>();
    for (let at = 0; at < 50; at++) seen.add(await a.cache.get('k'));
    expect(seen).not.toContain('old');
    proxy.shape({});
    await untilCoherent(a);
    await untilUsed(a, 'k', 'new');
  });
});

describe('a link that never gets further than its connection', () => {
  /** Lets the next connection be made, and loses every byte on it. */
  async function deaf(): Promise<ProxyConnection> {
    const before = new Set(proxy.connections);
    proxy.hold();
    const line = await until('the connection', () =>
      proxy.connections.find((connection) => !before.has(connection)),
    );
    await until('it to ask', () => line.heard('INFO'));
    return line;
  }

  it.each([
    ['commands are sent on', dataLine],
    ['hears of changes', listenerLine],
  ])('as the one that %s, is given up for another', async (_what, lineOf) => {
    const [a, b] = await startBoth();
    (await lineOf(proxy)).cut();
    const line = await deaf();
    const { accepted } = proxy;
    await proxy.resume();
    line.swallow();
    await until('another link to be tried', () => proxy.accepted > accepted, 6000);
    await untilCoherent(a);
    await b.cache.set('k', 'new');
    await untilUsed(a, 'k', 'new');
  });
});

describe('a server that is told to end or to hold connections', () => {
  it('CLIENT KILL: each is replaced, whichever it is, and nothing old is served', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    const b = await startProcess(redis.url);
    await untilCoherent(b);
    let version = 0;
    const mine = await connectionsTo(redis);
    expect(mine).toHaveLength(4);
    for (const { id } of mine) {
      await b.cache.set('k', ++version);
      await untilUsed(a, 'k', version);
      await redis.command('CLIENT', 'KILL', 'ID', id!);
      await b.cache.set('k', ++version);
      // Where it was the link of the writer, the value may not have arrived; the old one is gone then.
      await until('the old value to be gone', async () => (await a.cache.get('k')) !== version - 1);
      await until('all to stand again', async () => (await connectionsTo(redis)).length === 4);
      await untilCoherent(a, b);
    }
    await b.cache.set('k', 'end');
    await untilUsed(a, 'k', 'end');
  });

  it('CLIENT KILL of all, again and again: it comes back each time', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    for (let round = 0; round < 5; round++) {
      const lost = untilSaid(a, 'silent');
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await a.cache.get(`k${round}`, () => round)).toBe(round);
      await lost;
      await untilCoherent(a);
    }
    await a.cache.set('k', 'v');
    await until('it to be used', async () => (await sourceOf(a, 'k')) === 'memory');
  });

  it('CLIENT PAUSE: loads go on, and what waited is right afterwards', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100 });
    await redis.command('CLIENT', 'PAUSE', '700', 'ALL');
    expect(await timedLoads(a, 10)).toBeLessThan(SOON);
    await a.cache.delete('k');
    expect(await a.cache.get('k')).toBeUndefined();
    await until('the server to go on', async () => {
      await a.cache.flush();
      return true;
    });
    await until('the removal to be seen', async () => (await b.cache.get('k')) === undefined);
    await b.cache.set('k', 'new');
    await untilUsed(a, 'k', 'new');
  });

  it('CLIENT PAUSE of writes: reads go on', async () => {
    const [a] = await startBoth({ commandTimeout: 100, breaker: { failures: 1000 } });
    await redis.command('CLIENT', 'PAUSE', '500', 'WRITE');
    expect(await a.cache.get('k')).toBe('old');
    expect(await a.cache.get('none', () => 'v')).toBe('v');
    await until('the server to go on', async () => {
      await a.cache.flush();
      return true;
    });
    await until('what is loaded to be shared', async () => {
      await a.cache.get('shared', { loader: () => 's', refresh: true });
      return (await sourceOf(a, 'shared')) === 'memory';
    });
  });
});
