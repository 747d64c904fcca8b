import { until, type RedisServer, type TcpProxy } from '../../../tools/redis/index.js';
import { dataLine, failOnUnhandledRejections, listenerLine, proxyForEach } from './illness.js';
import { redisForAll } from './processes.js';
import { coherentModes, World, type Process } from './world.js';

failOnUnhandledRejections();

let redis: RedisServer;
let proxy: TcpProxy;
redisForAll((server) => (redis = server));
proxyForEach(
  () => redis,
  (started) => (proxy = started),
);
const world = new World(() => redis.url);
const behindProxy = new World(() => proxy.url);

const changes: [
  what: string,
  knownTags: string[],
  change: (cache: Process<string, string>) => Promise<unknown>,
][] = [
  ['clear', [], (cache) => cache.clear()],
  ['clear, of what has tags', ['t'], (cache) => cache.clear()],
  ['invalidateTags, of tags that the caller names', ['t'], (cache) => cache.invalidateTags('t')],
  ['invalidateTags, of tags that only the entry names', [], (cache) => cache.invalidateTags('t')],
  ['delete', [], (cache) => cache.delete('k')],
];

describe.each(coherentModes)('the first read of all, crossed by a change, with %s', (coherence) => {
  // Its stamps come with the value: that they have changed is heard before they are known.
  it.each(changes)('gives who comes after it nothing older: %s', async (_, tags, change) => {
    const name = world.name();
    const writer = await world.process<string, string>({ name }, { coherence });
    const tierOptions = { coherence, commandTimeout: 5000 };
    const reader = await behindProxy.process<string, string>({ name }, tierOptions);
    const [data, news] = [await dataLine(proxy), await listenerLine(proxy)];
    /** Makes a change, and waits until the reader has heard of it. */
    const heard = async (made: () => Promise<unknown>): Promise<void> => {
      const before = news.answered;
      await made();
      await until('the news', () => news.answered > before);
      await redis.command('PING');
    };
    await heard(() => writer.set('k', 'old', { tags: ['t'] }));

    data.hold('toClient');
    const early = reader.get('k', { tags });
    const asked = [`v:{${name}:s1:k}`, `t:{${name}}`, ...tags.map((tag) => `t:{${name}}:${tag}`)];
    await until('the questions', () => asked.every((key) => data.heard(key)));
    await redis.command('PING');
    await heard(() => change(writer));
    const late = reader.get('k', { tags });
    data.resume();

    expect([await late, await reader.get('k'), reader.peek('k')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(['old', undefined]).toContain(await early);
  });
});
