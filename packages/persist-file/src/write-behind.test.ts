import { fakeClock, type FakeClock } from '@acache/core/testing';
import { entryOf } from '../test/host.js';
import type { Batch } from './pending-changes.js';
import { WriteBehind, type WriteBehindOptions } from './write-behind.js';

interface Bench {
  readonly clock: FakeClock;
  readonly behind: WriteBehind;
  readonly told: string[];
  readonly reports: unknown[];
  /** What the sink does before it is done. */
  during: () => Promise<void>;
  /** What a sync waits for. */
  syncing: Promise<void>;
}

function bench(options: Partial<WriteBehindOptions> = {}): Bench {
  const clock = fakeClock();
  const told: string[] = [];
  const reports: unknown[] = [];
  const behind = new WriteBehind({
    sink: {
      async write({ cleared, changes }: Batch) {
        const keys = [...changes.keys()];
        await made.during();
        told.push(`write ${cleared ? '* ' : ''}${keys.join()}`);
        return [];
      },
      async sync() {
        told.push('sync');
        await made.syncing;
      },
      async settle(isLast) {
        if (isLast) told.push('last');
      },
    },
    flushInterval: 200,
    fsyncInterval: 1000,
    report: (error) => reports.push(error),
    ...options,
  });
  const made: Bench = {
    clock,
    behind,
    told,
    reports,
    during: async () => undefined,
    syncing: Promise.resolve(),
  };
  behind.start(clock, () => true);
  return made;
}

describe('WriteBehind', () => {
  it('writes what changed within the interval at once, and syncs later', async () => {
    const { clock, behind, told } = bench();
    behind.set('a', entryOf(1));
    await clock.advance(199);
    behind.set('b', entryOf(1));
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['write a,b']);
    await clock.advance(999);
    expect(told).toEqual(['write a,b']);
    await clock.advance(1);
    expect(told).toEqual(['write a,b', 'sync']);
    expect(clock.pending).toBe(0);
  });

  it('writes what changes while the disk is slow to take what was written before', async () => {
    const made = bench();
    const { clock, behind, told } = made;
    let end = (): void => undefined;
    made.syncing = new Promise<void>((resolve) => (end = resolve));
    behind.set('a', entryOf(1));
    await clock.advance(200);
    await clock.advance(1000);
    expect(told).toEqual(['write a', 'sync']);
    behind.set('b', entryOf(1));
    await clock.advance(200);
    expect(told).toEqual(['write a', 'sync', 'write b']);
    end();
    await clock.advance(1000);
    expect(told).toEqual(['write a', 'sync', 'write b', 'sync']);
    expect(clock.pending).toBe(0);
  });

  it('syncs with every write when the interval is 0, and never when it is false', async () => {
    const eager = bench({ fsyncInterval: 0 });
    eager.behind.set('a', entryOf(1));
    await eager.clock.advance(200);
    expect(eager.told).toEqual(['write a', 'sync']);
    const never = bench({ fsyncInterval: false });
    never.behind.set('a', entryOf(1));
    await never.behind.flush();
    await never.clock.advance(10_000);
    expect(never.told).toEqual(['write a']);
  });

  it('does not flush before the batch under way is done', async () => {
    const made = bench();
    let done = (): void => undefined;
    made.during = () => new Promise<void>((resolve) => (done = resolve));
    made.behind.set('a', entryOf(1));
    await made.clock.advance(200);
    made.behind.set('b', entryOf(1));
    let flushed = 0;
    const flushes = [made.behind.flush(), made.behind.flush()].map((flush) =>
      flush.then(() => flushed++),
    );
    made.during = async () => undefined;
    await made.clock.advance(0);
    expect([flushed, made.told]).toEqual([0, []]);
    done();
    await Promise.all(flushes);
    expect(made.told).toEqual(['write a', 'write b', 'sync']);
  });

  it('rejects a flush that fails, tries again by itself, and reports it once', async () => {
    const made = bench();
    const full = new Error('full');
    made.during = () => Promise.reject(full);
    made.behind.set('a', entryOf(1));
    await expect(made.behind.flush()).rejects.toBe(full);
    await made.clock.advance(250);
    await made.clock.advance(500);
    expect(made.reports).toEqual([full]);
    made.behind.set('b', entryOf(1));
    made.during = async () => undefined;
    await made.clock.advance(1000);
    expect(made.told).toEqual(['write a,b', 'sync']);
  });

  it('writes at its close and leaves no timer behind', async () => {
    const { clock, behind, told } = bench();
    behind.set('a', entryOf(1));
    await behind.close();
    expect(told).toEqual(['write a', 'sync', 'last']);
    expect(clock.pending).toBe(0);
  });
});
