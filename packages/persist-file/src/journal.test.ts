import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entryOf, inFolder, openSession, until, valuesOf } from '../test/host.js';

describe('the file in use', () => {
  it('is rewritten when most of it is garbage, and keeps what is changed meanwhile', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const settings = { leastToCompact: 100_000 };
      const session = await openSession(path, { flushInterval: 1 }, settings);
      const { persistence, restored } = session;
      const model = new Map<string, number>();
      session.order = () => model.keys();
      let number = 0;
      let rewrites = 0;
      let { ino } = { ino: 0 };
      for (let round = 0; round < 150; round++) {
        for (let at = 0; at < 40; at++) {
          const key = `k${Math.floor(Math.random() * 200)}`;
          if (Math.random() < 0.3) {
            persistence.delete(key);
            model.delete(key);
          } else {
            persistence.set(key, entryOf({ number: ++number, text: 'x'.repeat(300) }));
            model.delete(key);
            model.set(key, number);
          }
        }
        if (round === 75) {
          persistence.clear();
          model.clear();
        }
        await persistence.flush();
        const now = (await stat(path)).ino;
        if (now !== ino) rewrites++;
        ino = now;
      }
      expect(restored.size).toBe(0);
      await persistence.close();
      expect(session.errors).toEqual([]);
      expect(rewrites).toBeGreaterThan(3);
      const next = await openSession(path);
      const numbers = [...next.restored].map(([key, { value }]) => [
        key,
        (value as { number: number }).number,
      ]);
      // The order of use as well.
      expect(numbers).toEqual([...model]);
      expect(next.errors).toEqual([]);
      await next.persistence.close();
      expect((await readdir(folder)).filter((name) => name !== 'cache')).toEqual([]);
    }));

  it('never grows over maxBytes, and keeps what was used last', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const maxBytes = 100_000;
      const session = await openSession(path, { maxBytes, flushInterval: '1h' });
      const { persistence } = session;
      const used: string[] = [];
      session.order = () => used;
      for (let at = 0; at < 1000; at++) {
        persistence.set(`k${at}`, entryOf('x'.repeat(900)));
        used.push(`k${at}`);
        if (at % 7 === 0) {
          await persistence.flush();
          expect((await stat(path)).size).toBeLessThanOrEqual(maxBytes);
        }
      }
      persistence.set('huge', entryOf('x'.repeat(maxBytes)));
      persistence.set('k999', entryOf('x'.repeat(maxBytes)));
      persistence.set('large', entryOf('x'.repeat(60_000)));
      used.push('large');
      await persistence.close();
      expect(session.errors).toEqual([]);
      const next = await openSession(path, { maxBytes });
      const keys = [...next.restored.keys()];
      expect(keys.at(-1)).toBe('large');
      expect(keys).not.toContain('huge');
      expect(keys).not.toContain('k999');
      expect(keys).toContain('k998');
      expect(keys.length).toBeGreaterThan(15);
      await next.persistence.close();
    }));

  it('tells of a value that has no form in bytes, and forgets the older one', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const told: Error[] = [];
      const session = await openSession(path, {
        onError: (error) => {
          told.push(error);
          throw new Error('of the listener');
        },
      });
      session.persistence.set('k', entryOf(1));
      await session.persistence.flush();
      session.persistence.set(
        'k',
        entryOf(() => 1),
      );
      session.persistence.set('l', entryOf(2));
      await expect(session.persistence.flush()).rejects.toMatchObject({
        code: 'ERR_ACACHE_UNSERIALIZABLE',
        key: 'k',
      });
      await session.persistence.flush();
      expect(told.length).toBe(1);
      expect(session.errors).toEqual(told);
      await session.persistence.close();
      const next = await openSession(path);
      expect(valuesOf(next)).toEqual({ l: 2 });
      await next.persistence.close();
    }));

  it('writes within the interval without being asked', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path, { flushInterval: 10 });
      session.persistence.set('k', entryOf(1));
      await until(async () => (await stat(path).catch(() => ({ size: 0 }))).size > 0);
      await session.persistence.close();
    }));

  it('may be closed twice, and before it is opened', () =>
    inFolder(async (folder) => {
      const session = await openSession(join(folder, 'cache'));
      await Promise.all([session.persistence.close(), session.persistence.close()]);
      expect(await readdir(folder)).toEqual([]);
    }));

  it('is brought to its size where it was larger before', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = await openSession(path);
      for (let at = 0; at < 500; at++) first.persistence.set(`k${at}`, entryOf('x'.repeat(1000)));
      await first.persistence.close();
      const second = await openSession(path, { maxBytes: 100_000 });
      expect((await stat(path)).size).toBeLessThanOrEqual(100_000);
      await second.persistence.close();
      const third = await openSession(path);
      expect(third.restored.size).toBeGreaterThan(50);
      expect(third.restored.has('k499')).toBe(true);
      expect([...first.errors, ...second.errors, ...third.errors]).toEqual([]);
      await third.persistence.close();
    }));

  it('goes without a value that is too large for it, and keeps all others', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      // As large as it says, without the memory.
      const large = new Proxy(Buffer.alloc(1), {
        get: (bytes, name) =>
          name === 'length' ? 2 ** 31 : (Reflect.get(bytes, name, bytes) as unknown),
      });
      const serialize = (value: unknown) =>
        value === 'large' ? large : Buffer.from(String(value));
      const serializer = {
        serialize,
        deserialize: (bytes: Uint8Array) => String(Buffer.from(bytes)),
      };
      const session = await openSession(path, { serializer });
      session.persistence.set('a', entryOf('a'));
      session.persistence.set('b', entryOf('large'));
      session.persistence.set('c', entryOf('c'));
      await expect(session.persistence.flush()).rejects.toThrow(
        /of key "b" cannot be kept in a file: a value may have/,
      );
      await session.persistence.flush();
      await session.persistence.close();
      const next = await openSession(path, { serializer });
      expect(valuesOf(next)).toEqual({ a: 'a', c: 'c' });
      await next.persistence.close();
    }));
});
