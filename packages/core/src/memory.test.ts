import { runScript } from '../test/run-script.js';

/** Runs a script that has to end well, and hands on its answer. */
function answerOf(source: string): unknown {
  const { code, stderr, answer } = runScript(source);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return answer;
}

describe('an entry', () => {
  it('retains nothing of the request that loaded it', () => {
    const alive = answerOf(`
      const requests = new AsyncLocalStorage();
      const refs = {};
      const inRequest = (kind, action) => {
        const request = { user: 'u', body: new Array(1000).fill(kind) };
        (refs[kind] ??= []).push(new WeakRef(request));
        return requests.run(request, action);
      };
      const down = async () => { await turn(); throw new Error('down'); };

      const plain = new AsyncCache({ maxSize: null });
      const timed = new AsyncCache({ maxSize: null, ttl: '1h', staleIfError: '1h', errorTtl: '1h', timeout: '1m', softTimeout: '1m' });
      const clock = fakeClock();
      const stale = new AsyncCache({ maxSize: null, clock, ttl: 1000, staleWhileRevalidate: '1h' });
      const caches = [plain, timed, stale];
      const { signal } = new AbortController();

      await (async () => {
      for (let at = 0; at < 20; at++) {
        await inRequest('loaded', () => plain.get('l' + at, async () => { await turn(); return { at }; }));
        await inRequest('sync', () => plain.get('s' + at, () => ({ at })));
        await inRequest('set', () => plain.set('w' + at, { at }, { tags: ['t'] }));
        await inRequest('timed', () => timed.get('l' + at, async (key, context) => { context.tag('t'); context.ttl('2h'); context.signal; await turn(); return { at }; }));
        await inRequest('timed set', () => timed.set('w' + at, { at }));
        await inRequest('failed', () => timed.get('f' + at, down).catch(() => 0));
        await inRequest('many', () => timed.getMany(['m' + at, 'n' + at], async (keys) => { await turn(); return keys; }));
        await inRequest('signal', () => timed.get('g' + at, { signal, loader: async () => { await turn(); return at; }, tags: () => ['t'] }));
        await inRequest('meta', () => timed.getWithMeta('e' + at, async () => { await turn(); return at; }));
        await inRequest('warmup', () => timed.warmup({ ['u' + at]: async () => at }));
        await Promise.all([
          inRequest('first', () => plain.get('j' + at, async () => { await turn(); return at; })),
          inRequest('joined', () => plain.get('j' + at, async () => 0)),
        ]);
        await stale.set('k' + at, at);
      }
      clock.advance(2000);
      for (let at = 0; at < 20; at++) {
        await inRequest('refreshed', () => stale.get('k' + at, async () => { await turn(); return -at; }));
        await turn();
      }
      clock.advance(2000);
      for (let at = 0; at < 20; at++) {
        await inRequest('refresh failed', () => stale.get('k' + at, down));
        await turn();
      }
      })();
      await collect(Object.values(refs).flat());
      const alive = {};
      for (const kind of Object.keys(refs)) {
        const count = refs[kind].filter((ref) => ref.deref() !== undefined).length;
        if (count > 0) alive[kind] = count;
      }
      answer({ alive, kinds: Object.keys(refs).length, sizes: caches.map(({ size }) => size > 0) });
    `);

    expect(alive).toEqual({ alive: {}, kinds: 14, sizes: [true, true, true] });
  });

  it('and the timer that frees it retain nothing of the first request of all', () => {
    const gone = answerOf(`
      const requests = new AsyncLocalStorage();
      const cache = new AsyncCache({ ttl: '1h' });
      const use = async (action) => {
        const request = { body: new Array(1000).fill(2) };
        await requests.run(request, action);
        return new WeakRef(request);
      };
      const setter = await use(() => cache.set('s', 'v'));
      const getter = await use(() => cache.get('k', () => 'v'));
      await collect([setter, getter]);
      answer([setter.deref() === undefined, getter.deref() === undefined, cache.size]);
    `);

    expect(gone).toEqual([true, true, 2]);
  });

  it('and its cache retain nothing of the last request that loaded', () => {
    const gone = answerOf(`
      const requests = new AsyncLocalStorage();
      const cache = new AsyncCache();
      const use = async (action) => {
        const request = { body: new Array(1000).fill(2) };
        await requests.run(request, action);
        return new WeakRef(request);
      };
      const getter = await use(() => cache.get('k', async () => 'v'));
      await collect([getter]);
      const afterLoad = getter.deref() === undefined;
      const failed = await use(() => cache.get('f', async () => { throw new Error('down'); }).catch(() => 0));
      await collect([failed]);
      answer([afterLoad, failed.deref() === undefined, cache.size]);
    `);

    expect(gone).toEqual([true, true, 1]);
  });

  it('that was loaded last is let go as any other', () => {
    const gone = answerOf(`
      const cache = new AsyncCache();
      const load = async () => {
        let ref;
        await cache.get('k', async () => { const value = { body: new Array(100).fill(1) }; ref = new WeakRef(value); return value; });
        await cache.delete('k');
        return ref;
      };
      const ref = await load();
      await collect();
      answer([ref.deref() === undefined, cache.size]);
    `);

    expect(gone).toEqual([true, 0]);
  });

  it('that was deleted, replaced, evicted, cleared or invalidated is let go', () => {
    const alive = answerOf(`
      const cache = new AsyncCache({ maxSize: 5, ttl: '1h', staleIfError: '1h' });
      const refs = [];
      const value = () => { const made = { body: new Array(100).fill(1) }; refs.push(new WeakRef(made)); return made; };
      await cache.get('deleted', value); await cache.delete('deleted');
      await cache.get('replaced', value); await cache.set('replaced', 1);
      await cache.get('tagged', { loader: value, tags: ['t'] }); await cache.invalidateTags('t');
      await cache.get('refreshed', value); await cache.get('refreshed', { refresh: true, loader: () => 1 });
      await cache.get('evicted', value);
      for (let at = 0; at < 5; at++) await cache.set(at, at);
      await cache.get('cleared', value); await cache.clear();
      await cache.get('unstored', { loader: value, ttl: 0 });
      await collect();
      answer(refs.map((ref) => ref.deref() === undefined));
    `);

    expect(alive).toEqual(Array(7).fill(true));
  });

  it('that has expired is given back while the cache is idle', () => {
    const alive = answerOf(`
      const cache = new AsyncCache({ maxSize: null, ttl: 50 });
      const refs = [];
      const fill = async () => {
        for (let at = 0; at < 500; at++) {
          const value = { at };
          refs.push(new WeakRef(value));
          await cache.set(at, value);
        }
      };
      await fill();
      const end = performance.now() + 5000;
      while (cache.getMetrics().expirations < 500 && performance.now() < end) await turn();
      await collect(refs);
      answer([refs.filter((ref) => ref.deref() !== undefined).length, cache.size]);
    `);

    expect(alive).toEqual([0, 0]);
  });
});

describe('a cache', () => {
  it('that was made in a request retains nothing of it', () => {
    const gone = answerOf(`
      const requests = new AsyncLocalStorage();
      const make = () => {
        const request = { body: new Array(1000).fill(1) };
        return [requests.run(request, () => new AsyncCache({ ttl: '1h' })), new WeakRef(request)];
      };
      const [cache, request] = make();
      await cache.set('k', 1);
      await collect([request]);
      answer([request.deref() === undefined, cache.size]);
    `);

    expect(gone).toEqual([true, 1]);
  });

  it('that nobody holds is collected, whatever its entries and timers', () => {
    const left = answerOf(`
      const down = async () => { throw new Error('down'); };
      const make = {
        plain: async () => { const cache = new AsyncCache(); await cache.set('k', 1); return cache; },
        ttl: async () => { const cache = new AsyncCache({ ttl: '1h' }); for (let at = 0; at < 100; at++) await cache.get(at, async () => at); return cache; },
        'short ttl': async () => { const cache = new AsyncCache({ ttl: 10 }); await cache.get(1, async () => 1); return cache; },
        'passed ttl': async () => { const cache = new AsyncCache({ ttl: 10 }); await cache.get(1, async () => 1); while (cache.getMetrics().expirations === 0) await turn(); return cache; },
        windows: async () => { const cache = new AsyncCache({ ttl: '1h', staleWhileRevalidate: '1d', staleIfError: '1d', jitter: 0.5, refreshAhead: 0.5 }); await cache.get(1, async () => 1); await cache.get(1); return cache; },
        errors: async () => { const cache = new AsyncCache({ errorTtl: '1h' }); await cache.get(1, down).catch(() => 0); return cache; },
        timeouts: async () => { const cache = new AsyncCache({ timeout: '1h', softTimeout: '1h', ttl: '1h' }); await cache.get(1, async () => 1); return cache; },
        tags: async () => { const cache = new AsyncCache({ ttl: '1h' }); await cache.set(1, 1, { tags: ['t'] }); await cache.invalidateTags('t'); return cache; },
        listened: async () => { const cache = new AsyncCache({ ttl: '1h' }); cache.on('hit', () => cache.size); await cache.get(1, () => 1); await cache.get(1); return cache; },
        closed: async () => { const cache = new AsyncCache({ ttl: '1h' }); await cache.set(1, 1); await cache.close(); return cache; },
      };
      const refs = {};
      for (const kind of Object.keys(make)) refs[kind] = new WeakRef(await make[kind]());
      await collect(Object.values(refs));
      answer(Object.keys(refs).filter((kind) => refs[kind].deref() !== undefined));
    `);

    expect(left).toEqual([]);
  });

  it('that is collected calls its timer off', () => {
    const pending = answerOf(`
      const clock = fakeClock();
      const use = async () => {
        for (let at = 0; at < 20; at++) {
          const cache = new AsyncCache({ ttl: '1d', clock });
          await cache.get(at, async () => at);
        }
      };
      await use();
      await turn();
      const set = clock.pending;
      await collect();
      answer([set, clock.pending]);
    `);

    expect(pending).toEqual([20, 0]);
  });

  it('sets one timer at most, which lets the process end', () => {
    const [most, held] = answerOf(`
      const live = new Map();
      let most = 0;
      let held = 0;
      const { setTimeout: set, clearTimeout: clear } = globalThis;
      const watch = (name) => {
        const original = globalThis[name];
        globalThis[name] = (callback, ...rest) => {
          const timer = original((...args) => { if (name === 'setTimeout') live.delete(timer); callback(...args); }, ...rest);
          live.set(timer, name);
          most = Math.max(most, live.size);
          return timer;
        };
      };
      watch('setTimeout');
      watch('setInterval');
      for (const name of ['clearTimeout', 'clearInterval']) {
        const original = globalThis[name];
        globalThis[name] = (timer) => { live.delete(timer); original(timer); };
      }
      const cache = new AsyncCache({ maxSize: null });
      for (let at = 0; at < 5000; at++) {
        await cache.get(at, { ttl: 1000 + at, tags: ['t'], loader: async () => at });
        if ([...live.keys()].some((timer) => timer.hasRef?.())) held++;
      }
      for (let at = 0; at < 5000; at++) await cache.get(at);
      answer([most, held]);
    `) as [number, number];

    expect(most).toBeLessThanOrEqual(1);
    expect(held).toBe(0);
  });

  it('does not keep the process alive', () => {
    const { code, stderr, answer, ms } = runScript(`
      const cache = new AsyncCache({ ttl: '1h', staleWhileRevalidate: '1h', errorTtl: '1h' });
      await cache.get('k', async () => 1);
      await cache.get('f', async () => { throw new Error('down'); }).catch(() => 0);
      globalThis.cache = cache;
      answer(cache.size);
    `);

    expect({ code, stderr, answer }).toEqual({ code: 0, stderr: '', answer: 1 });
    expect(ms).toBeLessThan(30_000);
  });

  it('does not grow over a million operations of every kind', () => {
    const grown = answerOf(`
      const clock = fakeClock();
      const cache = new AsyncCache({ maxSize: 1000, clock, ttl: 60_000, staleWhileRevalidate: 5_000, staleIfError: 10_000, errorTtl: 1_000 });
      const error = new Error('down');
      const fail = () => Promise.reject(error);
      let turnNumber = 0;
      const round = async (operations) => {
        for (let at = 0; at < operations; at++) {
          const key = turnNumber++;
          switch (key % 10) {
            case 0: await cache.get('k' + key, async () => key); break;
            case 1: await cache.get('k' + (key - 1), async () => key); break;
            case 2: cache.set(['object', key], key, { tags: ['tag' + key] }); break;
            case 3: cache.delete('k' + (key - 3)); cache.delete('never' + key); break;
            case 4: cache.invalidateTags('tag' + (key - 2), 'unknown' + key); break;
            case 5: await cache.get('f' + key, fail).catch(() => 0); break;
            case 6: cache.set('e' + key, key); cache.expire('e' + key); cache.expire('never' + key); break;
            case 7: await cache.getMany(['m' + key, 'n' + key], async (keys) => keys); break;
            case 8: cache.get('e' + (key - 2), fail).catch(() => 0); break;
            case 9: cache.set('u' + key, key, { ttl: 0 }); if (key % 1000 === 9) clock.advance(5_000); break;
          }
        }
        await turn();
      };
      const heap = async () => { await collect(); return process.memoryUsage().heapUsed; };
      await round(100_000);
      const before = await heap();
      await round(1_000_000);
      answer(((await heap()) - before) / 1e6);
    `);

    expect(grown).toBeLessThan(3);
  });

  it('does not grow by failures that it remembers for long', () => {
    const grown = answerOf(`
      const cache = new AsyncCache({ maxSize: 100, errorTtl: '1h' });
      const error = new Error('down');
      const fail = () => Promise.reject(error);
      const round = async (operations) => {
        for (let at = 0; at < operations; at++) await cache.get(operations + ':' + at, fail).catch(() => 0);
      };
      const heap = async () => { await collect(); return process.memoryUsage().heapUsed; };
      await round(10_000);
      const before = await heap();
      await round(200_000);
      answer(((await heap()) - before) / 1e6);
    `);

    expect(grown).toBeLessThan(5);
  });

  it('gives back the room of a burst of entries that have expired', () => {
    const [size, share] = answerOf(`
      const clock = fakeClock();
      const cache = new AsyncCache({ maxSize: null, clock, ttl: 1_000 });
      const heap = async () => { await collect(); return process.memoryUsage(); };
      for (let at = 0; at < 1_000; at++) cache.set('warm' + at, { at });
      const before = await heap();
      for (let at = 0; at < 300_000; at++) cache.set('key' + at, { at }, { tags: ['t' + (at % 1000)] });
      const full = await heap();
      for (let at = 0; at < 200; at++) { await clock.advance(1_000); await turn(); }
      const after = await heap();
      const used = ({ heapUsed, arrayBuffers }) => heapUsed + arrayBuffers;
      answer([cache.size, (used(after) - used(before)) / (used(full) - used(before))]);
    `) as [number, number];

    expect(size).toBe(0);
    expect(share).toBeLessThan(0.35);
  });
});

describe('nothing is left unhandled', () => {
  it('whatever fails behind the back of callers', () => {
    const outcome = answerOf(`
      const clock = fakeClock();
      const cache = new AsyncCache({ clock, ttl: 1000, staleWhileRevalidate: '1h', staleIfError: '1d', refreshAhead: 0.5, softTimeout: 10, timeout: 20, errorTtl: 5 });
      const down = async () => { await turn(); throw new Error('down'); };
      const throwing = () => { throw new Error('at once'); };
      const caught = (promise) => promise.then(() => 0, () => 0);
      // Refreshes behind fresh and stale values, and behind an error.
      for (const loader of [down, throwing, () => Promise.reject(undefined)]) {
        await cache.set('k', 1);
        clock.advance(600);
        await cache.get('k', loader); await turn(); await turn();
        clock.advance(600);
        await cache.get('k', loader); await turn(); await turn();
        clock.advance(7_200_000);
        await cache.get('k', loader); await turn();
        await cache.getMany(['k', 'k'], loader); await turn(); await turn();
      }
      // Everybody leaves before a load fails: by signal, by soft and by hard timeout.
      for (let at = 0; at < 3; at++) {
        const stop = new AbortController();
        const left = caught(cache.get('a' + at, { loader: down, signal: stop.signal }));
        const many = caught(cache.getMany(['b' + at, 'c' + at], { loadMany: down, signal: stop.signal }));
        const each = caught(cache.getMany(['d' + at, 'e' + at], { loader: down, signal: stop.signal }));
        stop.abort();
        await left; await many; await each; await turn(); await turn();
        const late = caught(cache.get('t' + at, down));
        clock.advance(20);
        await late; await turn(); await turn();
        const slow = cache.get('k', down);
        clock.advance(10);
        await slow; await turn(); await turn();
      }
      // Deleted, cleared and invalidated under a load that fails; a key that two getMany share.
      const gone = [caught(cache.get('x', down)), caught(cache.getMany(['x', 'y'], down)), caught(cache.getMany(['y', 'z'], down))];
      cache.delete('x'); cache.clear(); cache.invalidateTags('t');
      await Promise.all(gone);
      // Functions of the options that fail.
      const bad = () => { throw new Error('bad function'); };
      const odd = new AsyncCache({ ttl: bad, weigh: bad, maxWeight: 5, errorTtl: bad, clone: (value) => value });
      odd.on('load', bad); odd.on('miss', bad); odd.on('error', bad); odd.on('set', bad);
      await odd.get('k', () => 1); await caught(odd.get('f', down));
      await odd.get('k2', { loader: () => 1, tags: bad });
      await caught(odd.getMany(['p', 'q'], async () => [new Error('p'), new Error('q')]));
      await caught(odd.getMany(['p', 'q'], async () => [new Error('p')]));
      await caught(odd.warmup({ a: down, b: throwing }, { onProgress: bad }));
      // A loader rejects, and is closed upon.
      const closing = new AsyncCache();
      const waiting = [caught(closing.get('k', down)), caught(closing.getMany(['m', 'n'], down)), caught(closing.warmup({ w: down }))];
      await closing.close();
      await Promise.all(waiting);
      closing.ready; cache.ready;
      for (let at = 0; at < 10; at++) await turn();
      answer('nothing');
    `);

    expect(outcome).toBe('nothing');
  });

  it('a rejection of get is its caller`s alone: one who does not look is told by the runtime', () => {
    const { code, stderr } = runScript(`
      const cache = new AsyncCache();
      cache.get('k', async () => { throw new Error('nobody looks'); });
      for (let at = 0; at < 10; at++) await turn();
    `);

    expect(code).not.toBe(0);
    expect(stderr).toContain('nobody looks');
  });
});
