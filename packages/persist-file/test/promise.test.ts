import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { foundIn, keptIn, untilFound } from './caches.js';
import { hang, whyNoHanging } from './hanging-folder.js';
import { inFolder, until } from './host.js';
import { startWorker } from './start-worker.js';

const locked = { code: 'ERR_ACACHE_LOCKED' };

/** How much later than it should a process may come to write, on a busy machine. */
const LATE = 500;

describe('a process that is killed', () => {
  it('loses nothing that was flushed, and brings back nothing that was deleted', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const options = { flushInterval: '1h', fsyncInterval: '1h' } as const;
      const wanted: Record<string, unknown> = {};
      for (let life = 0; life < 3; life++) {
        const worker = startWorker();
        await worker.ask('open', path, options);
        if (life > 0) expect(await worker.ask('get', `kept${life - 1}`)).toBe('v');
        await worker.ask('set', `kept${life}`, 'v');
        await worker.ask('set', 'changed', `before ${life}`);
        await worker.ask('set', 'deleted', 'v');
        await worker.ask('flush');
        await worker.ask('set', 'changed', life);
        await worker.ask('delete', 'deleted');
        await worker.ask('flush');
        // Nobody was told that these are durable.
        await worker.ask('set', 'late', 'v');
        await worker.ask('delete', 'changed');
        expect(await worker.kill()).toMatchObject({ signal: 'SIGKILL' });
        wanted[`kept${life}`] = 'v';
        wanted.changed = life;
        expect(await foundIn(path)).toEqual(wanted);
      }
    }));

  it('loses what it was told within flushInterval at most, without a flush', () =>
    inFolder(async (folder) => {
      const flushInterval = 100;
      for (const [life, lasts] of [250, 420, 700].entries()) {
        const path = join(folder, `cache${life}`);
        const worker = startWorker();
        await worker.ask('open', path, { flushInterval, fsyncInterval: false });
        await worker.ask('ready');
        const begun = Date.now();
        await worker.ask('setForEver');
        // Whatever is the case then: this is about time, and nothing tells that it has passed.
        await new Promise((resolve) => setTimeout(resolve, flushInterval + lasts));
        await worker.kill();
        const killed = Date.now();
        const found = await foundIn(path);
        const times = Object.values(found) as number[];
        // In the order in which they were told, and without a gap.
        expect(Object.keys(found)).toEqual(times.map((_, at) => `n${at}`));
        expect(times[0] ?? Infinity).toBeLessThan(begun + LATE);
        expect(killed - (times.at(-1) ?? 0)).toBeLessThan(flushInterval + LATE);
      }
    }));
});

describe('close', () => {
  it('is one, however often it is called, and writes what is left', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache, errors } = keptIn(path, {}, { flushInterval: '1h' });
      await cache.set('k', 'v');
      const closes = [cache.close(), cache.close(), cache[Symbol.asyncDispose]()];
      await Promise.all(closes);
      await cache.close();
      expect(await foundIn(path)).toEqual({ k: 'v' });
      await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
      await expect(cache.set('k', 'w')).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
      expect(errors).toEqual([]);
      expect(await readdir(folder)).toEqual(['cache']);
    }));

  it('may come while it opens, loses nothing of the file then, and gives it back', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = keptIn(path);
      const wanted = new Map<string, unknown>();
      for (let at = 0; at < 2000; at++) {
        wanted.set(`k${at}`, at);
        await first.cache.set(`k${at}`, at);
      }
      await first.cache.close();
      for (const turns of [0, 1, 2, 3, 5, 8, 13, 21]) {
        const { cache, errors } = keptIn(path);
        for (let turn = 0; turn < turns; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        void cache.set('told', turns);
        void cache.delete(`k${turns}`);
        wanted.delete(`k${turns}`);
        await Promise.all([cache.close(), cache.close()]);
        expect(errors).toEqual([]);
        expect(await readdir(folder)).toEqual(['cache']);
        expect(await foundIn(path)).toEqual({ ...Object.fromEntries(wanted), told: turns });
      }
    }));

  it('ends within 3 s when the disk hangs, and so does a get that waits', () =>
    inFolder(async (above) => {
      const folder = join(above, 'folder');
      const why = await whyNoHanging(folder);
      if (why !== undefined) {
        console.warn(`not tested: nothing can be made to hang here (${why})`);
        return;
      }
      const open = keptIn(join(folder, 'cache'));
      await open.cache.set('k', 'v');
      await open.cache.flush();
      const release = hang(folder);
      try {
        const late = keptIn(join(folder, 'late'));
        const get = late.cache.get('k', () => 'loaded');
        const held = expect(get).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
        await open.cache.set('k', 'w');
        const flush = open.cache.flush();
        const unflushed = expect(flush).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
        expect(await open.cache.get('k')).toBe('w');
        const begun = performance.now();
        await Promise.all([open.cache.close(), late.cache.close(), held, unflushed]);
        expect(performance.now() - begun).toBeLessThan(3000);
      } finally {
        release();
      }
      // It went on where it hung, and what was flushed before is there in any case.
      await until(async () => !(await readdir(folder)).includes('cache.lock'));
      expect(await foundIn(join(folder, 'cache'))).toHaveProperty('k');
    }));
});

describe('a process', () => {
  it('goes on in memory where another has the file, and nobody has to await ready', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache } = keptIn(path);
      await cache.set('k', 'v');
      await cache.flush();
      const [stranger, careless] = [startWorker(), startWorker()];
      await stranger.ask('open', path);
      await expect(stranger.ask('ready')).rejects.toMatchObject({ ...locked, pid: process.pid });
      await stranger.ask('set', 'k', 'own');
      expect(await stranger.ask('get', 'k')).toBe('own');
      await expect(stranger.ask('flush')).rejects.toMatchObject({ ...locked, pid: process.pid });
      await stranger.ask('close');
      expect(await stranger.ask('errors')).toMatchObject([locked]);

      // An unhandled rejection would end it with another code.
      await careless.ask('open', path);
      await careless.ask('set', 'k', 'own');
      expect(await careless.ask('get', 'k')).toBe('own');
      await careless.ask('leaveAlone');
      expect(await careless.ended).toEqual({ code: 0, signal: null, stderr: '' });

      await cache.set('k', 'w');
      await cache.close();
      await untilFound(path, { k: 'w' });
    }));

  it('ends by itself though its cache is open, and its file is free for the next one', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const worker = startWorker();
      await worker.ask('open', path, { flushInterval: '1h' });
      await worker.ask('set', 'k', 'v');
      await worker.ask('flush');
      await worker.ask('set', 'late', 'v');
      await worker.ask('leaveAlone');
      expect(await worker.ended).toEqual({ code: 0, signal: null, stderr: '' });
      const { cache, errors } = keptIn(path);
      await cache.ready;
      expect([cache.peek('k'), cache.peek('late'), errors]).toEqual(['v', undefined, []]);
      await cache.close();
    }));

  it('ends by itself when it is closed while it writes without a pause', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'deep', 'folder', 'cache');
      await mkdir(folder, { recursive: true });
      const worker = startWorker();
      await worker.ask('open', path, { flushInterval: 0, fsyncInterval: 0 });
      for (let at = 0; at < 20; at++) await worker.ask('set', `k${at}`, at);
      await worker.ask('close');
      await worker.ask('leaveAlone');
      expect(await worker.ended).toEqual({ code: 0, signal: null, stderr: '' });
      expect(Object.keys(await foundIn(path)).length).toBe(20);
    }));
});
