import { AsyncCache } from '@acache/core';
import { persistFile } from './persist-file.js';

describe('persistFile', () => {
  it('loads what the loader it wraps loads', async () => {
    const cache = new AsyncCache();
    expect(
      await cache.get(
        'key',
        persistFile(() => 'value'),
      ),
    ).toBe('value');
    await cache.close();
  });
});
