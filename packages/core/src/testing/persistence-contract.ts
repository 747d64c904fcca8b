import { systemClock, type Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Persistence } from '../persistence.js';
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

  return cases;
}

const ODD_KEYS = ['', ' ', 'a:b', 'a\nb', '\u0000', 'ü', '__proto__', 's1:a', 'n1;'];

function anEntry(value: unknown): Entry {
  const createdAt = clock.now();
  const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
  return { value, createdAt, freshUntil: createdAt + HOUR, ...windows, tags: [] };
}

async function restore(
  persistence: Persistence,
  order: readonly string[] = [],
): Promise<Map<string, Entry>> {
  const restored = new Map<string, Entry>();
  await persistence.open({
    clock,
    restore: (key, entry) => {
      restored.set(key, entry);
    },
    order: () => order,
    fail: (error) => {
      throw error;
    },
  });
  return restored;
}
