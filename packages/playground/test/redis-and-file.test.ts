import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, until, type RedisServer } from '../../../tools/redis/index.js';
import { readMix } from '../src/mixes.js';
import { Session } from '../src/session.js';
import { DEFAULT_SETTINGS } from '../src/settings.js';

describe('a session on a Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('shares items with another one, and touches nothing but its own', async () => {
    await redis.command('SET', 'theirs', 'untouched');
    const [one, other] = [new Session({ redis: redis.url }), new Session({ redis: redis.url })];
    await Promise.all([one.ready, other.ready]);
    const areUp = () => [one, other].every(({ state }) => state.redis === 'up');
    await until('Redis is up', areUp);
    await one.run(readMix({ collection: 'unique' }));
    // A busy machine may go on without Redis now and then: any item will do.
    let item = 0;
    await until('an item is found that the other has loaded', async () =>
      /from load \d+ \(from the cache/.test(await other.get(`item ${++item}`)),
    );
    await until('Redis is up', areUp);
    await one.clear();
    expect(await redis.command('GET', 'theirs')).toBe('untouched');
    await Promise.all([one.close(), other.close()]);
  });

  it('has every promise checked, coherence included, and leaves nothing behind', async () => {
    const session = new Session({ redis: redis.url });
    await session.configure({ ...DEFAULT_SETTINGS, kind: 'batch' });
    const results = await session.verify();
    expect(results.filter(({ pass }) => !pass)).toEqual([]);
    expect(results.map(({ id }) => id)).toContain('coherence');
    await session.close();
  });

  it('says that Redis is down, and goes on', async () => {
    const session = new Session({ redis: redis.url });
    await session.ready;
    await until('Redis is up', () => session.state.redis === 'up');
    await redis.kill();
    expect(await session.get('item 1')).toContain('item 1, from load');
    await until('Redis is down', () => session.state.redis === 'down');
    await redis.restart();
    await until('Redis is up', () => session.state.redis === 'up');
    await session.close();
  });
});

describe('a session with a file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'acache-playground-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is warm again after a restart, and when the settings change', async () => {
    const file = join(folder, 'items');
    const first = new Session({ file });
    await first.configure({ ...DEFAULT_SETTINGS, kind: 'AsyncCache' });
    await first.get('item 1');
    await first.configure({ ...DEFAULT_SETTINGS, kind: 'AsyncCache', policy: 'tinylfu' });
    expect(await first.get('item 1')).toContain('from load 1 (hit');
    await first.close();

    const second = new Session({ file });
    await second.configure({ ...DEFAULT_SETTINGS, kind: 'AsyncCache' });
    expect(await second.get('item 1')).toContain('from load 1 (hit');
    const results = await second.verify();
    expect(results.filter(({ pass }) => !pass)).toEqual([]);
    expect(results.map(({ id }) => id)).toContain('restart');
    await second.close();
  });

  it('says that another process has the file, and goes on in memory', async () => {
    const file = join(folder, 'items');
    const [first, second] = [new Session({ file }), new Session({ file })];
    await Promise.all([first.ready, second.ready]);
    expect([first, second].map(({ state }) => state.fileProblem).sort()).toEqual([
      expect.stringContaining('ERR_ACACHE_LOCKED'),
      null,
    ]);
    await second.get('item 1');
    await Promise.all([first.close(), second.close()]);
  });
});
