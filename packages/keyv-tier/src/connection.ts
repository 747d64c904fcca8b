import type { TierHost } from '@acache/core';
import type { Counts } from './counts.js';
import type { GivenStore } from './keyv-store.js';
import type { Settings } from './options.js';
import { Space } from './space.js';
import { StoreCalls } from './store-calls.js';

/** How long a close spends on what the store has not taken yet, in milliseconds. */
const CLOSE_WITHIN = 2000;

/** The store while caches are attached to it. It is neither opened nor closed: it belongs to who gave it. */
export class Connection {
  readonly settings: Settings;
  readonly calls: StoreCalls;
  readonly #counts: Counts;
  readonly #host: TierHost;
  readonly #spaces = new Map<string, Space>();
  readonly #ended: () => void;

  /** @param host - whose clock counts: that of the first cache */
  constructor(
    given: GivenStore,
    settings: Settings,
    counts: Counts,
    host: TierHost,
    ended: () => void,
  ) {
    this.settings = settings;
    this.#counts = counts;
    this.#host = host;
    this.#ended = ended;
    this.calls = new StoreCalls(given, settings, counts, host.clock, {
      failed: (error) => {
        for (const each of this.#hosts()) each.fail(error);
      },
      went: (state, cause) => {
        for (const each of this.#hosts()) each.report(state, cause);
        if (state === 'up') for (const space of this.#spaces.values()) space.makeGood();
      },
    });
  }

  get owed(): number {
    return [...this.#spaces.values()].reduce((sum, { owed }) => sum + owed, 0);
  }

  space(name: string): Space {
    const { calls, settings } = this;
    const { clock } = this.#host;
    const space =
      this.#spaces.get(name) ?? new Space({ name, settings, counts: this.#counts, calls, clock });
    this.#spaces.set(name, space);
    return space;
  }

  /** A cache has left: what the store has not taken yet is tried once more when it was the last. */
  async leave(space: Space): Promise<void> {
    if (space.hosts.size > 0) return;
    const { clock } = this.#host;
    let timer: ReturnType<typeof clock.setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, CLOSE_WITHIN);
    });
    await Promise.race([space.through().catch(() => undefined), late]);
    if (timer !== undefined) clock.clearTimeout(timer);
    if (space.hosts.size > 0) return;
    for (const [name, other] of this.#spaces) if (other === space) this.#spaces.delete(name);
    if (this.#spaces.size > 0) return;
    this.calls.stop();
    this.#ended();
  }

  #hosts(): TierHost[] {
    return [...this.#spaces.values()].flatMap(({ hosts }) => [...hosts]);
  }
}
