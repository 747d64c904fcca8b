import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../tools/redis/index.js';
import type { Process } from './processes.js';

/**
 * Everything that can be asked of a cache on a tier, so that every command is needed at least once.
 * The tier's `lockTtl` is best 60 ms: a load then outlasts a third of it.
 */
export async function everyCall({ cache: a }: Process, { cache: b }: Process): Promise<void> {
  const slowly =
    <T>(value: T) =>
    async (): Promise<T> => {
      await sleep(60);
      return value;
    };
  const [soon, long] = [{ ttl: 10, staleWhileRevalidate: '1m' } as const, { ttl: '1m' } as const];
  // A placeholder, renewed; tags before and after the load.
  await a.get('loaded', {
    tags: ['early'],
    loader: async (_key, context) => {
      context.tag('late');
      return slowly('value')();
    },
  });
  await b.get('loaded', slowly('value'));
  await Promise.all([a.get('both', slowly('value')), b.get('both', slowly('value'))]);
  await b.getMany(['loaded', 'both', 'many'], async (keys) => keys.map(() => 'value'));
  await a
    .get('fails', () => {
      throw new Error('on purpose');
    })
    .catch(() => undefined);
  // A refresh behind a stale value: a lock, renewed.
  await a.get('stale', { ...soon, loader: slowly('old') });
  // On a busy machine its lock may run out before it is renewed: then the next one stores its value.
  await until('the refresh', async () => {
    return (await b.get('stale', { ...soon, loader: slowly('new') })) === 'new';
  });
  await b.get('stale', { ...long, refresh: true, loader: slowly('newest') });
  await a.set('stale', 'set', { ...long, staleWhileRevalidate: '1m', tags: ['early'] });
  await a.expire('stale');
  await a.expire('stale');
  await a.expire('loaded');
  await a.setMany([
    ['one', 1],
    ['two', 2],
  ]);
  await a.delete('one');
  await b.delete('one');
  await a.invalidateTags('early', 'late');
  await a.clear();
  await a.flush();
}
