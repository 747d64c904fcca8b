import type { Redis } from 'ioredis';
import { readAnnouncement, writeAnnouncement, type Announcement } from './announcement.js';
import { isCluster, type Client, type Clients } from './clients.js';
import { nameOf, type Commands } from './commands.js';
import { isReply } from './failures.js';
import type { KeySpace } from './key-space.js';
import { Listener } from './listener.js';
import type { Settings } from './options.js';

/** What a tier does with what its links hear. */
export interface LinkHooks {
  /** Redis tells that these of its keys have changed. */
  readonly changed: (redisKeys: readonly string[]) => void;
  /** Another process tells what it did. */
  readonly announced: (announcement: Announcement) => void;
  /** Anything may have changed. */
  readonly lostTrack: () => void;
  /** Must be done before memory is trusted again; rejects when it could not be. */
  readonly makeGood: () => Promise<void>;
  readonly report: (state: string, detail?: unknown) => void;
  readonly failed: (error: unknown) => void;
  /** The links stand, or will not for now. */
  readonly settled: () => void;
}

interface LinkParts {
  readonly clients: Clients;
  readonly data: Client;
  readonly commands: Commands;
  readonly keys: KeySpace;
  readonly settings: Settings;
  /** Unique to this tier. */
  readonly id: string;
  readonly hooks: LinkHooks;
}

const NOBODY: readonly [string, string] = ['', ''];
/** The node of a deployment without nodes. */
const ALONE = '';

/**
 * How other processes' changes reach this one: a listener for each server that announces, in the way
 * that the server allows.
 */
export class Links {
  readonly #parts: LinkParts;
  readonly #listeners = new Map<string, Listener>();
  readonly #proofs = new Map<string, () => void>();
  #mode: 'tracking' | 'pubsub' | 'none';
  #tells: boolean;
  #trustedUntil = -Infinity;
  #proved = 0;
  #topology = '';
  #isStopped = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    const { coherence, staleness } = parts.settings;
    if (staleness === 0) this.#mode = 'none';
    else this.#mode = coherence === 'auto' ? 'tracking' : coherence;
    // Who wants to hear of nothing may change what others must hear of.
    this.#tells = this.#mode !== 'tracking';
  }

  get mode(): 'tracking' | 'pubsub' | 'none' {
    return this.#mode;
  }

  /** True while every change elsewhere would have been heard of. */
  coherent(): boolean {
    return performance.now() < this.#trustedUntil;
  }

  /** What a script must publish for a change of this process to be heard of. */
  tell(announcement: Announcement): readonly [channel: string, message: string] {
    if (!this.#tells) return NOBODY;
    return [this.#parts.keys.channel, writeAnnouncement(announcement)];
  }

  start(): void {
    const { data } = this.#parts;
    if (!isCluster(data)) {
      for (const event of ['close', 'ready']) {
        data.on(event, () => {
          this.#doubt();
        });
      }
    } else {
      for (const event of ['refresh', '+node', '-node']) {
        data.on(event, () => {
          void this.#parts.commands.learnTimes();
          this.#sync();
        });
      }
    }
    this.#sync();
  }

  stop(): void {
    this.#isStopped = true;
    for (const listener of this.#listeners.values()) listener.stop();
    this.#listeners.clear();
    this.#trustedUntil = -Infinity;
  }

  /** The connection for commands was lost, or is another: what is written may go elsewhere. */
  #doubt(): void {
    for (const listener of this.#listeners.values()) listener.doubt();
  }

  /** Listens where it must, and nowhere else. */
  #sync(): void {
    if (this.#isStopped || this.#mode === 'none') return;
    const nodes = this.#nodes();
    const topology = this.#topologyNow(nodes);
    if (topology === this.#topology) return;
    const isFirst = this.#topology === '';
    this.#topology = topology;
    for (const [name, listener] of this.#listeners) {
      if (nodes.has(name)) continue;
      this.#listeners.delete(name);
      listener.stop();
    }
    for (const [name, node] of nodes) {
      if (this.#listeners.has(name)) continue;
      const listener = this.#listenTo(node);
      this.#listeners.set(name, listener);
      listener.start();
    }
    this.#vouch();
    if (isFirst) return;
    this.#parts.hooks.report('topology');
    this.#parts.hooks.lostTrack();
  }

  /** Where changes are announced: by each primary with tracking, by any of them for pub/sub. */
  #nodes(): Map<string, Redis | undefined> {
    const { data } = this.#parts;
    if (!isCluster(data)) return new Map([[ALONE, undefined]]);
    const primaries = data.nodes('master').map((node) => [nameOf(node), node] as const);
    return new Map(this.#mode === 'tracking' ? primaries : primaries.slice(0, 1));
  }

  /** Who serves what, as a text to compare. */
  #topologyNow(nodes: ReadonlyMap<string, unknown>): string {
    const { data } = this.#parts;
    const listened = [...nodes.keys()].sort().join();
    if (!isCluster(data)) return `${this.#mode} ${listened}`;
    let ranges = '';
    let last: string | undefined;
    data.slots.forEach(([primary], slot) => {
      if (primary === last) return;
      last = primary;
      ranges += ` ${slot}=${primary}`;
    });
    // Before the first answer there is nobody to listen to.
    return listened === '' ? this.#topology : `${this.#mode} ${listened}${ranges}`;
  }

  #listenTo(node: Redis | undefined): Listener {
    const { clients, hooks, settings } = this.#parts;
    const mode = this.#mode;
    return new Listener({
      client: clients.listener(node),
      staleness: settings.staleness,
      subscribe: (client) => (mode === 'tracking' ? this.#track(client) : this.#join(client)),
      prove: () => this.#prove(node),
      heard: (payload) => {
        if (mode === 'tracking') this.#changed(payload);
        else this.#announced(payload);
      },
      opened: () => {
        hooks.lostTrack();
      },
      vouched: () => {
        this.#vouch();
      },
      lost: (reason) => {
        hooks.report('silent', { reason });
      },
      refused: (error) => {
        this.#refused(mode, error);
      },
    });
  }

  async #track(client: Redis): Promise<void> {
    const prefixes = this.#parts.keys.tracked.flatMap((prefix) => ['PREFIX', prefix]);
    const id = await client.client('ID');
    await client.call('CLIENT', ['TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes]);
    await client.subscribe('__redis__:invalidate');
  }

  async #join(client: Redis): Promise<void> {
    await client.subscribe(this.#parts.keys.channel);
  }

  /** Writes something and waits until it is heard of: then both lead to the same server. */
  async #prove(node: Redis | undefined): Promise<void> {
    const { commands, hooks, id, keys, settings } = this.#parts;
    await hooks.makeGood();
    // A node of a cluster is named by its address, for writing as for listening.
    if (node !== undefined) return;
    const proof = `${id}:${++this.#proved}`;
    const key = keys.proof(proof);
    let timer: NodeJS.Timeout | undefined;
    const heard = new Promise<void>((resolve, reject) => {
      this.#proofs.set(proof, resolve);
      timer = setTimeout(() => {
        reject(new Error('what was written was not heard of'));
      }, settings.commandTimeout * 5);
    });
    heard.catch(() => undefined);
    try {
      const until = performance.now() + settings.commandTimeout;
      const told = this.tell({ from: id, name: '', proof });
      await commands.set(key, Buffer.from('1'), 10_000, told, until);
      await heard;
    } catch (error) {
      // A server that cannot write for now tells of changes all the same; any other reply proves nothing.
      if (!isReply(error) || !/^(?:OOM|MISCONF|NOREPLICAS)\b/.test(error.message)) throw error;
    } finally {
      clearTimeout(timer);
      this.#proofs.delete(proof);
    }
  }

  #changed(payload: unknown): void {
    if (!Array.isArray(payload)) {
      this.#parts.hooks.report('flushed');
      this.#parts.hooks.lostTrack();
      return;
    }
    const { keys } = this.#parts;
    const proofs = keys.proof('');
    const changed: string[] = [];
    for (const bytes of payload as readonly Buffer[]) {
      const key = bytes.toString();
      if (key.startsWith(proofs)) this.#proofs.get(key.slice(proofs.length))?.();
      else changed.push(key);
    }
    if (changed.length > 0) this.#parts.hooks.changed(changed);
  }

  #announced(payload: unknown): void {
    const announcement = readAnnouncement(payload);
    if (announcement === undefined) return;
    if (announcement.proof === undefined) this.#parts.hooks.announced(announcement);
    else this.#proofs.get(announcement.proof)?.();
  }

  /** The server does not do what was asked for: the next best way, where one may be chosen. */
  #refused(mode: string, error: Error): void {
    const { hooks, settings } = this.#parts;
    if (this.#isStopped || mode !== this.#mode) return;
    hooks.report('refused', { coherence: mode, reason: error.message });
    if (mode === 'tracking' && settings.coherence === 'auto') {
      for (const listener of this.#listeners.values()) listener.stop();
      this.#listeners.clear();
      this.#mode = 'pubsub';
      this.#tells = true;
      this.#topology = '';
      this.#sync();
    } else {
      for (const listener of this.#listeners.values()) listener.stop();
      this.#listeners.clear();
      this.#mode = 'none';
      // It may not.
      this.#tells = false;
      hooks.failed(error);
      hooks.settled();
    }
  }

  #vouch(): void {
    const before = this.#trustedUntil;
    let until = this.#listeners.size === 0 ? -Infinity : Infinity;
    for (const { trustedUntil } of this.#listeners.values()) until = Math.min(until, trustedUntil);
    this.#trustedUntil = until;
    if (before !== -Infinity || until === -Infinity) return;
    this.#parts.hooks.report('coherent', { coherence: this.#mode });
    this.#parts.hooks.settled();
  }
}
