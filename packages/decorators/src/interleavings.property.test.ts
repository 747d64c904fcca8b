import { AsyncCache } from '@acache/core';
import { cached, invalidates } from './index.js';

/** The same numbers for the same seed. */
const randomBy = (seed: number) => () =>
  (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;

interface Subject {
  read(id: number): Promise<number>;
  write(id: number, value: number): Promise<void>;
}
type Work = Subject & { random: () => number; tag: (id: number) => string[] };

const subjects: Record<string, (work: Work) => Subject> = {
  'functions with tags': ({ read, write, tag }) => ({
    read: cached({ tags: tag })(read),
    write: invalidates({ tags: tag })(write),
  }),
  'functions with stale windows': ({ read, write, tag }) => ({
    read: cached({ tags: tag, ttl: 1, staleWhileRevalidate: '1h', staleIfError: '1h' })(read),
    write: invalidates({ tags: tag })(write),
  }),
  'functions with keys': ({ read, write, tag }) => ({
    read: cached({ key: (id: number) => tag(id)[0] })(read),
    write: invalidates({ keys: tag })(write),
  }),
  'functions on a shared cache': ({ read, write, tag }) => {
    const cache = new AsyncCache<any, any>();
    return {
      read: cached({ cache, name: 'read', tags: tag })(read),
      write: invalidates({ cache, tags: tag })(write),
    };
  },
  'writes that throw': ({ read, write, tag }) => ({
    read: cached({ tags: tag })(read),
    write: invalidates({ tags: tag })(async (id: number, value: number) => {
      await write(id, value);
      throw new Error('written, and then failed');
    }),
  }),
  'several instances, nested reads and writes, and overrides': ({ read, write, tag, random }) => {
    class Base {
      @cached({ tags: tag })
      async read(id: number): Promise<number> {
        return read(id);
      }
      @cached({ tags: tag })
      async outer(id: number): Promise<number> {
        return this.read(id);
      }
      @invalidates({ tags: tag })
      async write(id: number, value: number): Promise<void> {
        return write(id, value);
      }
      @invalidates({ tags: tag })
      async outerWrite(id: number, value: number): Promise<void> {
        return this.write(id, value);
      }
    }
    class Heir extends Base {
      @cached({ tags: tag, scope: 'class' })
      override async read(id: number): Promise<number> {
        return super.read(id);
      }
    }
    const all = [new Base(), new Base(), new Heir()];
    const any = () => all[Math.floor(random() * all.length)]!;
    return {
      read: (id) => (random() < 0.5 ? any().read(id) : any().outer(id)),
      write: (id, value) => (random() < 0.5 ? any().write(id, value) : any().outerWrite(id, value)),
    };
  },
};

describe.each(Object.entries(subjects))('%s, read and written in random order', (name, make) => {
  it('never answer a read with less than what was written before it began', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = randomBy(seed * 7919 + name.length);
      const rows = new Map<number, number>();
      const lag = async () => {
        for (let turns = Math.floor(random() * 9); turns > 0; turns--) await Promise.resolve();
      };
      const { read, write } = make({
        random,
        tag: (id) => [`${name}/${seed}/${id}`],
        async read(id) {
          await lag();
          const value = rows.get(id) ?? 0;
          await lag();
          return value;
        },
        async write(id, value) {
          await lag();
          rows.set(id, value);
          await lag();
        },
      });

      const written = new Map<number, number>();
      const turn = new Map<number, Promise<void>>();
      const stale: string[] = [];
      const running: Promise<void>[] = [];
      let version = 0;
      for (let step = 0; step < 60; step++) {
        const id = Math.floor(random() * 2);
        if (random() < 0.3) {
          const writing = (turn.get(id) ?? Promise.resolve()).then(async () => {
            const value = ++version;
            await write(id, value).catch(() => undefined);
            written.set(id, value);
          });
          turn.set(id, writing);
          running.push(writing);
        } else {
          const least = written.get(id) ?? 0;
          running.push(
            read(id).then((value) => {
              if (value < least) stale.push(`seed ${seed}: ${value} after ${least}`);
            }),
          );
        }
        if (random() < 0.5) await lag();
      }
      await Promise.all(running);
      expect(stale).toEqual([]);
      for (const id of [0, 1]) expect(await read(id)).toBe(rows.get(id) ?? 0);
    }
  });
});
