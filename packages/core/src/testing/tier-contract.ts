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
  /** Closes it; the end of the case does so too. */
  leave(): Promise<void>;
}

type CaseBody = (join: (name?: string) => Process, underTest: TierUnderTest) => Promise<void>;

const HOUR = 3_600_000;
const ODD_TEXTS = ['', ' ', 'a:b', 'a', '{a}', '*', 's1:a', '%', 'ü', '\u0000', '__proto__'];
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
  const add = (name: string, body: CaseBody): void => {
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

  add('finds what never expires', async (join) => {
    const { space } = join();
    await space.set('k', { ...anEntry(1), freshUntil: Infinity });
    const found = await look(space, 'k', 'read');
    const end = found.kind === 'found' ? found.entry.freshUntil : undefined;
    expectEqual(end, Infinity, 'its end');
  });

  add('tells undefined and null from nothing', async (join) => {
    const { space } = join();
    for (const value of [undefined, null, false, 0, '']) {
      await space.set('k', anEntry(value));
      const found = await look(space, 'k', 'read');
      expectEqual(found.kind, 'found', `a value ${String(value)}`);
      if (found.kind === 'found') expectEqual(found.entry.value, value, 'the value');
    }
  });

  add('finds what was set last, with its own tags', async (join) => {
    const { space } = join();
    await Promise.all([
      space.set('k', { ...anEntry('first'), tags: ['first'] }),
      space.set('k', { ...anEntry('last'), tags: ['last'] }),
    ]);
    await space.invalidateTags(['first']);
    const found = await look(space, 'k', 'read');
    expectEqual(found.kind === 'found' && found.entry.value, 'last', 'the value');
    await space.invalidateTags(['last']);
    expectEqual((await look(space, 'k', 'read')).kind, 'missing', 'what carries the last tag');
  });

  add('sets many at once, where it can', async (join) => {
    const { space } = join();
    if (space.setMany === undefined) return;
    await space.setMany([
      ['a', { ...anEntry(1), tags: ['t'] }],
      ['b', anEntry(2)],
    ]);
    await space.invalidateTags(['t']);
    const answers = await lookAll(space, ['a', 'b'], 'read');
    expectEqual(
      answers.map(({ kind }) => kind),
      ['missing', 'found'],
      'the answers',
    );
  });

  add('answers each request of a lookup in its order', async (join) => {
    const { space } = join();
    await space.set('one', anEntry(1));
    await space.set('three', anEntry(3));
    const answers = await lookAll(space, ['one', 'two', 'three'], 'read');
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

  add('counts every change that was told before a lookup, however many wait', async (join) => {
    const { space } = join();
    await space.set('tagged', { ...anEntry(1), tags: ['t'] });
    await space.set('expired', anEntry(1));
    const told = [
      space.set('set', anEntry(2)),
      space.invalidateTags(['t']),
      space.expire('expired'),
      space.set('back', anEntry(1)),
      space.delete('back'),
      space.set('back', anEntry(3)),
    ];
    const answers = await lookAll(space, ['set', 'tagged', 'expired', 'back'], 'read');
    const values = answers.map((answer) =>
      answer.kind === 'found' ? answer.entry.value : answer.kind,
    );
    expectEqual(values, [2, 'missing', 'missing', 3], 'the values');
    await Promise.all(told);
  });

  add('neither prolongs nor makes anything by an expire', async (join) => {
    const { space } = join();
    const past = clock.now() - 1000;
    const stale = { ...anEntry(1), createdAt: past - 1, freshUntil: past, staleIfError: HOUR };
    await space.set('stale', stale);
    await Promise.all([space.expire('stale'), space.expire('nothing')]);
    const found = await look(space, 'stale', 'read');
    expectEqual(found.kind === 'found' && found.entry.freshUntil, past, 'its end');
    expectEqual((await look(space, 'nothing', 'read')).kind, 'missing', 'a key that was not there');
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
    const keys = [...ODD_TEXTS, 'k'.repeat(5000), `${'k'.repeat(5000)}!`];
    for (const key of keys) await space.set(key, anEntry(key));
    for (const key of keys) {
      const answer = await look(space, key, 'read');
      expectEqual(answer.kind === 'found' && answer.entry.value, key, `key ${JSON.stringify(key)}`);
    }
  });

  add('keeps odd tags apart', async (join) => {
    const { space } = join();
    const tags = [...ODD_TEXTS, '\ud800', '\ud801', '\ufffd'].filter((tag) => tag !== '');
    for (const [at, tag] of tags.entries()) {
      await space.set(`k${at}`, { ...anEntry(at), tags: [tag] });
    }
    for (const [at, tag] of tags.entries()) {
      await space.invalidateTags([tag]);
      const answers = await lookAll(
        space,
        tags.map((_, index) => `k${index}`),
        'read',
      );
      const left = answers.filter(({ kind }) => kind === 'found').length;
      expectEqual(left, tags.length - at - 1, `entries left after ${JSON.stringify(tag)}`);
    }
  });

  add('keeps odd namespaces apart', async (join) => {
    const names = ['n', 'n:', 'n:s1:k', '{n}', '*', '%', 'ü', '__proto__'];
    const spaces = names.map((name) => join(name).space);
    for (const [at, space] of spaces.entries()) await space.set('k', anEntry(at));
    await spaces[4]?.clear();
    for (const [at, space] of spaces.entries()) {
      const answer = await look(space, 'k', 'read');
      const value = answer.kind === 'found' ? answer.entry.value : answer.kind;
      expectEqual(value, at === 4 ? 'missing' : at, `namespace ${names[at] ?? ''}`);
    }
  });

  add('gives no lease to one who only looks', async (join) => {
    const { space } = join();
    const answer = await look(space, 'k', 'read');
    expectEqual('lease' in answer && answer.lease !== undefined, false, 'a lease');
  });

  add(
    'gives one who wants to load what is missing a lease, and stores what it commits',
    async (join) => {
      const { space } = join();
      const answer = await look(space, 'k', 'load');
      const lease = leaseIn(answer);
      expectEqual([answer.kind, lease !== undefined], ['missing', true], 'the answer');
      expectEqual(await lease?.commit(anEntry('loaded')), 'stored', 'the commit');
      const found = await look(space, 'k', 'load');
      expectEqual(found.kind === 'found' && found.entry.value, 'loaded', 'what is there');
    },
  );

  for (const [what, revoke, expected] of REVOCATIONS) {
    add(
      `stores nothing of a load that ${what} here came between, of a late tag too`,
      async (join) => {
        const { space } = join();
        const [answer] = await space.lookup([{ key: 'k', intent: 'load', tags: [] }]);
        const lease = answer && leaseIn(answer);
        if (lease === undefined) throw new Error('expected a lease');
        const revoked = revoke(space);
        const entry = { ...anEntry('loaded'), tags: ['t'] };
        expectEqual(await lease.commit(entry), 'refused', 'the commit');
        await revoked;
        const found = await look(space, 'k', 'read');
        expectEqual(
          found.kind === 'found' ? found.entry.value : found.kind,
          expected,
          'what is there',
        );
      },
    );
  }

  add('leaves one cache its namespace when another closes its own', async (join) => {
    const closing = join('closing');
    const staying = join('staying').space;
    await closing.leave();
    await staying.set('k', anEntry(1));
    expectEqual((await look(staying, 'k', 'read')).kind, 'found', 'what was set afterwards');
  });

  add('flushes and closes', async (join) => {
    const { space } = join();
    await space.set('k', anEntry(1));
    await space.flush();
    await space.close();
  });

  return options.coherent === false ? cases : [...cases, ...sharedCases(makeTier)];
}

/** What takes the right to store away from a load of `k`, and what is there then. */
const REVOCATIONS: [string, (space: TierNamespace) => Promise<void>, unknown][] = [
  ['a delete', (space) => space.delete('k'), 'missing'],
  ['a set', (space) => space.set('k', anEntry('set')), 'set'],
  ['an expire', (space) => space.expire('k'), 'missing'],
  ['an invalidation of its tag', (space) => space.invalidateTags(['t']), 'missing'],
  ['a clear', (space) => space.clear(), 'missing'],
];

/** What only a tier can do that coordinates processes. */
function sharedCases(makeTier: MakeTier): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (name: string, body: CaseBody): void => {
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

  add('gives one lease to two who ask for one key in one lookup', async (join) => {
    const { space } = join();
    const answers = await lookAll(space, ['k', 'k'], 'load');
    const leases = answers.flatMap((answer) => leaseIn(answer) ?? []);
    expectEqual(leases.length, 1, 'leases');
    const busy = answers.find((answer) => answer.kind === 'busy');
    if (busy === undefined) throw new Error('expected the other request to be busy');
    const settled = busy.settled();
    await leases[0]?.commit(anEntry('loaded'));
    const answer = await settled;
    expectEqual(answer.kind === 'found' && answer.entry.value, 'loaded', 'what the other got');
  });

  add('gives no lease for what is fresh, but to one who renews or refreshes it', async (join) => {
    const [first, second] = [join(), join()];
    await first.space.set('k', anEntry('fresh'));
    const found = async ({ space }: Process, intent: TierIntent): Promise<unknown[]> => {
      const answer = await look(space, 'k', intent);
      return [answer.kind, leaseIn(answer) !== undefined];
    };
    expectEqual(await found(first, 'load'), ['found', false], 'a load');
    expectEqual(await found(first, 'renew'), ['found', true], 'a renewal');
    expectEqual(await found(second, 'renew'), ['found', false], 'a second renewal');
    expectEqual(await found(second, 'load'), ['found', false], 'a load beside the renewal');
    expectEqual(await found(second, 'refresh'), ['found', true], 'a refresh');
  });

  add('hands what was set to one who waits for a load', async (join) => {
    const [first, second] = [join(), join()];
    await leaseOf(first, 'k');
    const busy = await look(second.space, 'k', 'load');
    if (busy.kind !== 'busy') throw new Error(`expected busy, got ${busy.kind}`);
    const settled = busy.settled();
    await first.space.set('k', anEntry('set'));
    const answer = await settled;
    expectEqual(answer.kind === 'found' && answer.entry.value, 'set', 'what the second got');
  });

  add('lets one who waits load when the key is deleted, though the load goes on', async (join) => {
    const [first, second] = [join(), join()];
    const lease = await leaseOf(first, 'k');
    const busy = await look(second.space, 'k', 'load');
    if (busy.kind !== 'busy') throw new Error(`expected busy, got ${busy.kind}`);
    const settled = busy.settled();
    await second.space.delete('k');
    const answer = await settled;
    expectEqual([answer.kind, leaseIn(answer) !== undefined], ['missing', true], 'the answer');
    expectEqual(await lease.commit(anEntry('old')), 'refused', 'the commit of the older load');
    expectEqual(await leaseIn(answer)?.commit(anEntry('new')), 'stored', 'that of the newer');
  });

  add('gives the leases back of one who closes', async (join) => {
    const [first, second] = [join(), join()];
    await leaseOf(first, 'k');
    await first.leave();
    expectEqual(leaseIn(await lookUntilFree(second.space, 'k')) !== undefined, true, 'a lease');
  });

  add('gives a lease anew for what a lease was given back of', async (join) => {
    const { space } = join();
    for (let round = 0; round < 3; round++) {
      const answer = await look(space, 'k', 'load');
      await leaseIn(answer)?.release();
      expectEqual([answer.kind, leaseIn(answer) !== undefined], ['missing', true], 'the answer');
    }
  });

  add('stores what carries no tag, whatever tags were invalidated meanwhile', async (join) => {
    const [first, second] = [join(), join()];
    const lease = await leaseOf(first, 'k');
    await second.space.invalidateTags(['other']);
    expectEqual(await lease.commit(anEntry('loaded')), 'stored', 'the commit');
  });

  add('leaves what was set untouched by a refused commit', async (join) => {
    const { space } = join();
    const answer = await look(space, 'k', 'load');
    await space.set('k', anEntry('set'));
    expectEqual(await leaseIn(answer)?.commit(anEntry('loaded')), 'refused', 'the commit');
    const found = await look(space, 'k', 'read');
    expectEqual(found.kind === 'found' && found.entry.value, 'set', 'what is there');
  });

  for (const [what, revoke, expected] of REVOCATIONS) {
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
    // Whoever is not connected yet holds nothing that could be out of date.
    await Promise.all([writer.space.ready, reader.space.ready]);
    await writer.space.set('set', anEntry(1));
    await writer.space.set('deleted', anEntry(1));
    await writer.space.set('expired', anEntry(1));
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

  add('tells the other processes of what a load stored over a stale entry', async (join) => {
    const [writer, reader] = [join(), join()];
    const past = clock.now() - 1000;
    const stale = { ...anEntry('old'), createdAt: past - 1, freshUntil: past };
    await writer.space.set('k', { ...stale, staleWhileRevalidate: HOUR });
    const lease = await leaseOf(writer, 'k');
    await look(reader.space, 'k', 'read');
    reader.told.keys.clear();
    await lease.commit(anEntry('new'));
    await until(() => reader.told.keys.has('k') || reader.told.all > 0, 'that the reader is told');
  });

  add('tells a process nothing of what it did itself', async (join) => {
    const [writer, reader] = [join(), join()];
    await writer.space.ready;
    await reader.space.ready;
    const before = writer.told.all;
    const lease = await leaseOf(writer, 'loaded');
    await lease.commit(anEntry(1));
    await (await leaseOf(writer, 'released')).release();
    await writer.space.set('set', anEntry(1));
    await writer.space.delete('deleted');
    await writer.space.expire('set');
    await writer.space.invalidateTags(['t']);
    await writer.space.clear();
    const { all } = reader.told;
    await until(() => all > 0 || reader.told.all > all, 'that the reader is told of the clear');
    await pause(50);
    expectEqual([...writer.told.keys], [], 'keys it was told');
    expectEqual([...writer.told.tags], [], 'tags it was told');
    expectEqual(writer.told.all - before, 0, 'how often anything may have changed');
  });

  add('takes two caches of one name for two processes', async (_join, underTest) => {
    const tier = underTest.tier();
    const told: Process['told'] = { keys: new Set(), tags: new Set(), all: 0 };
    const writer = tier.attach('twins', hostOf({ keys: new Set(), tags: new Set(), all: 0 }));
    const reader = tier.attach('twins', hostOf(told));
    try {
      await Promise.all([writer.ready, reader.ready]);
      await look(reader, 'k', 'read');
      await writer.set('k', anEntry(1));
      await until(() => told.keys.has('k') || told.all > 0, 'that the twin is told');
      await writer.close();
      expectEqual((await look(reader, 'k', 'read')).kind, 'found', 'what the other finds');
      const again = tier.attach('twins', hostOf({ keys: new Set(), tags: new Set(), all: 0 }));
      expectEqual((await look(again, 'k', 'read')).kind, 'found', 'what one who comes back finds');
      await again.close();
    } finally {
      await reader.close();
    }
  });

  add('vouches for memory once it is connected', async (join) => {
    const { space } = join();
    await space.ready;
    await until(() => space.coherent(), 'that it is coherent');
  });

  return cases;
}

async function inCase(makeTier: MakeTier, body: CaseBody): Promise<void> {
  const underTest = await makeTier();
  const joined: Process[] = [];
  try {
    const join = (name = 'contract'): Process => {
      const told: Process['told'] = { keys: new Set(), tags: new Set(), all: 0 };
      const space = underTest.tier().attach(name, hostOf(told));
      let left: Promise<void> | undefined;
      const process = { space, told, leave: () => (left ??= space.close()) };
      joined.push(process);
      return process;
    };
    await body(join, underTest);
  } finally {
    await Promise.all(joined.map((process) => process.leave()));
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

async function lookAll(
  space: TierNamespace,
  keys: readonly string[],
  intent: TierIntent,
): Promise<readonly TierAnswer[]> {
  await space.ready;
  const answers = await space.lookup(keys.map((key) => ({ key, intent, tags: [] })));
  expectEqual(answers.length, keys.length, 'answers');
  return answers;
}

/** Looks with the wish to load, and waits out who loads already. */
async function lookUntilFree(space: TierNamespace, key: string): Promise<TierAnswer> {
  let answer = await look(space, key, 'load');
  while (answer.kind === 'busy') answer = await answer.settled();
  return answer;
}

function leaseIn(answer: TierAnswer): TierLease | undefined {
  return 'lease' in answer ? answer.lease : undefined;
}

async function leaseOf(
  { space }: Process,
  key: string,
  intent: TierIntent = 'load',
): Promise<TierLease> {
  const answer = await look(space, key, intent);
  const lease = leaseIn(answer);
  if (lease === undefined) throw new Error(`expected a lease, got ${answer.kind} without one`);
  return lease;
}

/** Waits for what another process's change brings about; five seconds are plenty. */
async function until(happened: () => boolean, what: string): Promise<void> {
  const end = clock.now() + 5000;
  while (!happened()) {
    if (clock.now() > end) throw new Error(`expected within 5 s: ${what}`);
    await pause(5);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
