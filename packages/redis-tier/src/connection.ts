import { randomUUID } from 'node:crypto';
import { isCluster, type Client, type Clients } from './clients.js';
import { Commands } from './commands.js';
import { endSilentHandshakes, refuseOtherDatabases } from './handshake.js';
import { KeySpace, type Place } from './key-space.js';
import { Links } from './links.js';
import type { Counts } from './metrics.js';
import type { RedisNamespace } from './namespace.js';
import type { Settings } from './options.js';
import { Renewals } from './renewals.js';

/** Milliseconds that a start waits for Redis before it goes on without. */
const GIVE_UP_AFTER = 1000;

/** Milliseconds that a start waits for the links once Redis answers. */
const LINK_WITHIN = 250;

/** The connections of a tier, while some cache is attached to it. */
export class Connection {
  readonly settings: Settings;
  readonly counts: Counts;
  readonly keys: KeySpace;
  readonly commands: Commands;
  readonly links: Links;
  readonly renewals: Renewals;
  /** Settles once the links stand, or were given up on for now. */
  readonly settled: Promise<void>;

  readonly #data: Client;
  readonly #namespaces = new Set<RedisNamespace>();
  readonly #byName = new Map<string, Set<RedisNamespace>>();
  readonly #id = randomUUID();
  readonly #emptied: () => void;
  #settle!: () => void;
  #isSettled = false;
  #giveUp: NodeJS.Timeout | undefined;
  #attachments = 0;

  /** @param emptied - told when the last namespace has left, and all is closed */
  constructor(clients: Clients, settings: Settings, counts: Counts, emptied: () => void) {
    this.settings = settings;
    this.counts = counts;
    this.#emptied = emptied;
    this.keys = new KeySpace(`${clients.keyPrefix}${settings.prefix}:`);
    this.renewals = new Renewals(settings.lockTtl);
    this.settled = new Promise((resolve) => {
      this.#settle = () => {
        this.#isSettled = true;
        clearTimeout(this.#giveUp);
        resolve();
      };
    });
    this.#data = clients.data();
    this.commands = new Commands(this.#data, settings, (isDown, server) => {
      if (isDown) counts.outages++;
      this.#report(isDown ? 'down' : 'up', server === '' ? undefined : { server });
      if (!isDown) this.#makeGoodLater();
    });
    this.links = new Links({
      clients,
      data: this.#data,
      commands: this.commands,
      keys: this.keys,
      settings,
      id: this.#id,
      hooks: {
        changed: (redisKeys) => {
          this.#changed(redisKeys);
        },
        announced: ({ from, name, keys = [], tags = [], all = false }) => {
          for (const namespace of this.#byName.get(name) ?? []) {
            namespace.announced(from, keys, tags, all);
          }
        },
        lostTrack: () => {
          // Before the start is over nothing was asked of Redis, so that nothing can be out of date.
          if (!this.#isSettled) return;
          counts.resets++;
          for (const namespace of this.#namespaces) namespace.lostTrack();
        },
        makeGood: async () => {
          await Promise.all(Array.from(this.#namespaces, (namespace) => namespace.makeGood()));
        },
        report: (state, detail) => {
          this.#report(state, detail);
        },
        failed: (error) => {
          for (const namespace of this.#namespaces) namespace.fail(error);
        },
        settled: () => {
          this.#settle();
        },
      },
    });
    this.#open();
  }

  /** What to wait for before anything is sent; `undefined` once the start is over. */
  get opened(): Promise<void> | undefined {
    return this.#isSettled ? undefined : this.settled;
  }

  /** True once nobody is attached any more. */
  get isEmpty(): boolean {
    return this.#namespaces.size === 0;
  }

  /** Removals that Redis has not heard of. */
  get unsent(): number {
    let unsent = 0;
    for (const namespace of this.#namespaces) unsent += namespace.unsent;
    return unsent;
  }

  /** An id for one attached cache. */
  newAttachment(): string {
    return `${this.#id}:${++this.#attachments}`;
  }

  add(namespace: RedisNamespace): void {
    this.#namespaces.add(namespace);
    const named = this.#byName.get(namespace.name) ?? new Set();
    this.#byName.set(namespace.name, named.add(namespace));
  }

  remove(namespace: RedisNamespace): void {
    this.#namespaces.delete(namespace);
    const named = this.#byName.get(namespace.name);
    named?.delete(namespace);
    if (named?.size === 0) this.#byName.delete(namespace.name);
    if (!this.isEmpty) return;
    this.links.stop();
    this.commands.stop();
    this.renewals.stop();
    this.#data.disconnect();
    this.#settle();
    this.#emptied();
  }

  #open(): void {
    const data = this.#data;
    this.#giveUp = setTimeout(this.#settle, GIVE_UP_AFTER);
    this.#giveUp.unref();
    let reason: unknown;
    let isConnected: boolean | undefined;
    data.on('error', (error) => {
      reason = error;
    });
    if (!isCluster(data)) {
      endSilentHandshakes(data);
      refuseOtherDatabases(data);
    }
    data.on('ready', () => {
      isConnected = true;
      this.commands.reset();
      this.#report('connected');
      void this.commands.learnTimes().then(() => {
        if (this.links.mode === 'none') this.#settle();
        // A link that does not come about must not keep those waiting who can be served without.
        else setTimeout(this.#settle, LINK_WITHIN).unref();
      });
      this.#makeGoodLater();
    });
    data.on('close', () => {
      if (isConnected !== false) this.#report('disconnected', { reason });
      isConnected = false;
      this.#settle();
    });
    data.connect().catch(() => undefined);
    this.links.start();
  }

  /** What Redis has not heard of is sent as soon as it listens again, and not when someone asks. */
  #makeGoodLater(): void {
    for (const namespace of this.#namespaces) namespace.makeGood().catch(() => undefined);
  }

  #changed(redisKeys: readonly string[]): void {
    const values = new Map<string, string[]>();
    const stamps: Extract<Place, { kind: 'tag' | 'all' }>[] = [];
    /** Names of caches in which something was invalidated: Redis tells of it in the same message. */
    const invalidated = new Set<string>();
    for (const redisKey of redisKeys) {
      const place = this.keys.placeOf(redisKey);
      if (place === undefined || !this.#byName.has(place.name)) continue;
      if (place.kind === 'any') invalidated.add(place.name);
      else if (place.kind === 'tag' || place.kind === 'all') stamps.push(place);
      else {
        const keys = values.get(place.name);
        if (keys === undefined) values.set(place.name, [redisKey]);
        else keys.push(redisKey);
      }
    }
    for (const [name, keys] of values) {
      for (const namespace of this.#byName.get(name) ?? []) namespace.valuesChanged(keys);
    }
    for (const place of stamps) {
      const isInvalidation = invalidated.has(place.name);
      for (const namespace of this.#byName.get(place.name) ?? []) {
        if (place.kind === 'tag') namespace.tagChanged(place.tag, isInvalidation);
        else namespace.allChanged(isInvalidation);
      }
    }
  }

  #report(state: string, detail?: unknown): void {
    for (const namespace of this.#namespaces) namespace.report(state, detail);
  }
}
