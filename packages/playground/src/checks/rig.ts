import { redisTier } from '@acache/all';
import { toMilliseconds, ttlToMilliseconds, type Persistence } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import { createDriver, type Driver } from '../drivers/driver.js';
import { REDIS_PREFIX } from '../redis-prefix.js';
import type { Settings } from '../settings.js';
import { Source, type Item } from '../source.js';
import { timeOf, wallTime } from '../time.js';

/** A cache that is set up like the running one, for one check alone. */
export interface Rig {
  readonly driver: Driver;
  readonly source: Source;
  /** Reads an item; all reads of one connection have the same key. */
  readonly read: (id: string) => Promise<Item>;
}

/** A rig whose time stands still until it is moved, so that no check has to wait for a ttl. */
export interface StillRig extends Rig {
  readonly clock: FakeClock;
}

/** Makes what checks are run on, and takes it away. */
export class Rigs {
  readonly settings: Settings;
  readonly redis: string | undefined;
  /** Where files may be made; `undefined` where the playground has none. */
  readonly file: string | undefined;
  readonly #open: Driver[] = [];
  readonly #make: typeof createDriver;
  #count = 0;

  constructor(
    settings: Settings,
    { redis, file }: { redis?: string | undefined; file?: string | undefined } = {},
    make: typeof createDriver = createDriver,
  ) {
    this.settings = settings;
    this.redis = redis;
    this.file = file;
    this.#make = make;
  }

  /** Milliseconds for which a value is fresh; `Infinity` for ever. */
  get ttl(): number {
    const { ttl } = this.settings;
    return ttl === null ? Infinity : ttlToMilliseconds(ttl);
  }

  get staleWhileRevalidate(): number {
    return toMilliseconds(this.settings.staleWhileRevalidate, 'staleWhileRevalidate');
  }

  get staleIfError(): number {
    return toMilliseconds(this.settings.staleIfError, 'staleIfError');
  }

  /** Whether anything is kept at all. */
  get stores(): boolean {
    return this.ttl > 0 && this.settings.maxSize !== 0;
  }

  /** On the wall's time, with Redis where the playground has it. */
  live({ name, persistence }: { name?: string; persistence?: Persistence } = {}): Rig {
    const source = new Source({ latency: 10, failures: 0 }, wallTime);
    const driver = this.#make({
      settings: this.settings,
      source,
      name: name ?? this.newName(),
      ...(this.redis !== undefined && { tier: redisTier(this.redis, { prefix: REDIS_PREFIX }) }),
      ...(persistence && { persistence }),
    });
    this.#open.push(driver);
    return { driver, source, read: async (id) => (await driver.get(id, 1)).item };
  }

  /** In memory alone, on a time of its own. */
  still(change: Partial<Settings> = {}): StillRig {
    const clock = fakeClock();
    const source = new Source({ latency: 0, failures: 0 }, timeOf(clock));
    const settings = { ...this.settings, ...change };
    const driver = this.#make({ settings, source, name: this.newName(), clock });
    this.#open.push(driver);
    const window = settings.kind === 'batch' ? toMilliseconds(settings.window, 'window') : 0;
    const read = async (id: string): Promise<Item> => {
      const answer = driver.get(id, 1);
      // Not before it is awaited below.
      answer.catch(() => undefined);
      await clock.advance(window);
      return (await answer).item;
    };
    return { driver, source, clock, read };
  }

  newName(): string {
    return `verify ${process.pid} ${Date.now()} ${++this.#count}`;
  }

  /** Leaves nothing behind, in Redis neither. */
  async close(): Promise<void> {
    for (const { cache } of this.#open.splice(0)) {
      try {
        if (this.redis !== undefined) await cache.clear();
      } catch {
        // A check has closed it.
      }
      await cache.close();
    }
  }
}
