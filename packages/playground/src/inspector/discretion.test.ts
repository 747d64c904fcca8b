import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncCache } from '@acache/core';
import { ask } from '../../test/http.js';
import { inspectorWith } from './create-inspector.js';
import type { Inspected, InspectorOptions } from './inspector-options.js';

const files = { script: '', style: '' };

async function serve(
  caches: Inspected,
  options: InspectorOptions,
  use: (look: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const server = createServer(inspectorWith(caches, options, files)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await use(async () => (await ask(port, '/snapshot.json')).text);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('tells no part of a key, value, tag or error to who may see neither', async () => {
  const cache = new AsyncCache<unknown, unknown>({ maxSize: 2, ttl: '1h', staleIfError: '1h' });
  await serve([cache], { allow: () => true }, async (look) => {
    await look();
    const fail = (error: unknown) => () => {
      throw error;
    };
    const free = Object.assign(new Error('SECRET'), {
      name: 'SECRET',
      code: 'no user SECRET@example.com',
    });
    await cache.get('SECRET1', { loader: () => 'SECRET', tags: ['SECRET'] });
    await cache.expire('SECRET1');
    await cache.get('SECRET1', fail(free));
    await cache.get(['SECRET', { SECRET: 1 }], () => ({ SECRET: 1 }));
    await cache.set({ SECRET: 1 }, 'SECRET', { tags: ['SECRET'] });
    await cache.invalidateTags('SECRET', 'SECRET2');
    await cache.get('SECRET2', fail(free)).catch(() => undefined);
    await cache.get('SECRET3', fail('SECRET')).catch(() => undefined);
    await cache.warmup(new Map([['SECRET4', fail(new TypeError('SECRET'))]]));
    const seen = await look();
    expect(seen).toContain('"error"');
    expect(seen).not.toContain('SECRET');
  });
  await cache.close();
});

it('runs nothing of the values that it shows, and survives them', async () => {
  const cache = new AsyncCache<unknown, unknown>();
  let ran = 0;
  const run = () => {
    ran++;
    throw new Error('ran');
  };
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const values = [
    circle,
    10n,
    Symbol('s'),
    { toJSON: run },
    Object.defineProperty({}, 'x', { get: run, enumerable: true }),
    { [Symbol.for('nodejs.util.inspect.custom')]: run },
    Buffer.alloc(5_000_000),
    'x'.repeat(5_000_000),
    Object.create(null),
    '\ud800',
  ];
  await serve(
    { ['__proto__']: cache, constructor: cache },
    { allow: () => true, showKeys: true, showValues: true },
    async (look) => {
      await look();
      for (const [at, value] of values.entries()) await cache.set(`key ${at}`, value);
      const seen = await look();
      expect(JSON.parse(seen)).toMatchObject({ caches: [{}, { name: 'constructor' }] });
      expect(seen.length).toBeLessThan(50_000);
    },
  );
  expect(ran).toBe(0);
  await cache.close();
});

it('shows two who look the same', async () => {
  const cache = new AsyncCache();
  await serve([cache], { allow: () => true, showKeys: true }, async (look) => {
    await Promise.all([look(), look()]);
    await cache.set('a', 1);
    for (const seen of [await look(), await look()]) expect(seen).toContain('"set"');
  });
  await cache.close();
});
