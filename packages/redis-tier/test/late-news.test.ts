import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import {
  startProxy,
  startRedis,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import { nextTurn } from '../../../tools/testing/deferred.js';
import { untilHeard } from './heard.js';
import { movedClock } from './moved-clock.js';
import { Gate, until, within, World } from './world.js';

let redis: RedisServer;
let proxy: TcpProxy;
const world = new World(() => redis.url);
const far = new World(() => proxy.url);
beforeAll(async () => {
  redis = await startRedis();
  proxy = await startProxy(redis);
});
/** Clients of Redis that are no cache; they end with the test. */
const strangers = (count: number): Redis[] => {
  const clients = Array.from({ length: count }, () => new Redis(redis.url));
  others.push(...clients);
  return clients;
};
const others: Redis[] = [];
afterEach(async () => {
  for (const client of others.splice(0)) client.disconnect();
  proxy.shape({});
  await proxy.resume();
  await Promise.all([world.close(), far.close()]);
});
afterAll(async () => {
  await proxy.stop();
  await redis.stop();
});

const links = () => proxy.connections.filter((connection) => connection.heard('subscribe'));
/** Lets what others do be heard of later, as a busy process or network does. */
const lagNews = (lag: number) => links().forEach((link) => link.shape({ lag }, 'toClient'));
/** The link dies and does not come back; commands go on. */
const silence = () => {
  proxy.refuse();
  for (const link of links()) link.hold();
};
/** Waits until somebody wants to connect to a port that nobody listens on, and hangs up. */
async function untilTriedInVain(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}
const fail = () => Promise.reject(new Error('the source is down'));

describe.each(['none', 'silent'] as const)(
  'stale windows where memory is not vouched for: %s',
  (why) => {
    /** Milliseconds that memory may serve what came through the tier. */
    const staleness = 100;
    const clock = movedClock();
    const open = async () => {
      const coherence = why === 'none' ? 'none' : 'tracking';
      const cache = await far.process<string, string>(
        { name: world.name(), ttl: '1m', staleIfError: '1m', clock },
        { coherence, staleness },
      );
      const swr = await far.process<string, string>(
        { name: world.name(), ttl: '1m', staleWhileRevalidate: '1m', clock },
        { coherence, staleness },
      );
      for (const each of [cache, swr]) {
        await each.set('k', 'first');
        await each.expire('k');
      }
      if (why === 'silent') {
        silence();
        await until('silence', () => [cache, swr].every(({ tier }) => !tier.getMetrics().coherent));
      }
      return { cache, swr };
    };

    it('a stale value is served when the loader fails', async () => {
      const { cache } = await open();
      expect(await cache.getWithMeta('k', fail)).toMatchObject({
        value: 'first',
        status: 'error-stale',
      });
    });

    it('a stale value is served when the loader is too slow', async () => {
      const { cache } = await open();
      const slow = new Gate();
      const hard = { loader: slow.load, timeout: 500 };
      expect(await cache.getWithMeta('k', hard)).toMatchObject({ status: 'error-stale' });
    });

    it('a refresh that fails backs off', async () => {
      const { swr } = await open();
      let loads = 0;
      for (let i = 0; i < 10; i++) {
        expect(await swr.get('k', () => ((loads += 1), fail()))).toBe('first');
        // What is asked later is answered later: a refresh that began has failed by then.
        await swr.get(`another key ${i}`);
      }
      expect(loads).toBe(1);
    });

    it('a stale value is served at once for as long as its refresh runs', async () => {
      const { swr } = await open();
      const slow = new Gate();
      expect(await swr.get('k', slow.load)).toBe('first');
      clock.ahead += 1.5 * staleness;
      const second = within(swr.get('k', slow.load), 250);
      expect(await second).toBe('first');
      slow.resolve('second');
    });
  },
);

describe.each(['clear', 'invalidateTags'] as const)('after its own %s', (how) => {
  it.each(['none', 'lagging news'] as const)(
    'a process waits for no older load: %s',
    async (why) => {
      const name = world.name();
      const coherence = why === 'none' ? 'none' : 'tracking';
      const a = await far.process<string, string>({ name }, { coherence });
      const c = await world.process<string, string>({ name }, { coherence });
      const old = new Gate();
      const waiting = a.get('k', { loader: old.load, tags: ['t'] });
      await old.started;
      lagNews(500);
      if (how === 'clear') await c.clear();
      else await c.invalidateTags('t');
      const after = within(
        c.get('k', () => 'new'),
        300,
      );
      expect(await after).toBe('new');
      old.resolve('old');
      await waiting;
    },
  );
});

describe('errorTtl, with tracking', () => {
  it.each(['delete', 'expire'] as const)(
    'a remembered failure gives way to %s elsewhere',
    async (how) => {
      const [a, b] = await world.two<string, string>({ errorTtl: '1m' });
      await expect(a.get('k', fail)).rejects.toThrow('the source is down');
      await (how === 'delete' ? b.delete('k') : b.expire('k'));
      await untilHeard(a, b);
      expect(await a.get('k', () => 'v')).toBe('v');
    },
  );
});

describe.each(['tracking', 'pubsub'] as const)(
  'refresh: true of two processes, %s',
  (coherence) => {
    it('the later one is stored, though the news of the earlier one come late', async () => {
      const name = world.name();
      const a = await far.process<string, string>({ name }, { coherence });
      const b = await world.process<string, string>({ name }, { coherence });
      const [earlier, later] = [new Gate(), new Gate()];
      lagNews(100);
      const first = b.get('k', { loader: earlier.load, refresh: true });
      await earlier.started;
      const second = a.get('k', { loader: later.load, refresh: true });
      await later.started;
      await untilHeard(a, b);
      earlier.resolve('earlier');
      later.resolve('later');
      expect(await Promise.all([first, second])).toEqual(['earlier', 'later']);
      const fresh = await world.process<string, string>({ name }, { coherence });
      expect(await fresh.get('k')).toBe('later');
    });
  },
);

it('a stamp lives as long as what carries it', async () => {
  const cache = await world.process<string, string>({ name: world.name() });
  await cache.set('k', 'set', { ttl: '365d', tags: ['set'] });
  await cache.get('l', { loader: () => 'loaded', ttl: '365d', tags: ['loaded'] });
  const livesLong = async (tag: string): Promise<boolean> => {
    const [stamp] = await redis.command<[string]>('KEYS', `acache:t:*:${tag}`);
    return Number(await redis.command('PTTL', stamp)) > 365 * 86_400_000;
  };
  await until('both', async () => (await livesLong('set')) && (await livesLong('loaded')));
});

it('memory forgets what a stranger has put and removed while it was read', async () => {
  const [a, b] = await world.two<string, string>();
  const [setter, remover, pauser] = strangers(3);
  await b.set('k', 'foreign');
  const [place] = await redis.command<[string]>('KEYS', 'acache:v:*k}');
  const bytes = (await setter!.getBuffer(place)) as Buffer;
  await Promise.all([remover!.ping(), pauser!.ping(), a.get('warm')]);
  // Two writes, which Redis names once: one echo stays expected.
  await Promise.all([a.set('k', 'own'), a.delete('k')]);
  await untilHeard(a, b);
  // So that Redis runs what comes next in one go.
  await pauser!.call('CLIENT', 'PAUSE', '150', 'ALL');
  const set = setter!.set(place, bytes);
  const got = a.get('k');
  // It is sent by then; what is sent first arrives first.
  await nextTurn();
  await Promise.all([got, set, remover!.del(place)]);
  await until('memory to forget it', () => a.peek('k') === undefined);
  expect(await a.get('k')).toBeUndefined();
});

it('what could not be removed is removed before close ends, where Redis comes back in time', async () => {
  const name = world.name();
  const a = await far.process<string, string>({ name });
  const b = await world.process<string, string>({ name });
  await b.set('k', 'old');
  expect(await a.get('k')).toBe('old');
  proxy.refuse();
  proxy.cut();
  await until('the cut', () => !a.tier.getMetrics().coherent);
  await a.delete('k');
  expect(a.tier.getMetrics().unsent).toBe(1);
  const closed = a.close();
  await untilTriedInVain(proxy.port);
  await proxy.resume();
  await closed;
  const fresh = await world.process<string, string>({ name });
  expect(await fresh.get('k')).toBeUndefined();
});

it('what another process has refreshed ahead is not loaded again, though it was not heard of yet', async () => {
  const clock = movedClock();
  const options = { name: world.name(), ttl: '10m', refreshAhead: 0.5, clock } as const;
  const late = await far.process<string, string>(options);
  const other = await world.process<string, string>(options);
  await other.set('k', 'first');
  expect(await late.get('k')).toBe('first');
  lagNews(400);
  clock.ahead = 6 * 60_000;
  expect(await other.get('k', () => 'second')).toBe('first');
  await until('the refresh', () => other.peek('k') === 'second');
  let loads = 0;
  expect(await late.get('k', () => `third ${++loads}`)).toBe('first');
  await until('it to know better', () => late.peek('k') === 'second');
  expect(loads).toBe(0);
});
