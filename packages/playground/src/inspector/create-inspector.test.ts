import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AsyncCache, InvalidOptionError } from '@acache/core';
import { until } from '../../../../tools/redis/index.js';
import { ask } from '../../test/http.js';
import { createInspector, inspectorWith } from './create-inspector.js';
import type { Inspected, InspectorOptions } from './inspector-options.js';
import type { InspectorSnapshot } from './snapshot.js';

const files = { script: '/* script */', style: '/* style */' };
const open = { allow: () => true };

/** Serves an inspector for as long as a test takes. */
async function serve<T>(listener: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function look(
  caches: Inspected,
  options: InspectorOptions,
  act: () => Promise<unknown> = async () => undefined,
): Promise<InspectorSnapshot> {
  return serve(createInspector(caches, options), async (port) => {
    await ask(port, '/snapshot.json');
    await act();
    return JSON.parse((await ask(port, '/snapshot.json')).text) as InspectorSnapshot;
  });
}

async function use(cache: AsyncCache<string, string>): Promise<void> {
  await cache.get('user:ann', () => 'secret');
  await cache.get('user:ann');
  await cache.invalidateTags('tenant:7');
  await cache
    .get('user:bob', () => Promise.reject(new Error('no user:bob')))
    .catch(() => undefined);
}

describe('who may see it', () => {
  it.each<[what: string, options: InspectorOptions]>([
    ['nobody was allowed', {}],
    ['it is a no', { allow: () => false }],
    ['it is a promise of a no', { allow: () => Promise.resolve(false) }],
    ['it throws', { allow: () => JSON.parse('{') as boolean }],
    ['it rejects', { allow: () => Promise.reject(new Error('no')) }],
    ['it is only like a yes', { allow: () => 'yes' as unknown as boolean }],
  ])('nobody where %s', async (_, options) => {
    const cache = new AsyncCache();
    const seen = jest.spyOn(cache, 'getMetrics');
    await serve(inspectorWith([cache], options, files), async (port) => {
      for (const path of ['/', '/app.js', '/app.css', '/snapshot.json', '/anything']) {
        const { status, text } = await ask(port, path);
        expect([status, text]).toEqual([403, 'you may not see this\n']);
      }
    });
    expect(seen).not.toHaveBeenCalled();
    await cache.close();
  });

  it('whom `allow` lets, asked for each request', async () => {
    const allow = jest.fn(async ({ headers }: { headers: object }) => 'x-operator' in headers);
    await serve(inspectorWith([new AsyncCache()], { allow }, files), async (port) => {
      const headers = { 'x-operator': '1' };
      expect((await ask(port, '/', { headers })).status).toBe(200);
      expect((await ask(port, '/snapshot.json', { headers })).status).toBe(200);
      expect((await ask(port, '/snapshot.json')).status).toBe(403);
    });
    expect(allow).toHaveBeenCalledTimes(3);
  });

  it('and nobody may change anything', async () => {
    await serve(inspectorWith([new AsyncCache()], open, files), async (port) => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const { headers, status } = await ask(port, '/snapshot.json', { method });
        expect([status, headers.allow]).toEqual([405, 'GET']);
      }
    });
  });
});

describe('where it is mounted', () => {
  const handler = inspectorWith([new AsyncCache({ name: 'users' })], open, files);

  it.each(['/', '/caches/', '/admin/tools/caches/'])('serves all of it at %s', async (prefix) => {
    await serve(handler, async (port) => {
      const page = await ask(port, prefix);
      expect(page.text).toContain('<script type="module" src="app.js">');
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect((await ask(port, `${prefix}app.js`)).text).toBe(files.script);
      expect((await ask(port, `${prefix}snapshot.json`)).text).toContain('"users"');
    });
  });

  it('goes to the path that ends with a slash', async () => {
    await serve(handler, async (port) => {
      const { headers, status } = await ask(port, '/admin/caches?theme=dark');
      expect([status, headers.location]).toEqual([302, './caches/']);
    });
  });

  it('knows the whole path where a framework takes the mount path off', async () => {
    const mounted: RequestListener = (request, response) => {
      Object.assign(request, { originalUrl: request.url });
      request.url = '/';
      handler(request, response);
    };
    await serve(mounted, async (port) => {
      expect((await ask(port, '/caches')).headers.location).toBe('./caches/');
      expect((await ask(port, '/caches/app.css')).text).toBe(files.style);
    });
  });
});

describe('what it shows', () => {
  it('metrics and what happened, but no key, tag, value or message', async () => {
    const cache = new AsyncCache<string, string>({ name: 'users' });
    const seen = await look([cache], open, () => use(cache));
    expect(seen.caches[0]).toMatchObject({
      name: 'users',
      metrics: { hits: 1, misses: 2, loads: 2, loadErrors: 1, size: 1 },
      keys: null,
    });
    const events = seen.caches[0]!.events.map(({ event, key, detail }) => [event, key, detail]);
    expect(events.reverse()).toEqual([
      ['load', 'key 1', null],
      ['miss', 'key 1', null],
      ['hit', 'key 1', null],
      ['invalidate', null, '1 tags'],
      ['load', 'key 2', null],
      ['miss', 'key 2', null],
      ['error', 'key 2', 'loader'],
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/ann|bob|tenant|secret|no user/);
    await cache.close();
  });

  it('keys and tags where they are asked for, and still no value', async () => {
    const cache = new AsyncCache<string, string>();
    const seen = await look([cache], { ...open, showKeys: true }, () => use(cache));
    expect(seen.caches[0]!.keys?.map(({ key, fresh, value }) => [key, fresh, value])).toEqual([
      ['user:bob', false, null],
      ['user:ann', true, null],
    ]);
    expect(JSON.stringify(seen)).toMatch(/tenant:7/);
    expect(JSON.stringify(seen)).not.toMatch(/secret|no user/);
    await cache.close();
  });

  it('values where they are asked for, too, and counts no look', async () => {
    const cache = new AsyncCache<string, string>();
    const options = { ...open, showKeys: true, showValues: true };
    const seen = await look([cache], options, () => use(cache));
    expect(seen.caches[0]!.keys?.[1]).toMatchObject({ key: 'user:ann', value: 'secret' });
    expect(JSON.stringify(seen)).toContain('loader: no user:bob');
    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 2 });
    await cache.close();
  });

  it('caches under names of your choice, and two of one name apart', async () => {
    const caches = { 'the users': new AsyncCache(), carts: new AsyncCache() };
    const named = await look(caches, open);
    expect(named.caches.map(({ name }) => name)).toEqual(['the users', 'carts']);
    const two = await look([new AsyncCache({ name: 'c' }), new AsyncCache({ name: 'c' })], open);
    expect(two.caches.map(({ name }) => name)).toEqual(['c', 'c (2)']);
  });

  it('a cache that was closed, as it was', async () => {
    const cache = new AsyncCache();
    await cache.close();
    expect((await look([cache], { ...open, showKeys: true })).caches).toHaveLength(1);
  });
});

describe('what it costs', () => {
  it('nothing until somebody looks, and nothing a few seconds after', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const cache = new AsyncCache();
      const on = jest.spyOn(cache, 'on');
      const ends: jest.Mock[] = [];
      on.mockImplementation(() => {
        const end = jest.fn();
        ends.push(end);
        return end;
      });
      await serve(createInspector([cache], open), async (port) => {
        await ask(port, '/nothing/');
        expect(on).not.toHaveBeenCalled();
        await ask(port, '/snapshot.json');
        const listeners = on.mock.calls.length;
        expect(listeners).toBeGreaterThan(0);
        jest.advanceTimersByTime(4000);
        await ask(port, '/snapshot.json');
        jest.advanceTimersByTime(4000);
        expect(ends.filter((end) => end.mock.calls.length > 0)).toEqual([]);
        jest.advanceTimersByTime(1500);
        expect(ends.every((end) => end.mock.calls.length === 1)).toBe(true);
        await ask(port, '/snapshot.json');
        expect(on).toHaveBeenCalledTimes(listeners * 2);
        jest.advanceTimersByTime(6000);
      });
      await cache.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('no cache its life', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    let cache: AsyncCache | undefined = new AsyncCache({ name: 'short-lived' });
    const ref = new WeakRef(cache);
    const handler = createInspector([cache], open);
    await serve(handler, async (port) => {
      expect((await ask(port, '/snapshot.json')).text).toContain('short-lived');
      cache = undefined;
      await until('the cache to be collected', () => {
        gc();
        return ref.deref() === undefined;
      });
      expect((await ask(port, '/snapshot.json')).text).toContain('"caches":[]');
    });
  });

  it('no more memory however much happens', async () => {
    const cache = new AsyncCache<string, number>({ maxSize: null });
    const seen = await look([cache], { ...open, showKeys: true }, async () => {
      for (let at = 0; at < 5000; at++) await cache.get(`k${at}`, () => at);
    });
    expect(seen.caches[0]!.events.length).toBeLessThanOrEqual(60);
    expect(seen.caches[0]!.keys!.length).toBeLessThanOrEqual(50);
    expect(seen.caches[0]!.metrics.misses).toBe(5000);
    await cache.close();
  });
});

it.each([
  ['caches must be such as', null, {}],
  ['caches must be such as', [{}], {}],
  ['caches must be such as', { users: new Map() }, {}],
  ['options of createInspector', [], null],
  ['allow must be a function', [], { allow: true }],
  ['showKeys must be true or false', [], { showKeys: 'all' }],
  ['showValues needs showKeys', [], { showValues: true }],
])('says what is wrong: %s', (message, caches, options) => {
  const make = () => createInspector(caches as Inspected, options as InspectorOptions);
  expect(make).toThrow(InvalidOptionError);
  expect(make).toThrow(message);
});
