import { settingsAsCode } from './settings-as-code.js';
import { DEFAULT_SETTINGS } from './settings.js';

const alone = { redis: false, file: null };

describe('settingsAsCode', () => {
  it('writes a function that is cached', () => {
    expect(settingsAsCode(DEFAULT_SETTINGS, alone)).toMatchInlineSnapshot(`
      "import { AsyncTTL } from '@acache/all';

      const findItem = AsyncTTL({
        maxSize: 128,
        ttl: '60s',
        skipArgs: 1,
      })(
        async (connection: Connection, id: string) => connection.find(id),
      );
      await findItem(connection, 'item 1');"
    `);
  });

  it('writes a cache with everything', () => {
    const settings = { ...DEFAULT_SETTINGS, kind: 'batch', policy: 'tinylfu', ttl: null } as const;
    expect(settingsAsCode(settings, { redis: true, file: './items' })).toMatchInlineSnapshot(`
      "import { createCache } from '@acache/all';

      const cache = createCache<string, Item>({
        name: 'items',
        maxSize: 128,
        ttl: null,
        policy: 'tinylfu',
        batch: { window: 5, maxBatchSize: 100 },
        redis: 'redis://localhost:6379',
        persist: './items',
      });
      const findItems = async (ids: readonly string[]) => database.findAll(ids);
      await cache.get('item 1', { batchLoader: findItems });"
    `);
  });
});
