import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, type RedisServer, type TcpProxy } from '../../../tools/redis/index.js';
import { SCRIPTS, type ScriptName } from '../src/scripts.js';
import { startFake, through, type Answer } from './fake-server.js';
import {
  dataLine,
  failOnUnhandledRejections,
  proxyForEach,
  SOON,
  timed,
  untilUsed,
} from './illness.js';
import {
  redisForEach,
  startProcess,
  untilCoherent,
  untilMadeGood,
  type Process,
  type ProcessOptions,
} from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;
let proxy: TcpProxy;
redisForEach((server) => (redis = server));
proxyForEach(
  () => redis,
  (started) => (proxy = started),
);

/** One behind the proxy and one that reaches Redis directly; both hold `k: 'old'` in their memories. */
async function startBoth(options: ProcessOptions = {}): Promise<[a: Process, b: Process]> {
  const a = await startProcess(proxy.url, options);
  const b = await startProcess(redis.url, options);
  await untilCoherent(a, b);
  await b.cache.set('k', 'old', { ttl: '1h', tags: ['tag'], staleWhileRevalidate: '1h' });
  await untilUsed(a, 'k', 'old');
  return [a, b];
}

async function cutOff(a: Process): Promise<void> {
  proxy.refuse();
  proxy.cut();
  await until('the loss to be noticed', () => a.states.includes('disconnected'));
}

const circular = (): unknown => {
  throw new Error('not to be serialized');
};

const removals: [name: string, remove: (a: Process) => Promise<unknown>][] = [
  ['delete', ({ cache }) => cache.delete('k')],
  ['invalidateTags', ({ cache }) => cache.invalidateTags('tag')],
  ['clear', ({ cache }) => cache.clear()],
  ['a set that stores nothing', ({ cache }) => cache.set('k', 'unwanted', { ttl: 0 })],
];

describe.each(removals)('%s while Redis is away', (_name, remove) => {
  it.each(['tracking', 'pubsub'] as const)(
    'is made good before memory is trusted again, with %s',
    async (coherence) => {
      const [a, b] = await startBoth({ coherence });
      await cutOff(a);
      const from = a.states.length;
      await remove(a);
      expect(a.tier.getMetrics().unsent).toBeGreaterThan(0);
      expect(await a.cache.get('k')).toBeUndefined();
      await proxy.resume();
      // From the first moment on, and without waiting for anything.
      await until('memory to be trusted', async () => {
        expect(await a.cache.get('k')).toBeUndefined();
        return a.tier.getMetrics().coherent;
      });
      expect(a.tier.getMetrics().unsent).toBe(0);
      const states = a.states.slice(from);
      expect(states).toContain('made-good');
      expect(states.indexOf('made-good')).toBeLessThan(states.indexOf('coherent'));
      await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
      const c = await startProcess(redis.url, { coherence });
      expect(await c.cache.get('k')).toBeUndefined();
    },
  );
});

describe('other changes while Redis is away', () => {
  it('expire leaves nothing fresh behind', async () => {
    const [a, b] = await startBoth();
    await cutOff(a);
    await a.cache.expire('k');
    await proxy.resume();
    await untilMadeGood(a);
    await until('the other to see it', () => !b.cache.has('k'));
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k', () => 'new')).not.toBe('old');
  });

  it('set removes what it was to replace', async () => {
    const [a, b] = await startBoth();
    await cutOff(a);
    await a.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    await proxy.resume();
    await untilMadeGood(a);
    await until('the other to see it', async () => (await b.cache.get('k')) !== 'old');
    await untilCoherent(a);
    expect(await a.cache.get('k')).not.toBe('old');
  });

  it('setMany does so for each', async () => {
    const [a, b] = await startBoth();
    await b.cache.set('other', 'old');
    await cutOff(a);
    await a.cache.setMany([
      ['k', 'new'],
      ['other', 'new'],
    ]);
    await proxy.resume();
    await untilMadeGood(a);
    await until('the other to see it', async () => {
      const found = await b.cache.getMany(['k', 'other']);
      return ![...found.values()].includes('old');
    });
  });

  it('a set that a serializer breaks removes what it was to replace', async () => {
    const [a, b] = await startBoth();
    await a.cache.set('k', circular);
    expect(a.errors).toHaveLength(1);
    await untilMadeGood(a);
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
  });

  it('a set that Redis takes again makes the removal of its key needless', async () => {
    const [a, b] = await startBoth();
    await cutOff(a);
    await a.cache.delete('k');
    await proxy.resume();
    await until('a set to be taken', async () => {
      await a.cache.set('k', 'new');
      await a.cache.flush();
      return true;
    });
    await untilMadeGood(a);
    await untilCoherent(a, b);
    await until('the other to see it', async () => (await b.cache.get('k')) === 'new');
    expect(await a.cache.get('k')).toBe('new');
  });

  it('no value is ever among what is made good', async () => {
    const [a, b] = await startBoth();
    await cutOff(a);
    await a.cache.set('k', 'written while away');
    await b.cache.set('k', 'newer');
    await proxy.resume();
    await untilMadeGood(a);
    const c = await startProcess(redis.url);
    expect([undefined, 'newer']).toContain(await c.cache.get('k'));
    expect([undefined, 'newer']).toContain(await b.cache.get('k'));
  });

  it('what a refresh loaded and could not store does not leave the older value behind', async () => {
    const [a, b] = await startBoth();
    await cutOff(a);
    expect(await a.cache.get('k', { loader: () => 'new', refresh: true })).toBe('new');
    await proxy.resume();
    await untilMadeGood(a);
    await until('the other to see it', async () => (await b.cache.get('k')) !== 'old');
  });
});

describe('a great many removals while Redis is away', () => {
  const many = Array.from({ length: 9000 }, (_, at) => `key ${at}`);

  it('are made good all the same', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100 });
    await cutOff(a);
    await Promise.all(many.map((key) => a.cache.delete(key)));
    await a.cache.delete('k');
    expect(a.tier.getMetrics().unsent).toBe(9001);
    await proxy.resume();
    await untilMadeGood(a);
    await untilCoherent(a);
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
    expect(a.states).not.toContain('overflow');
  });

  it('hold no get up meanwhile', async () => {
    const [a] = await startBoth({ commandTimeout: 100 });
    await cutOff(a);
    await Promise.all(many.map((key) => a.cache.delete(key)));
    await until('the breaker to open', () => a.tier.getMetrics().down);
    const took = await timed(async () => {
      for (let at = 0; at < 5; at++) await a.cache.get(`get ${at}`, () => at);
    });
    expect(took).toBeLessThan(500);
  });

  it('become a clear above 10,000', async () => {
    const [a, b] = await startBoth();
    await b.cache.set('innocent', 'old');
    await cutOff(a);
    await Promise.all(many.map((key) => a.cache.delete(key)));
    const tags = Array.from({ length: 1000 }, (_, at) => `tag ${at}`);
    await Promise.all(tags.map((tag) => a.cache.invalidateTags(tag)));
    expect(a.tier.getMetrics().unsent).toBe(10_000);
    await a.cache.delete('one more');
    expect(a.tier.getMetrics().unsent).toBe(1);
    expect(a.states.filter((state) => state === 'overflow')).toHaveLength(1);
    // More of them are among what is cleared.
    await a.cache.delete('k');
    await a.cache.invalidateTags('tag');
    expect(a.tier.getMetrics().unsent).toBe(1);
    await proxy.resume();
    await untilMadeGood(a);
    await until('the other to see it', async () => {
      const found = await b.cache.getMany(['k', 'innocent']);
      return found.size === 0;
    });
  });
});

describe('flush', () => {
  it('rejects while Redis is away, and resolves once all is made good', async () => {
    const [a] = await startBoth();
    await a.cache.flush();
    await cutOff(a);
    await expect(a.cache.flush()).rejects.toThrow(/Redis does not answer/);
    await a.cache.delete('k');
    await expect(a.cache.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_REDIS_UNAVAILABLE' });
    await proxy.resume();
    await until('flush to resolve', async () => {
      await a.cache.flush();
      return true;
    });
    expect(a.tier.getMetrics().unsent).toBe(0);
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k')).toBeUndefined();
  });

  it('rejects while Redis is frozen', async () => {
    const [a] = await startBoth({ commandTimeout: 100 });
    await redis.freeze();
    const removing = a.cache.delete('k');
    expect(await timed(() => expect(a.cache.flush()).rejects.toThrow())).toBeLessThan(SOON);
    await removing;
    redis.thaw();
    await until('flush to resolve', async () => {
      await a.cache.flush();
      return true;
    });
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k')).toBeUndefined();
  });
});

describe('what is held up on its way, and arrives later', () => {
  it.each(['tracking', 'pubsub'] as const)(
    'a set does not replace what another process has put since, with %s',
    async (coherence) => {
      const [a, b] = await startBoth({ coherence, commandTimeout: 100 });
      const line = await dataLine(proxy);
      line.hold('toServer');
      const setting = a.cache.set('k', 'held up');
      await setting;
      // With pub/sub, what comes before it is held up already.
      if (coherence === 'tracking') expect(line.heard('held up')).toBe(true);
      await b.cache.set('k', 'newer');
      line.resume();
      await until('the breaker to close', () => !a.tier.getMetrics().down);
      await untilMadeGood(a);
      await a.cache.flush();
      const c = await startProcess(redis.url, { coherence });
      expect(await c.cache.get('k')).not.toBe('held up');
      expect(await b.cache.get('k')).not.toBe('held up');
      await untilCoherent(a);
      expect(await a.cache.get('k')).not.toBe('held up');
    },
  );

  it('a set does not replace it where it is the first one, and its process is gone by then', async () => {
    const b = await startProcess(redis.url, { coherence: 'none' });
    await b.cache.set('other', 'makes the stamp');
    const breaker = { failures: 1, openFor: '1h' } as const;
    const a = await startProcess(proxy.url, { coherence: 'none', breaker });
    const line = proxy.connections[0]!;
    line.shape({ lag: 100 }, 'toClient');
    const setting = a.cache.set('k', 'held up');
    await until('the stamp to be asked for', () => line.heard('t:{users}'));
    // The answer is on its way.
    line.hold('toServer');
    await setting;
    expect(line.heard('held up')).toBe(true);
    await b.cache.set('k', 'newer');
    await a.cache.close();
    line.resume();
    await line.closed;
    const c = await startProcess(redis.url, { coherence: 'none' });
    expect(await c.cache.get('k')).toBe('newer');
  });

  it('a load is not stored over what another process has put since', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100 });
    await b.cache.delete('k');
    await until('memory to forget it', () => !a.cache.has('k'));
    const line = await dataLine(proxy);
    const loaded = await a.cache.get('k', () => {
      line.hold('toServer');
      return 'held up';
    });
    expect(loaded).toBe('held up');
    await b.cache.set('k', 'newer');
    line.resume();
    await until('the breaker to close', () => !a.tier.getMetrics().down);
    await a.cache.flush();
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k')).toBe('newer');
    await untilUsed(a, 'k', 'newer');
  });

  it('a load is not stored after a removal in another process', async () => {
    const [a, b] = await startBoth({ commandTimeout: 100 });
    await b.cache.delete('k');
    await until('memory to forget it', () => !a.cache.has('k'));
    const line = await dataLine(proxy);
    await a.cache.get('k', {
      tags: ['tag'],
      loader: () => {
        line.hold('toServer');
        return 'held up';
      },
    });
    await b.cache.invalidateTags('tag');
    line.resume();
    await until('the breaker to close', () => !a.tier.getMetrics().down);
    await a.cache.flush();
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k')).toBeUndefined();
    await untilCoherent(a);
    await until('memory to forget it', async () => (await a.cache.get('k')) === undefined);
  });
});

describe('a refresh that is stored though its tag was invalidated meanwhile', () => {
  const lockTtl = 300;
  /** Whether a command runs a script, which a client says in full or by its hash. */
  function runs([, text]: readonly string[], script: ScriptName): boolean {
    const lua = new Map(SCRIPTS).get(script)!;
    return text === lua || text === createHash('sha1').update(lua).digest('hex');
  }
  const hangUp: Answer = (_command, socket) => void socket.destroy();

  it.each(['tracking', 'pubsub'] as const)(
    'is removed once the link is back that died before that could be sent, with %s',
    async (coherence) => {
      const b = await startProcess(redis.url, { coherence });
      const real = through(redis.port);
      let invalidating: Promise<unknown> | undefined;
      await using fake = await startFake((command, socket) => {
        if (runs(command, 'commit')) invalidating = b.cache.invalidateTags('tag');
        if (invalidating !== undefined && runs(command, 'release')) fake.answer = hangUp;
        if (fake.answer === hangUp) return hangUp(command, socket);
        // What follows waits as well, so that the answers keep their order.
        void Promise.resolve(invalidating).then(() => real(command, socket));
        return undefined;
      });
      const a = await startProcess(fake.url, { coherence, lockTtl });
      await untilCoherent(a, b);
      await a.cache.set('k', 'old', { tags: ['tag'] });
      expect(await a.cache.get('k', { refresh: true, loader: () => 'invalid' })).toBe('invalid');
      expect(fake.answer).toBe(hangUp);
      // So it has been stored.
      expect(await b.cache.get('k')).toBe('invalid');
      // Any claim would have run out by itself.
      await sleep(lockTtl);
      fake.answer = real;
      await untilCoherent(a);
      const c = await startProcess(redis.url, { coherence });
      expect(await c.cache.get('k')).toBeUndefined();
      await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
      expect(await a.cache.get('k')).toBeUndefined();
    },
  );
});
