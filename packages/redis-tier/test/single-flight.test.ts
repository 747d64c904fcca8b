import { until, type RedisServer } from '../../../tools/redis/index.js';
import { redisAndWorkersForAll, startWorkers, type Worker } from './start-worker.js';
import type { Setup, Storm } from './worker.js';

const LOCK_TTL = 500;
/** What the machine may add to anything, in milliseconds. */
const NOISE = 1000;

let server: RedisServer;
let workers: Worker[];
let names = 0;

redisAndWorkersForAll(4, (redis, started) => ([server, workers] = [redis, started]));

/** Opens one new, empty cache in each of so many processes. */
async function open<N extends 2 | 3 | 4>(
  count: N,
  options?: Pick<Setup, 'tier' | 'cache' | 'movesClock'>,
): Promise<Worker[] & { length: N }> {
  const opened = workers.filter(({ isGone }) => !isGone).slice(0, count);
  for (const worker of await startWorkers(count - opened.length)) {
    workers.push(worker);
    opened.push(worker);
  }
  const name = `cache ${++names}`;
  await Promise.all(
    opened.map((worker) => worker.ask('open', { at: server.url, name, ...options })),
  );
  return opened as Worker[] & { length: N };
}

/** Waits until a process loads a key. */
async function untilLoading(worker: Worker, key: string): Promise<void> {
  await until('the load to begin', async () => (await worker.ask('loads', key)) > 0);
}

/** Waits until a process waits for a load of another one. */
async function untilWaiting(worker: Worker): Promise<void> {
  await until('it to wait', async () => (await worker.ask('metrics')).waits > 0);
}

/** Loads of all of them. */
async function loadsOf(asked: readonly Worker[], key?: string): Promise<number[]> {
  return Promise.all(asked.map((worker) => worker.ask('loads', key)));
}

describe('four processes that ask for thirty cold keys a thousand times each', () => {
  const keys = Array.from({ length: 30 }, (_, at) => `key ${at}`);

  async function storm(plan: Partial<Storm>): Promise<void> {
    const processes = await open(4);
    const reports = await Promise.all(
      processes.map((worker, seed) =>
        worker.ask('storm', { keys, gets: 1000, ms: 50, seed, ...plan }),
      ),
    );
    expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(reports.map(({ gets }) => gets)).toEqual([30_000, 30_000, 30_000, 30_000]);
    expect(reports.reduce((sum, { loads }) => sum + loads, 0)).toBe(30);
  }

  it('load each of them once in all', () => storm({}));

  it('load each of them once in all where they carry tags', () =>
    storm({ tags: ['all of them', 'some'] }));

  it('load each of them once in all where many are asked for at a time', () => storm({ many: 10 }));
});

describe('the process that loads', () => {
  it('is killed: the others load after lockTtl', async () => {
    const [owner, other] = await open(2, { tier: { lockTtl: LOCK_TTL } });
    owner!.ask('get', 'key', { value: 'lost', gate: true }).catch(() => undefined);
    await untilLoading(owner!, 'key');
    const asked = other!.ask('get', 'key', { value: 'found', ms: 10 });
    await untilWaiting(other!);
    await owner!.kill();
    const { value, took } = await asked;
    expect(value).toBe('found');
    expect(took).toBeLessThan(LOCK_TTL + NOISE);
    expect(await other!.ask('loads', 'key')).toBe(1);
  });

  it('is stopped for longer than lockTtl: what the next one loads stays', async () => {
    const [owner, other, third] = await open(3, { tier: { lockTtl: LOCK_TTL } });
    const asked = owner!.ask('get', 'key', { value: 'old', ms: 100 });
    await untilLoading(owner!, 'key');
    await owner!.freeze();
    const { value, took } = await other!.ask('get', 'key', { value: 'new', ms: 10 });
    expect(value).toBe('new');
    expect(took).toBeLessThan(LOCK_TTL + NOISE);
    owner!.thaw();
    expect((await asked).value).toBe('old');
    expect(await owner!.ask('peek', 'key')).toBeUndefined();
    for (const worker of [owner!, other!, third!]) {
      expect((await worker.ask('get', 'key')).value).toBe('new');
    }
    expect(await owner!.ask('metrics')).toMatchObject({ refusals: 1 });
  });

  it('is slow: its lease is renewed, and nobody else loads', async () => {
    const processes = await open(3, { tier: { lockTtl: 200 } });
    const answers = await Promise.all(
      processes.map((worker) => worker.ask('get', 'key', { value: 'slow', ms: 1000 })),
    );
    expect(answers.map(({ value }) => value)).toEqual(['slow', 'slow', 'slow']);
    expect((await loadsOf(processes)).reduce((a, b) => a + b)).toBe(1);
  });

  it('fails: its callers get its error, and each other process loads for itself, once', async () => {
    const processes = await open(3);
    const outcomes = await Promise.all(
      processes.map((worker, at) => worker.ask('gets', 'key', 20, { fail: `no ${at}`, ms: 20 })),
    );
    expect(outcomes.map((all) => [...new Set(all)])).toEqual([
      ['Error: no 0'],
      ['Error: no 1'],
      ['Error: no 2'],
    ]);
    expect(await loadsOf(processes)).toEqual([1, 1, 1]);
  });

  it('fails: the next one need not wait for its lock', async () => {
    const [owner, other] = await open(2);
    const failed = owner!.ask('get', 'key', { fail: 'no', gate: true });
    const asked = untilLoading(owner!, 'key').then(() =>
      other!.ask('get', 'key', { value: 'yes', ms: 0 }),
    );
    await untilWaiting(other!);
    await Promise.all([
      expect(failed).rejects.toThrow('no'),
      owner!.ask('openGate', 'key'),
      // By default a lock stands for five seconds.
      expect(asked.then(({ took }) => took)).resolves.toBeLessThan(2000),
    ]);
    expect((await owner!.ask('get', 'key')).value).toBe('yes');
  });
});

describe('a key that is removed or set elsewhere while it loads', () => {
  const changes: [what: string, change: (other: Worker, key: string) => Promise<unknown>][] = [
    ['deleted', (other) => other.ask('delete', 'key')],
    ['invalidated by a tag known before', (other) => other.ask('invalidateTags', 'early')],
    ['invalidated by a tag that its loader names', (other) => other.ask('invalidateTags', 'late')],
    ['cleared', (other) => other.ask('clear')],
    ['expired', (other) => other.ask('expire', 'key')],
    ['deleted by a client that is no cache', (_, key) => server.command('DEL', key)],
    ['overwritten by a client that is no cache', (_, key) => server.command('SET', key, 'other')],
  ];

  /** Loads a key in one process, and has something happen in another meanwhile. */
  async function crossed(
    change: (other: Worker, key: string) => Promise<unknown>,
  ): Promise<[owner: Worker, other: Worker]> {
    const [owner, other] = await open(2);
    const load = { value: 'old', gate: true, tags: ['late'] } as const;
    const asked = owner!.ask('get', 'key', load, { tags: ['early'] });
    await untilLoading(owner!, 'key');
    await change(other!, `acache:v:{cache ${names}:s3:key}`);
    await owner!.ask('openGate', 'key');
    expect((await asked).value).toBe('old');
    return [owner!, other!];
  }

  it.each(changes)('is stored nowhere when it is %s', async (_, change) => {
    for (const process of await crossed(change)) {
      expect(await process.ask('peek', 'key')).toBeUndefined();
      expect((await process.ask('get', 'key')).value).toBeUndefined();
    }
  });

  it('keeps what was set', async () => {
    for (const process of await crossed((other) => other.ask('set', 'key', 'new'))) {
      expect((await process.ask('get', 'key')).value).toBe('new');
      expect(await process.ask('peek', 'key')).toBe('new');
    }
  });
});

describe('an entry that has gone stale', () => {
  it('is refreshed by one process, while all of them serve it', async () => {
    const cache = { ttl: 150, staleWhileRevalidate: 60_000 };
    const processes = await open(3, { cache, movesClock: true });
    await processes[0]!.ask('get', 'key', { value: 'old', ms: 0 });
    await Promise.all(processes.map((worker) => worker.ask('advance', 200)));
    const answers = await Promise.all(
      processes.flatMap((worker) =>
        Array.from({ length: 20 }, () =>
          worker.ask('get', 'key', { value: 'new', ms: 300 }, { ttl: 60_000 }),
        ),
      ),
    );
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set(['old']));
    expect(Math.max(...answers.map(({ took }) => took))).toBeLessThan(300);
    await until('everybody to have the new value', async () => {
      const all = await Promise.all(
        processes.map((worker) => worker.ask('get', 'key', { value: 'newer', ms: 0 })),
      );
      return all.every(({ value }) => value === 'new');
    });
    const [first, ...others] = await loadsOf(processes, 'key');
    expect([first! - 1, ...others].sort()).toEqual([0, 0, 1]);
  });

  it('is refreshed by another process where the first one is killed', async () => {
    const tier = { lockTtl: LOCK_TTL };
    const [owner, other] = await open(2, {
      tier,
      cache: { staleWhileRevalidate: 60_000 },
      movesClock: true,
    });
    await other!.ask('set', 'key', 'old', { ttl: 100 });
    await Promise.all([owner!, other!].map((worker) => worker.ask('advance', 150)));
    await owner!.ask('get', 'key', { value: 'lost', gate: true });
    await untilLoading(owner!, 'key');
    await owner!.kill();
    await until('the new value', async () => {
      const { value } = await other!.ask('get', 'key', { value: 'new', ms: 0 }, { ttl: 60_000 });
      return value === 'new';
    });
    expect(await other!.ask('loads', 'key')).toBe(1);
  });
});
