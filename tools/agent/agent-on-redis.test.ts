// Here, since a package knows no sibling but core: what two of them do together.
import { createAgentCache } from '@acache/agent';
import { AsyncCache } from '@acache/core';
import { redisTier } from '@acache/redis-tier';
import { startRedis, until, type RedisServer } from '../redis/index.js';
import { deferred, nextTurn } from '../testing/deferred.js';

let redis: RedisServer;
const started: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(() => redis.command('FLUSHALL'));
afterEach(async () => {
  await Promise.all(started.splice(0).map((cache) => cache.close()));
});
afterAll(() => redis.stop());

/** What a process of an agent's service is: a runtime on a cache and a connection of its own. */
async function startProcess(stock: Map<string, number>) {
  const tier = redisTier(redis.url, { commandTimeout: 1000 });
  const cache = new AsyncCache({ name: 'agents', tier });
  started.push(cache);
  await cache.ready;
  await until('the tier is coherent', () => tier.getMetrics().coherent);
  const runtime = createAgentCache({ cache });
  let loads = 0;
  const check = async (id: string): Promise<number> => {
    loads++;
    return stock.get(id) ?? 0;
  };
  return {
    runtime,
    session: runtime.session({ id: 'conversation 7', loopDetection: false }),
    loads: () => loads,
    check: runtime.read({ name: 'check', resource: 'stock:{0}' }, check),
    checkAll: runtime.read({ name: 'checkAll', resource: 'stock', scope: 'global' }, check),
    update: runtime.mutate(
      { name: 'update', resource: 'stock:{0}' },
      async (id: string, to: number) => void stock.set(id, to),
    ),
  };
}

async function startTwo() {
  const stock = new Map<string, number>();
  return { stock, one: await startProcess(stock), other: await startProcess(stock) };
}

describe('one session in two processes on one Redis', () => {
  it('shares its answers, and a change in one is seen in the other', async () => {
    const { one, other } = await startTwo();
    expect(await one.session.run(() => one.check('a'))).toBe(0);
    expect(await one.session.run(() => one.checkAll('a'))).toBe(0);
    expect(await other.session.run(() => other.check('a'))).toBe(0);
    expect([one.loads(), other.loads()]).toEqual([2, 0]);

    await other.session.run(() => other.update('a', 9));
    await until(
      'the change is seen',
      async () => (await one.session.run(() => one.check('a'))) === 9,
    );
    await until('the change is seen by everybody', async () => (await one.checkAll('a')) === 9);
    expect([one.loads(), other.loads()]).toEqual([4, 0]);
  });

  it('does not store in one what the other has changed meanwhile', async () => {
    const { one, other, stock } = await startTwo();
    const slow = deferred<undefined>();
    const read = jest.fn(async (id: string) => {
      const now = stock.get(id) ?? 0;
      await slow.promise;
      return now;
    });
    const check = one.runtime.read({ name: 'slow', resource: 'stock:{0}' }, read);
    const early = one.session.run(() => check('a'));
    await until('it reads', () => read.mock.calls.length === 1);
    await other.session.run(() => other.update('a', 9));
    slow.resolve(undefined);
    expect(await early).toBe(0);
    expect(await one.session.run(() => check('a'))).toBe(9);
    expect(await other.session.run(() => other.check('a'))).toBe(9);
  });

  it('is gone from both once it has ended, and others are not concerned', async () => {
    const { one, other } = await startTwo();
    const stranger = other.runtime.session({ id: 'conversation 8' });
    await one.session.run(() => one.check('a'));
    await stranger.run(() => other.check('a'));
    await other.session.run(() => other.check('a'));
    expect([one.loads(), other.loads()]).toEqual([1, 1]);
    await other.session.end();
    await until('the answer is gone', async () => {
      await one.session.run(() => one.check('a'));
      return one.loads() === 2;
    });
    await stranger.run(() => other.check('a'));
    expect(other.loads()).toBe(1);
  });

  it('runs a tool once for both at the same time', async () => {
    const { one, other } = await startTwo();
    await Promise.all([
      one.session.run(() => one.check('a')),
      other.session.run(() => other.check('a')),
    ]);
    expect(one.loads() + other.loads()).toBe(1);
  });
});

it('a Redis that is killed fails no tool, and hides no change', async () => {
  const { one } = await startTwo();
  await one.session.run(async () => {
    await one.check('a');
    await redis.kill();
    await nextTurn();
    expect(await one.check('b')).toBe(0);
    await one.update('a', 9);
    expect(await one.check('a')).toBe(9);
    await redis.restart();
    expect(await one.check('a')).toBe(9);
  });
  await one.session.end();
}, 30_000);
