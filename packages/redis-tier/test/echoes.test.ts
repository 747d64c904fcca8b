import type { EntryOptions } from '@acache/core';
import {
  until,
  type ProxyConnection,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { dataLine, failOnUnhandledRejections, listenerLine, proxyForEach } from './illness.js';
import { Gate, mustNotLoad, World, type Process } from './world.js';
import { connectionsTo, redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
let proxy: TcpProxy;
const world = new World(() => redis.url);
const far = new World(() => proxy.url);
redisForAll((server) => (redis = server));
proxyForEach(
  () => redis,
  (started) => (proxy = started),
);

/** How many scripts have run. */
async function scriptsRun(): Promise<number> {
  const { cmdstat_eval = '', cmdstat_evalsha = '' } = await redis.info('commandstats');
  const calls = [cmdstat_eval, cmdstat_evalsha].map((stats) => /calls=(\d+)/.exec(stats)?.[1] ?? 0);
  return Number(calls[0]) + Number(calls[1]);
}

/** How many commands wait until Redis goes on. */
async function paused(): Promise<number> {
  return (await connectionsTo(redis)).filter(({ flags }) => flags?.includes('b')).length;
}

/** Two processes that hold an older value. */
async function start(
  windows: Pick<EntryOptions, 'staleIfError' | 'staleWhileRevalidate'> = {},
): Promise<[a: Process, b: Process]> {
  const options = { name: world.name(), ttl: '1h', ...windows } as const;
  const [a, b] = [await far.process(options), await world.process(options)];
  await b.set('k', 'older');
  expect(await a.get('k')).toBe('older');
  await untilHeard(a, b);
  return [a, b];
}

describe('a process that hears late of a set elsewhere', () => {
  let late: Process;
  let other: Process;
  let news: ProxyConnection;
  beforeEach(async () => {
    [late, other] = await start({ staleIfError: '1h' });
    news = await listenerLine(proxy);
    news.hold('toClient');
  });

  it('does not take it for its own when it has given up a refresh', async () => {
    await other.set('k', 'newer');
    const answers = await dataLine(proxy);
    answers.shape({ lag: 150 }, 'toClient');
    const before = await scriptsRun();
    const caller = new AbortController();
    const options = { loader: mustNotLoad, refresh: true, signal: caller.signal };
    const refreshing = late.get('k', options);
    await until('it to take the right to load', async () => (await scriptsRun()) > before);
    // The answer to that is still on its way.
    caller.abort(new Error('enough'));
    await expect(refreshing).rejects.toThrow('enough');
    // What is asked later is answered later.
    await late.get('another key');
    answers.shape({}, 'toClient');
    news.resume();
    await untilHeard(late, other);
    expect(await late.get('k', mustNotLoad)).toBe('newer');
  });

  it('does not go on with what is older when its refresh began after it', async () => {
    await other.set('k', 'newer');
    const load = new Gate();
    const refreshing = late.get('k', { loader: load.load, refresh: true });
    await load.started;
    news.resume();
    load.reject(new Error('the source is down'));
    expect(await refreshing).toBe('newer');
    await untilHeard(late, other);
    expect(await late.get('k', mustNotLoad)).toBe('newer');
  });

  it('keeps what it has set itself since', async () => {
    await other.set('k', 'newer');
    await late.set('k', 'newest');
    news.resume();
    await untilHeard(late, other);
    for (const each of [late, other]) expect(await each.get('k', mustNotLoad)).toBe('newest');
  });

  it('keeps nothing of what it has set before', async () => {
    await late.set('k', 'its own');
    await other.set('k', 'newest');
    news.resume();
    await untilHeard(late, other);
    for (const each of [late, other]) expect(await each.get('k', mustNotLoad)).toBe('newest');
  });
});

describe('a set and an expire of two processes at once, of which Redis tells once', () => {
  it.each(['set', 'expire'])('leave nothing older behind: the %s first', async (first) => {
    const [a, b] = await start({ staleWhileRevalidate: '1h' });
    // What comes meanwhile is done in one go; who reads is answered.
    await redis.command('CLIENT', 'PAUSE', 10_000, 'WRITE');
    const changes = [() => b.set('k', 'newer'), () => a.expire('k')];
    if (first === 'expire') changes.reverse();
    const running: Promise<unknown>[] = [];
    for (const change of changes) {
      running.push(change());
      await until('it to arrive', async () => (await paused()) === running.length);
    }
    await redis.command('CLIENT', 'UNPAUSE');
    await Promise.all(running);
    await untilHeard(a, b);
    const status = first === 'set' ? 'stale' : 'hit';
    for (const each of [a, b]) {
      expect(await each.getWithMeta('k')).toMatchObject({ value: 'newer', status });
    }
  });
});
