import fc from 'fast-check';
import { AsyncCache } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import { settle } from '../test/deferred.js';
import { freshTag } from '../test/invalidation-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, cached, invalidates } from './index.js';
import type { CachedOptions, InvalidatesOptions } from './index.js';

failOnUnhandledRejections();

/** A database of versions whose every step waits for the test. */
class Database {
  readonly #gates: (() => void)[] = [];
  readonly #versions = new Map<number, number>();

  versionOf(key: number): number {
    return this.#versions.get(key) ?? 0;
  }

  async read(key: number): Promise<number> {
    await this.#gate();
    const version = this.versionOf(key);
    await this.#gate();
    return version;
  }

  async write(key: number, fails: boolean): Promise<void> {
    await this.#gate();
    this.#versions.set(key, this.versionOf(key) + 1);
    await this.#gate();
    if (fails) throw new Error('written, and failed');
  }

  /** Lets one of the calls that wait go on; false when none does. */
  step(which: number): boolean {
    const [open] = this.#gates.splice(which % (this.#gates.length || 1), 1);
    open?.();
    return open !== undefined;
  }

  #gate(): Promise<void> {
    return new Promise((open) => this.#gates.push(open));
  }
}

type Command =
  | { readonly do: 'read' | 'refresh'; readonly key: number }
  | { readonly do: 'write'; readonly key: number; readonly fails: boolean }
  | { readonly do: 'step'; readonly which: number }
  | { readonly do: 'advance' };

const key = fc.nat(1);
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const), key }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('write' as const), key, fails: fc.boolean() }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('step' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'advance' as const }) },
  ),
  { minLength: 5, maxLength: 40 },
);

type Tie = (clock: FakeClock) => [CachedOptions, InvalidatesOptions];
const byArgument = (tag: string) => (id: number) => [`${tag}:${id}`];

const ties: readonly (readonly [string, Tie])[] = [
  [
    'tags',
    (clock) => {
      const tags = byArgument(freshTag());
      return [{ clock, tags }, { tags }];
    },
  ],
  [
    'keys',
    (clock) => {
      const keys = byArgument(freshTag());
      return [{ clock, key: (id: number) => keys(id)[0] }, { keys }];
    },
  ],
  [
    'tags of results with stale windows',
    (clock) => {
      const tags = byArgument(freshTag());
      const windows = { ttl: 10, staleWhileRevalidate: 1_000, staleIfError: 1_000 } as const;
      return [{ clock, tags, ...windows }, { tags }];
    },
  ],
  [
    'tags in a cache that is given',
    (clock) => {
      const cache = new AsyncCache({ clock });
      const tags = byArgument('t');
      return [
        { cache, name: 'read', tags, ttl: 10, staleWhileRevalidate: 1_000 },
        { cache, tags },
      ];
    },
  ],
  [
    'keys in a cache that is given',
    (clock) => {
      const cache = new AsyncCache({ clock });
      const keys = byArgument('k');
      return [
        { cache, name: 'read', key: (id: number) => keys(id)[0] },
        { cache, keys },
      ];
    },
  ],
];

describe.each(ties)(
  'after a write has settled no read returns a value older than it, by %s',
  (_tie, tie) => {
    /** Runs the commands, then all that still waits; answers how many reads were hits. */
    async function check(all: readonly Command[], asMethods: boolean): Promise<void> {
      const database = new Database();
      const clock = fakeClock();
      const [reading, writing] = tie(clock);
      class Repository {
        @cached(reading)
        async read(id: number): Promise<number> {
          return database.read(id);
        }
        @invalidates(writing)
        async write(id: number, fails: boolean): Promise<void> {
          return database.write(id, fails);
        }
      }
      const repository = new Repository();
      const read = asMethods
        ? asCached(repository, 'read')
        : cached((id: number) => database.read(id), reading);
      const write = asMethods
        ? (id: number, fails: boolean) => repository.write(id, fails)
        : invalidates(writing)((id: number, fails: boolean) => database.write(id, fails));

      /** The newest version of each key whose write has settled. */
      const settled = new Map<number, number>();
      const begun: Promise<void>[] = [];
      const checkRead = async (id: number, result: Promise<number>) => {
        const oldest = settled.get(id) ?? 0;
        expect(await result).toBeGreaterThanOrEqual(oldest);
      };
      const track = async (id: number, result: Promise<void>) => {
        await result.catch(() => undefined);
        settled.set(id, database.versionOf(id));
      };
      for (const command of all) {
        switch (command.do) {
          case 'read':
            begun.push(checkRead(command.key, read(command.key)));
            break;
          case 'refresh':
            begun.push(checkRead(command.key, read.refresh(command.key)));
            break;
          case 'write':
            begun.push(track(command.key, write(command.key, command.fails)));
            break;
          case 'step':
            database.step(command.which);
            break;
          case 'advance':
            await clock.advance(20);
            break;
        }
        await settle();
      }
      while (database.step(0)) await settle();
      await Promise.all(begun);
      for (const id of [0, 1]) {
        const last = read(id);
        await settle();
        while (database.step(0)) await settle();
        expect(await last).toBe(database.versionOf(id));
      }
    }

    it.each([
      ['functions', false],
      ['methods', true],
    ])('of %s', async (_what, asMethods) => {
      await fc.assert(
        fc.asyncProperty(commands, (all) => check(all, asMethods)),
        { numRuns: 50 },
      );
    });
  },
);
