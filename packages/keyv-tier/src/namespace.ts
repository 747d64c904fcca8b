import type { Entry, TierAnswer, TierHost, TierNamespace, TierRequest } from '@acache/core';
import type { Connection } from './connection.js';
import { Lease, type Claim } from './lease.js';
import type { Space } from './space.js';
import type { StateBefore } from './stamps.js';

/** Milliseconds beyond `commandTimeout` that the cache waits: the store is given up on here first. */
const GRACE = 5;
/** How long a first connection may take, in milliseconds. */
const READY_WITHIN = 2000;
const UNAVAILABLE: TierAnswer = { kind: 'unavailable' };

/** One cache's part of the tier. */
export class KeyvNamespace implements TierNamespace {
  readonly ready: Promise<void>;
  readonly deadline: number;
  readonly degradedTtl: number;
  readonly trust: number;

  readonly #connection: Connection;
  readonly #space: Space;
  readonly #host: TierHost;
  readonly #leases = new Set<Lease>();
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, space: Space, host: TierHost) {
    const { commandTimeout, staleness } = connection.settings;
    this.#connection = connection;
    this.#space = space;
    this.#host = host;
    this.deadline = commandTimeout + GRACE;
    this.degradedTtl = staleness;
    this.trust = staleness;
    space.hosts.add(host);
    this.ready = space.ping(READY_WITHIN).catch((error: unknown) => {
      host.fail(error);
    });
  }

  /** Nobody tells of changes elsewhere: memory keeps what came through the tier for `trust` only. */
  coherent(): boolean {
    return false;
  }

  async lookup(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    const { calls } = this.#connection;
    if (calls.down) {
      calls.probe(this.#space.keys.all).catch(() => undefined);
      return requests.map(() => UNAVAILABLE);
    }
    // Before anything is read: what changes from here on is held against these loads.
    const claims = requests.map(({ intent, key }) =>
      intent === 'read' ? undefined : this.#space.claim(key, intent),
    );
    try {
      const keys = [...new Set(requests.map(({ key }) => key))];
      const loads = requests.filter(({ intent }) => intent !== 'read');
      const tags = [...new Set(loads.flatMap((request) => request.tags))];
      const { found, before } = await this.#space.read(keys, tags, loads.length > 0);
      return requests.map((request, at) => {
        const claim = claims[at];
        const entry = found.get(request.key);
        const isFresh = entry !== undefined && entry.freshUntil > this.#host.clock.now();
        if (claim === undefined || before === undefined || (request.intent === 'load' && isFresh)) {
          return entry === undefined ? { kind: 'missing' } : { kind: 'found', entry };
        }
        claims[at] = undefined;
        const lease = this.#grant(claim, before);
        return entry === undefined ? { kind: 'missing', lease } : { kind: 'found', entry, lease };
      });
    } finally {
      for (const claim of claims) if (claim !== undefined) this.#space.giveBack(claim);
    }
  }

  async set(key: string, entry: Entry): Promise<void> {
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await this.#space.set(key, entry);
  }

  async delete(key: string): Promise<void> {
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await this.#space.delete(key);
  }

  async expire(key: string): Promise<void> {
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await this.#space.expire(key);
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    this.#tellOthers((host) => {
      host.invalidateTags(tags);
    });
    await this.#space.invalidateTags(tags);
  }

  async clear(): Promise<void> {
    this.#tellOthers((host) => {
      host.invalidateAll();
    });
    await this.#space.clear();
  }

  async flush(): Promise<void> {
    await this.#space.ping();
    await this.#space.through();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const lease of [...this.#leases]) void lease.release();
    this.#space.hosts.delete(this.#host);
    await this.#connection.leave(this.#space);
  }

  #grant(claim: Claim, before: StateBefore): Lease {
    const lease = new Lease(this.#space, claim, before, {
      stored: () => {
        this.#tellOthers((host) => {
          host.invalidate([claim.key], { loads: 'go on' });
        });
      },
      ended: () => {
        this.#leases.delete(lease);
      },
    });
    this.#leases.add(lease);
    return lease;
  }

  /** Other caches of this process on the same namespace. */
  #tellOthers(tell: (host: TierHost) => void): void {
    for (const host of this.#space.hosts) if (host !== this.#host) tell(host);
  }
}
