import { diesAt, type Entry } from '../entry.js';
import type { Tier, TierAnswer, TierHost, TierLease, TierNamespace, TierRequest } from '../tier.js';

interface Held {
  readonly entry: Entry;
  /** The state of its tags, and of the whole namespace, when it was stored. */
  readonly stamps: ReadonlyMap<string, number>;
}

interface Space {
  readonly held: Map<string, Held>;
  readonly leases: Map<string, Lease>;
  readonly stamps: Map<string, number>;
  readonly hosts: Set<TierHost>;
}

/** Stands for every entry of a namespace, as a tag that no user can name. */
const EVERYTHING = '';

/** A tier in this process's memory, shared by all that attach to it: what a server would be. */
export interface MemoryTier extends Tier {
  /** Cuts the links, so that nothing is coherent and nobody is told of changes; or mends them. */
  cut(isCut: boolean): void;
}

/**
 * Makes a tier for tests that keeps every promise of the port, `tierContract` included. Several
 * caches on it stand for several processes.
 */
export function memoryTier(): MemoryTier {
  const spaces = new Map<string, Space>();
  const link = { isCut: false };
  return {
    attach(namespace, host) {
      const space: Space = spaces.get(namespace) ?? {
        held: new Map(),
        leases: new Map(),
        stamps: new Map(),
        hosts: new Set(),
      };
      spaces.set(namespace, space);
      space.hosts.add(host);
      return new MemoryNamespace(space, host, link);
    },
    cut(isCut) {
      link.isCut = isCut;
      if (isCut) return;
      for (const { hosts } of spaces.values()) for (const host of hosts) host.invalidateAll();
    },
  };
}

class MemoryNamespace implements TierNamespace {
  readonly ready = Promise.resolve();
  readonly #space: Space;
  readonly #host: TierHost;
  readonly #link: { readonly isCut: boolean };

  constructor(space: Space, host: TierHost, link: { readonly isCut: boolean }) {
    this.#space = space;
    this.#host = host;
    this.#link = link;
  }

  coherent(): boolean {
    return !this.#link.isCut;
  }

  async lookup(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    await Promise.resolve();
    return requests.map((request) => this.#answer(request));
  }

  async set(key: string, entry: Entry): Promise<void> {
    this.#space.leases.get(key)?.revoke();
    this.#keep(key, entry);
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await Promise.resolve();
  }

  async delete(key: string): Promise<void> {
    this.#space.leases.get(key)?.revoke();
    this.#space.held.delete(key);
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await Promise.resolve();
  }

  async expire(key: string): Promise<void> {
    this.#space.leases.get(key)?.revoke();
    const now = this.#host.clock.now();
    const held = this.#live(key);
    if (held !== undefined && held.entry.freshUntil > now) {
      this.#space.held.set(key, { ...held, entry: { ...held.entry, freshUntil: now } });
    }
    this.#tellOthers((host) => {
      host.invalidate([key]);
    });
    await Promise.resolve();
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    for (const tag of tags) this.#bump(tag);
    this.#tellOthers((host) => {
      host.invalidateTags(tags);
    });
    await Promise.resolve();
  }

  async clear(): Promise<void> {
    this.#bump(EVERYTHING);
    this.#tellOthers((host) => {
      host.invalidateAll();
    });
    await Promise.resolve();
  }

  async flush(): Promise<void> {
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.#space.hosts.delete(this.#host);
    for (const lease of [...this.#space.leases.values()]) {
      if (lease.owner === this) lease.revoke();
    }
    await Promise.resolve();
  }

  #answer({ key, intent }: TierRequest): TierAnswer {
    const held = this.#live(key);
    const fresh = held !== undefined && this.#host.clock.now() < held.entry.freshUntil;
    const wantsLoad = intent === 'refresh' || intent === 'renew' || (intent === 'load' && !fresh);
    const taken = this.#space.leases.has(key) && intent !== 'refresh';
    const lease = wantsLoad && !taken ? this.#grant(key) : undefined;
    const servable = held !== undefined && this.#isServable(held.entry);
    if (wantsLoad && taken && !servable) {
      const settled = (): Promise<TierAnswer> => this.#settled(key);
      return held === undefined
        ? { kind: 'busy', settled }
        : { kind: 'busy', entry: held.entry, settled };
    }
    if (held === undefined) return lease ? { kind: 'missing', lease } : { kind: 'missing' };
    const { entry } = held;
    return lease ? { kind: 'found', entry, lease } : { kind: 'found', entry };
  }

  #isServable(entry: Entry): boolean {
    return this.#host.clock.now() < entry.freshUntil + entry.staleWhileRevalidate;
  }

  #grant(key: string): Lease {
    this.#space.leases.get(key)?.revoke();
    const lease = new Lease(this, this.#space, key, (entry) => {
      this.#keep(key, entry);
      this.#tellOthers((host) => {
        host.invalidate([key]);
      });
    });
    this.#space.leases.set(key, lease);
    return lease;
  }

  async #settled(key: string): Promise<TierAnswer> {
    await this.#space.leases.get(key)?.ended;
    return this.#answer({ key, intent: 'load', tags: [] });
  }

  #keep(key: string, entry: Entry): void {
    const stamps = new Map<string, number>();
    for (const tag of [...entry.tags, EVERYTHING]) stamps.set(tag, this.#stamp(tag));
    this.#space.held.set(key, { entry, stamps });
  }

  #live(key: string): Held | undefined {
    const held = this.#space.held.get(key);
    if (held === undefined || diesAt(held.entry) <= this.#host.clock.now()) return undefined;
    for (const [tag, stamp] of held.stamps) if (this.#stamp(tag) !== stamp) return undefined;
    return held;
  }

  #stamp(tag: string): number {
    return this.#space.stamps.get(tag) ?? 0;
  }

  #bump(tag: string): void {
    this.#space.stamps.set(tag, this.#stamp(tag) + 1);
  }

  #tellOthers(tell: (host: TierHost) => void): void {
    if (this.#link.isCut) return;
    for (const host of this.#space.hosts) if (host !== this.#host) tell(host);
  }
}

class Lease implements TierLease {
  /** Resolves when the lease is given back. */
  readonly ended: Promise<void>;
  #end!: () => void;
  readonly #space: Space;
  readonly #key: string;
  /** Read before the load. */
  readonly #stampsBefore: ReadonlyMap<string, number>;
  readonly #keep: (entry: Entry) => void;

  constructor(
    readonly owner: TierNamespace,
    space: Space,
    key: string,
    keep: (entry: Entry) => void,
  ) {
    this.#space = space;
    this.#key = key;
    this.#stampsBefore = new Map(space.stamps);
    this.#keep = keep;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async commit(entry: Entry): Promise<'stored' | 'refused'> {
    const holds = this.#space.leases.get(this.#key) === this;
    const untouched = [...entry.tags, EVERYTHING].every(
      (tag) => this.#space.stamps.get(tag) === this.#stampsBefore.get(tag),
    );
    if (holds && untouched) this.#keep(entry);
    this.revoke();
    await Promise.resolve();
    return holds && untouched ? 'stored' : 'refused';
  }

  async release(): Promise<void> {
    this.revoke();
    await Promise.resolve();
  }

  /** It holds no more, and who waits for it goes on. */
  revoke(): void {
    if (this.#space.leases.get(this.#key) === this) this.#space.leases.delete(this.#key);
    this.#end();
  }
}
