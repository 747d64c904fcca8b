import type { RedisServer } from '../../../tools/redis/index.js';
import { tracking } from './acl-rules.js';
import { failOnUnhandledRejections } from './illness.js';
import { redisForAll, startProcess } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server), {
  users: ['default off', `app on >secret ${tracking}`, 'all on >secret ~* &* +@all'],
});

const urlOf = (user: string, database: number): string =>
  `${redis.url.replace('//', `//${user}:secret@`)}/${database}`;

// ioredis goes on in the first database, where another service may keep its values.
describe('a database that cannot be chosen', () => {
  it.each([
    ['the server does not have it', 'all', 999],
    ['the user may not choose one', 'app', 2],
  ])('is not replaced by another one: %s', async (_why, user, database) => {
    const { cache, states } = await startProcess(urlOf(user, database));
    await cache.set('k', 'v', { tags: ['t'] });
    expect(await cache.get('loaded', () => 'v')).toBe('v');
    await cache.invalidateTags('t');
    await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_REDIS_UNAVAILABLE' });
    expect(states).toContain('disconnected');
    expect(Object.keys(await redis.info('keyspace'))).toEqual([]);
  });

  it('is no matter where it is the first one, which need not be chosen', async () => {
    const { cache } = await startProcess(urlOf('app', 0));
    await cache.set('k', 'v');
    await cache.flush();
    expect(Object.keys(await redis.info('keyspace'))).toEqual(['db0']);
  });
});
