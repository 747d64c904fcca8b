import { systemClock, type Clock } from '../clock.js';
import { diesAt, type Entry } from '../entry.js';
import type { Archive, Persistence, PersistenceHost } from '../persistence.js';
import { expectEqual, type ContractCase } from './contract-case.js';

/** A storage under test. */
export interface PersistenceUnderTest {
  /** A persistence on the same storage, as another process would make it after a restart. */
  persistence(): Persistence;
  /** Frees what the case used. */
  close?(): Promise<void> | void;
}

const HOUR = 3_600_000;
const clock: Clock = systemClock();

/**
 * What every `Persistence` must do, as cases for any test runner.
 *
 * @param make - makes an empty storage for each case
 */
export function persistenceContract(
  make: () => PersistenceUnderTest | Promise<PersistenceUnderTest>,
): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (
    name: string,
    write: (persistence: Persistence) => Promise<void> | void,
    check: (restored: ReadonlyMap<string, Entry>) => void,
    order: readonly string[] = [],
  ): void => {
    const run = async (): Promise<void> => {
      const underTest = await make();
      try {
        const first = underTest.persistence();
        await restore(first, order);
        await write(first);
        await first.flush();
        await first.close();
        const second = underTest.persistence();
        check(await restore(second));
        await second.close();
      } finally {
        await underTest.close?.();
      }
    };
    cases.push({ name, run });
  };

  add(
    'begins empty, and restores nothing of nothing',
    () => undefined,
    (restored) => {
      expectEqual(restored.size, 0, 'entries');
    },
  );

  const full = {
    ...anEntry({ id: 1 }),
    staleWhileRevalidate: 1000,
    staleIfError: 2000,
    tags: ['a', 'b'],
  };
  add(
    'restores an entry with its instants and tags',
    (persistence) => {
      persistence.set('k', full);
    },
    (restored) => {
      const entry = restored.get('k');
      const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } = entry ?? full;
      const times = { createdAt, freshUntil, staleWhileRevalidate, staleIfError };
      expectEqual({ value: entry?.value, ...times, tags }, full, 'the entry');
    },
  );

  add(
    'keeps what never expires',
    (persistence) => {
      persistence.set('k', { ...anEntry(1), freshUntil: Infinity });
    },
    (restored) => {
      expectEqual(restored.get('k')?.freshUntil, Infinity, 'its end');
    },
  );

  add(
    'restores the last state of each key',
    (persistence) => {
      persistence.set('k', anEntry('old'));
      persistence.set('k', anEntry('new'));
      persistence.set('gone', anEntry(1));
      persistence.delete('gone');
      persistence.set('back', anEntry(1));
      persistence.delete('back');
      persistence.set('back', anEntry(2));
    },
    (restored) => {
      expectEqual(restored.get('k')?.value, 'new', 'a key set twice');
      expectEqual(restored.has('gone'), false, 'a deleted key');
      expectEqual(restored.get('back')?.value, 2, 'a key set after its delete');
    },
  );

  add(
    'keeps a key deleted that was flushed before',
    async (persistence) => {
      persistence.set('k', anEntry(1));
      await persistence.flush();
      persistence.delete('k');
    },
    (restored) => {
      expectEqual(restored.has('k'), false, 'the key');
    },
  );

  add(
    'forgets all that was there before a clear',
    async (persistence) => {
      persistence.set('before', anEntry(1));
      await persistence.flush();
      persistence.clear();
      persistence.set('after', anEntry(2));
    },
    (restored) => {
      expectEqual([...restored.keys()], ['after'], 'the keys');
    },
  );

  const past = clock.now() - 1000;
  add(
    'does not bring back what is dead, and brings back what is stale',
    (persistence) => {
      const old = { ...anEntry(1), createdAt: past - 1000, freshUntil: past };
      persistence.set('dead', old);
      persistence.set('stale', { ...old, staleIfError: HOUR });
    },
    (restored) => {
      expectEqual([...restored.keys()], ['stale'], 'the keys');
    },
  );

  add(
    'restores the least recently used first',
    (persistence) => {
      for (const key of ['a', 'b', 'c']) persistence.set(key, anEntry(key));
    },
    (restored) => {
      expectEqual([...restored.keys()], ['b', 'c', 'a'], 'the order');
    },
    ['b', 'c', 'a'],
  );

  add(
    'keeps odd keys apart',
    (persistence) => {
      for (const key of ODD_KEYS) persistence.set(key, anEntry(key));
    },
    (restored) => {
      for (const key of ODD_KEYS) expectEqual(restored.get(key)?.value, key, JSON.stringify(key));
    },
  );

  add(
    'keeps odd tags, and undefined and null as values',
    (persistence) => {
      persistence.set('tagged', { ...anEntry(undefined), tags: ODD_TAGS });
      persistence.set('null', anEntry(null));
    },
    (restored) => {
      expectEqual(restored.get('tagged')?.tags, ODD_TAGS, 'the tags');
      expectEqual(restored.get('tagged')?.value, undefined, 'a value that is undefined');
      expectEqual([restored.has('null'), restored.get('null')?.value], [true, null], 'null');
    },
  );

  add(
    'takes a delete of what is not there, a clear of nothing, and a clear after a clear',
    (persistence) => {
      persistence.delete('nothing');
      persistence.clear();
      persistence.clear();
      persistence.delete('nothing');
      persistence.set('k', anEntry(1));
    },
    (restored) => {
      expectEqual([...restored.keys()], ['k'], 'the keys');
    },
  );

  add(
    'keeps the newest of many changes that several flushes run beside',
    async (persistence) => {
      const flushes: Promise<void>[] = [];
      for (let round = 0; round < 50; round++) {
        persistence.set('k', anEntry(round));
        if (round % 3 === 0) persistence.delete('gone');
        else persistence.set('gone', anEntry(round));
        flushes.push(persistence.flush());
        if (round % 7 === 0) await flushes.at(-1);
      }
      persistence.delete('gone');
      await Promise.all(flushes);
    },
    (restored) => {
      expectEqual(restored.get('k')?.value, 49, 'the key');
      expectEqual(restored.has('gone'), false, 'the deleted key');
    },
  );

  add(
    'keeps an entry that is changed to a shorter life, as an expire does',
    async (persistence) => {
      const entry = { ...anEntry(1), staleIfError: HOUR };
      persistence.set('k', entry);
      await persistence.flush();
      persistence.set('k', { ...entry, freshUntil: entry.createdAt });
    },
    (restored) => {
      const entry = restored.get('k');
      expectEqual(entry?.freshUntil, entry?.createdAt ?? 0, 'its end');
    },
  );

  const addSessions = (
    name: string,
    ...sessions: ((persistence: Persistence, tell: Session) => Promise<void> | void)[]
  ): void => {
    const run = async (): Promise<void> => {
      const underTest = await make();
      try {
        for (const session of sessions) {
          const persistence = underTest.persistence();
          const order: string[] = [];
          const opened = restore(persistence, order);
          opened.catch(() => undefined);
          await session(persistence, { opened, order });
          await persistence.close();
          // One that was closed while it restored may say so.
          await opened.catch(() => undefined);
        }
      } finally {
        await underTest.close?.();
      }
    };
    cases.push({ name, run });
  };

  addSessions(
    'writes at its close what was not flushed',
    async (persistence, { opened }) => {
      await opened;
      persistence.set('k', anEntry(1));
    },
    async (_persistence, { opened }) => {
      expectEqual((await opened).get('k')?.value, 1, 'the value');
    },
  );

  addSessions(
    'takes what is told while it restores for newer than what it restores',
    async (persistence, { opened }) => {
      await opened;
      for (const key of ['set', 'deleted', 'left']) persistence.set(key, anEntry('old'));
    },
    async (persistence, { opened }) => {
      persistence.set('set', anEntry('new'));
      persistence.delete('deleted');
      await opened;
      await persistence.flush();
    },
    async (_persistence, { opened }) => {
      const restored = await opened;
      expectEqual(restored.get('set')?.value, 'new', 'what was set');
      expectEqual(restored.has('deleted'), false, 'what was deleted');
      expectEqual(restored.get('left')?.value, 'old', 'what was left alone');
    },
  );

  addSessions(
    'takes a clear while it restores for newer than what it restores',
    async (persistence, { opened }) => {
      await opened;
      persistence.set('before', anEntry(1));
    },
    async (persistence, { opened }) => {
      persistence.clear();
      persistence.set('after', anEntry(2));
      await opened;
    },
    async (_persistence, { opened }) => {
      expectEqual([...(await opened).keys()], ['after'], 'the keys');
    },
  );

  addSessions(
    'loses nothing when it is closed while it restores',
    async (persistence, { opened }) => {
      await opened;
      for (const key of ['a', 'b']) persistence.set(key, anEntry(key));
    },
    (persistence) => {
      persistence.set('c', anEntry('c'));
    },
    async (_persistence, { opened }) => {
      expectEqual([...(await opened).keys()].sort(), ['a', 'b', 'c'], 'the keys');
    },
  );

  addSessions(
    'writes recency though nothing else changed',
    async (persistence, { opened, order }) => {
      await opened;
      for (const key of ['a', 'b', 'c']) persistence.set(key, anEntry(key));
      order.push('a', 'b', 'c');
    },
    async (_persistence, { opened, order }) => {
      await opened;
      order.push('c', 'a', 'b');
    },
    async (_persistence, { opened }) => {
      expectEqual([...(await opened).keys()], ['c', 'a', 'b'], 'the order');
    },
  );

  addSessions(
    'makes a restored value when it is asked for, whatever was written since',
    async (persistence, { opened }) => {
      await opened;
      for (let at = 0; at < 100; at++) persistence.set(`k${at}`, anEntry({ at }));
    },
    async (persistence, { opened }) => {
      const restored = await opened;
      for (let at = 0; at < 90; at++) persistence.delete(`k${at}`);
      persistence.set('k95', anEntry('new'));
      await persistence.flush();
      for (let at = 0; at < 100; at++) {
        expectEqual(restored.get(`k${at}`)?.value, { at }, `the value of k${at}`);
      }
    },
    async (_persistence, { opened }) => {
      const restored = await opened;
      expectEqual(restored.size, 10, 'entries');
      expectEqual(restored.get('k95')?.value, 'new', 'the value that was set again');
      expectEqual(restored.get('k99')?.value, { at: 99 }, 'a value that was never asked for');
    },
  );

  const run = async (): Promise<void> => {
    const underTest = await make();
    try {
      const first = underTest.persistence();
      await restore(first);
      first.set('k', anEntry('v'));
      await first.close();
      const second = underTest.persistence();
      expectEqual((await restore(second, [], false)).get('k')?.value, 'v', 'the value');
      await second.close();
    } finally {
      await underTest.close?.();
    }
  };
  cases.push({ name: 'restores to a host that knows no archives', run });

  return cases;
}

/** What a case knows of one process. */
interface Session {
  /** What was restored, once all is. */
  readonly opened: Promise<Map<string, Entry>>;
  /** What the cache says when it is asked for its order. */
  readonly order: string[];
}

const ODD_TAGS = ['a', ' ', 'a,b', 'a\nb', '\u0000', 'ü', '__proto__', '\ud800', '\ufffd'];
const ODD_KEYS = ['', ' ', 'a:b', 'a\nb', '\u0000', 'ü', '__proto__', 's1:a', 'n1;'];

function anEntry(value: unknown): Entry {
  const createdAt = clock.now();
  const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
  return { value, createdAt, freshUntil: createdAt + HOUR, ...windows, tags: [] };
}

/** Opens it as a cache does, and looks at everything that is put back. */
async function restore(
  persistence: Persistence,
  order: readonly string[] = [],
  knowsArchives = true,
): Promise<Map<string, Entry>> {
  const restored = new Map<string, Entry>();
  const twice: string[] = [];
  const put = (key: string, entry: Entry): void => {
    if (restored.has(key)) twice.push(key);
    restored.set(key, entry);
  };
  const host: PersistenceHost = {
    clock,
    restore: put,
    order: () => order,
    fail: (error) => {
      throw error;
    },
  };
  if (knowsArchives) host.restoreFrom = restoringFrom(put);
  await persistence.open(host);
  expectEqual(twice, [], 'keys that were restored more than once');
  return restored;
}

/** What is put back from an archive: the archive must know the same of it in every way it is asked. */
function restoringFrom(
  put: (key: string, entry: Entry) => void,
): (archive: Archive, position: number) => void {
  let first: Archive | undefined;
  let last = -1;
  return (archive, position) => {
    first ??= archive;
    const key = archive.keyAt(position);
    const what = JSON.stringify(key);
    expectEqual(archive === first, true, 'that there is one archive');
    expectEqual(position > last, true, `that the position of ${what} is above the one before`);
    expectEqual(position < archive.length, true, `that the position of ${what} is in the archive`);
    expectEqual(archive.find(key), position, `the position of ${what}`);
    expectEqual(archive.find(`${key} with more`), -1, 'the position of what is not there');
    const entry = archive.entryAt(position);
    expectEqual(archive.diesAt(position), diesAt(entry), `the end of ${what}`);
    expectEqual(archive.isTagged(position), entry.tags.length > 0, `whether ${what} is tagged`);
    last = position;
    put(key, {
      ...timesOf(entry),
      // As late as a cache would ask.
      get value() {
        expectEqual(archive.find(key), position, `the position of ${what}, later`);
        return archive.entryAt(position).value;
      },
    });
  };
}

function timesOf(entry: Entry): Omit<Entry, 'value'> {
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } = entry;
  return { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags };
}
