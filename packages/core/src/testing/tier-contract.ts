import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Tier, TierAnswer, TierHost, TierIntent, TierLease, TierNamespace } from '../tier.js';
import { expectEqual, type ContractCase } from './contract-case.js';

/** A tier under test. */
export interface TierUnderTest {
  /** Another process's tier on the same storage; called more than once in a case. */
  tier(): Tier;
  /** Frees what the case used. */
  close?(): Promise<void> | void;
}

export interface TierContractOptions {
  /**
   * Whether it tells of changes and grants leases across processes. Without, those cases are left out.
   * @defaultValue `true`
   */
  coherent?: boolean;
}

type MakeTier = () => TierUnderTest | Promise<TierUnderTest>;

/** One process on the tier, and what the tier told it. */
interface Process {
  readonly space: TierNamespace;
  readonly told: { keys: Set<string>; tags: Set<string>; all: number };
}

const HOUR = 3_600_000;
const clock: Clock = systemClock();

/**
 * What every `Tier` must do, as cases for any test runner.
 *
 * @param makeTier - makes an empty tier for each case
 */
export function tierContract(
  makeTier: MakeTier,
  options: TierContractOptions = {},
): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (name: string, body: (join: (name?: string) => Process) => Promise<void>): void => {
    cases.push({ name, run: () => inCase(makeTier, body) });
  };

  add('finds what was set, with its instants and tags', async (join) => {
    const { space } = join();
    const entry = { ...anEntry({ id: 1 }), staleWhileRevalidate: 1000, tags: ['a', 'b'] };
    await space.set('k', entry);
    const found = await look(space, 'k', 'read');
    expectEqual(found.kind, 'found', 'what was set');
    if (found.kind !== 'found') return;
    const { value, createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } = found.entry;
    const came = { value, createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags };
    expectEqual(came, { ...entry }, 'the entry');
  });

  add('answers each request of a lookup in its order', async (join) => {
    const { space } = join();
    await space.set('one', anEntry(1));
    await space.set('three', anEntry(3));
    const answers = await space.lookup(
      ['one', 'two', 'three'].map((key) => ({ key, intent: 'read' as const, tags: [] })),
    );
    const values = answers.map((answer) => (answer.kind === 'found' ? answer.entry.value : null));
    expectEqual(values, [1, null, 3], 'the values');
  });

  add('finds nothing of what is dead, and finds what is stale', async (join) => {
    const { space } = join();
    const past = clock.now() - 1000;
    const old = { ...anEntry('old'), createdAt: past - 1000, freshUntil: past };
    await space.set('dead', old);
    await space.set('stale', { ...old, staleIfError: HOUR });
    expectEqual((await look(space, 'dead', 'read')).kind, 'missing', 'a dead entry');
    expectEqual((await look(space, 'stale', 'read')).kind, 'found', 'a stale entry');
  });

  add('forgets a deleted key before the promise of the delete settles', async (join) => {
    const { space } = join();
    await space.set('k', anEntry(1));
    const deleted = space.delete('k');
    expectEqual((await look(space, 'k', 'read')).kind, 'missing', 'the key');
    await deleted;
    expectEqual((await look(space, 'k', 'read')).kind, 'missing', 'the key afterwards');
  });

  add('makes an expired key stale, and removes it without a stale window', async (join) => {
    const { space } = join();
    await space.set('k', anEntry(1));
    await space.set('windowed', { ...anEntry(2), staleIfError: HOUR });
    await Promise.all([space.expire('k'), space.expire('windowed')]);
    expectEqual((await look(space, 'k', 'read')).kind, 'missing', 'a key without windows');
    const stale = await look(space, 'windowed', 'read');
    expectEqual(stale.kind, 'found', 'a key with a window');
    const fresh = stale.kind === 'found' && stale.entry.freshUntil > clock.now();
    expectEqual(fresh, false, 'its freshness');
  });

  add('removes what carries an invalidated tag, and nothing else', async (join) => {
    const { space } = join();
    await space.set('tagged', { ...anEntry(1), tags: ['t', 'u'] });
    await space.set('other', { ...anEntry(2), tags: ['u'] });
    await space.invalidateTags(['t']);
    expectEqual((await look(space, 'tagged', 'read')).kind, 'missing', 'the tagged entry');
    expectEqual((await look(space, 'other', 'read')).kind, 'found', 'the other entry');
    await space.set('tagged', { ...anEntry(3), tags: ['t'] });
    expectEqual((await look(space, 'tagged', 'read')).kind, 'found', 'an entry set afterwards');
  });

  add('clears its own namespace only', async (join) => {
    const mine = join('mine').space;
    const other = join('mine:more').space;
    await mine.set('k', anEntry(1));
    await other.set('k', anEntry(2));
    await mine.clear();
    expectEqual((await look(mine, 'k', 'read')).kind, 'missing', 'the cleared namespace');
    expectEqual((await look(other, 'k', 'read')).kind, 'found', 'the other namespace');
  });

  add('keeps odd keys apart', async (join) => {
    const { space } = join();
    const keys = ['', ' ', 'a:b', 'a', '{a}', '*', 's1:a', '%', 'ü', '\u0000', '__proto__'];
    for (const key of keys) await space.set(key, anEntry(key));
    for (const key of keys) {
      const answer = await look(space, key, 'read');
      expectEqual(answer.kind === 'found' && answer.entry.value, key, `key ${JSON.stringify(key)}`);
    }
  });

  add('gives no lease to one who only looks', async (join) => {
    const { space } = join();
    const answer = await look(space, 'k', 'read');
    expectEqual('lease' in answer && answer.lease !== undefined, false, 'a lease');
  });

  add('flushes and closes', async (join) => {
    const { space } = join();
    await space.set('k', anEntry(1));
    await space.flush();
    await space.close();
  });

  return options.coherent === false ? cases : [...cases, ...sharedCases(makeTier)];
}

/** What only a tier can do that coordinates processes. */
function sharedCases(makeTier: MakeTier): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (name: string, body: (join: (name?: string) => Process) => Promise<void>): void => {
    cases.push({ name, run: () => inCase(makeTier, body) });
  };

  add('lets one process load, and hands its value to the one that waits', async (join) => {
    const [first, second] = [join(), join()];
    const lease = await leaseOf(first, 'k');
    const busy = await look(second.space, 'k', 'load');
    expectEqual(busy.kind, 'busy', 'the second process');
    if (busy.kind !== 'busy') return;
    const settled = busy.settled();
    expectEqual(await lease.commit(anEntry('loaded')), 'stored', 'the commit');
    const answer = await settled;
    expectEqual(answer.kind === 'found' && answer.entry.value, 'loaded', 'what the second got');
  });

  add('lets the next process load when the first gave its lease back', async (join) => {
    const [first, second] = [join(), join()];
    const lease = await leaseOf(first, 'k');
    const busy = await look(second.space, 'k', 'load');
    if (busy.kind !== 'busy') throw new Error(`expected busy, got ${busy.kind}`);
    const settled = busy.settled();
    await lease.release();
    const answer = await settled;
    expectEqual(answer.kind, 'missing', 'the answer');
    expectEqual('lease' in answer && answer.lease !== undefined, true, 'its lease');
  });

  const revocations: [string, (space: TierNamespace) => Promise<void>, unknown][] = [
    ['a delete', (space) => space.delete('k'), 'missing'],
    ['a set', (space) => space.set('k', anEntry('set')), 'set'],
    ['an expire', (space) => space.expire('k'), 'missing'],
    ['an invalidation of its tag', (space) => space.invalidateTags(['t']), 'missing'],
    ['a clear', (space) => space.clear(), 'missing'],
  ];
  for (const [what, revoke, expected] of revocations) {
    add(`stores nothing of a load that ${what} elsewhere came between`, async (join) => {
      const [first, second] = [join(), join()];
      const lease = await leaseOf(first, 'k');
      await revoke(second.space);
      const entry = { ...anEntry('loaded'), tags: ['t'] };
      expectEqual(await lease.commit(entry), 'refused', 'the commit');
      const answer = await look(second.space, 'k', 'read');
      const there = answer.kind === 'found' ? answer.entry.value : answer.kind;
      expectEqual(there, expected, 'what is there');
    });
  }

  add('lets a refresh take the lease over', async (join) => {
    const [first, second] = [join(), join()];
    const older = await leaseOf(first, 'k');
    const newer = await leaseOf(second, 'k', 'refresh');
    expectEqual(await older.commit(anEntry('older')), 'refused', 'the older load');
    expectEqual(await newer.commit(anEntry('newer')), 'stored', 'the newer load');
  });

  add('lets one process refresh a stale entry, and serves it to the others', async (join) => {
    const [first, second] = [join(), join()];
    const past = clock.now() - 1000;
    const stale = { ...anEntry('stale'), createdAt: past - 1, freshUntil: past };
    await first.space.set('k', { ...stale, staleWhileRevalidate: HOUR });
    await leaseOf(first, 'k');
    const answer = await look(second.space, 'k', 'load');
    expectEqual(answer.kind, 'found', 'the second process');
    expectEqual('lease' in answer && answer.lease !== undefined, false, 'a second lease');
  });

  add('tells the other processes of every change', async (join) => {
    const [writer, reader] = [join(), join()];
    await writer.space.set('set', anEntry(1));
    await writer.space.delete('deleted');
    await writer.space.expire('expired');
    await writer.space.invalidateTags(['t']);
    await until(() => {
      const { keys, tags, all } = reader.told;
      const everyKey = ['set', 'deleted', 'expired'].every((key) => keys.has(key));
      return all > 0 || (everyKey && tags.has('t'));
    }, 'that the reader is told');
    const { all } = reader.told;
    await writer.space.clear();
    await until(() => reader.told.all > all, 'that the reader is told of the clear');
  });

  return cases;
}

async function inCase(
  makeTier: MakeTier,
  body: (join: (name?: string) => Process) => Promise<void>,
): Promise<void> {
  const underTest = await makeTier();
  const joined: Process[] = [];
  try {
    const join = (name = 'contract'): Process => {
      const told: Process['told'] = { keys: new Set(), tags: new Set(), all: 0 };
      const space = underTest.tier().attach(name, hostOf(told));
      const process = { space, told };
      joined.push(process);
      return process;
    };
    await body(join);
  } finally {
    await Promise.all(joined.map(({ space }) => space.close()));
    await underTest.close?.();
  }
}

function hostOf(told: Process['told']): TierHost {
  return {
    clock,
    invalidate: (keys) => {
      for (const key of keys) told.keys.add(key);
    },
    invalidateTags: (tags) => {
      for (const tag of tags) told.tags.add(tag);
    },
    invalidateAll: () => {
      told.all++;
    },
    report: () => undefined,
    fail: () => undefined,
  };
}

function anEntry(value: unknown): Entry {
  const createdAt = clock.now();
  const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
  return { value, createdAt, freshUntil: createdAt + HOUR, ...windows, tags: [] };
}

async function look(space: TierNamespace, key: string, intent: TierIntent): Promise<TierAnswer> {
  await space.ready;
  const [answer] = await space.lookup([{ key, intent, tags: ['t'] }]);
  if (answer === undefined) throw new Error('expected one answer for one request, got none');
  return answer;
}

async function leaseOf(
  { space }: Process,
  key: string,
  intent: TierIntent = 'load',
): Promise<TierLease> {
  const answer = await look(space, key, intent);
  const lease = 'lease' in answer ? answer.lease : undefined;
  if (lease === undefined) throw new Error(`expected a lease, got ${answer.kind} without one`);
  return lease;
}

/** Waits for what another process's change brings about; five seconds are plenty. */
async function until(happened: () => boolean, what: string): Promise<void> {
  const end = clock.now() + 5000;
  while (!happened()) {
    if (clock.now() > end) throw new Error(`expected within 5 s: ${what}`);
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 5);
    });
  }
}
