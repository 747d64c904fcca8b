import slotOf from 'cluster-key-slot';
import type { Cluster, Redis } from 'ioredis';
import { Breaker } from './breaker.js';
import { isCluster, type Client } from './clients.js';
import { BEGINNING_LENGTH } from './beginning.js';
import { isOutage, unavailable } from './failures.js';
import type { Settings } from './options.js';
import { Gathered, type Call, type Run } from './gathered.js';
import { bulkNameOf, SCRIPTS, type BulkScriptName, type ScriptName } from './scripts.js';
import { ServerClock } from './server-clock.js';
import { Timeouts } from './timeouts.js';

/** What reading a key brought; an error where its server did not answer. */
export type Reading = Buffer | null | Error;

/** Keys of one command, so that a large batch does not hold the server up for others. */
const MOST_AT_ONCE = 512;
/** Milliseconds without any answer after which a connection is taken for dead, though it is open. */
const DEAD_AFTER = 2000;

/** A server that answers for some keys: the only one, or a node of a cluster. */
interface Server {
  readonly breaker: Breaker;
  readonly clock: ServerClock;
  /** On the monotonic clock. */
  lastAnswerAt: number;
}

type ScriptCall = (keys: number, ...rest: (string | Buffer | number)[]) => Promise<unknown>;

/**
 * Sends commands to where their keys live, and none to a server that has stopped answering. What is
 * asked for at once is written to the socket at once.
 */
export class Commands {
  readonly #client: Client;
  readonly #settings: Settings;
  readonly #servers = new Map<string, Server>();
  readonly #changed: (isDown: boolean, server: string) => void;
  readonly #timeouts: Timeouts;
  readonly #gathered = new Map<BulkScriptName, Gathered>();
  #isCorked = false;
  #isStopped = false;

  /** @param changed - told when a server stops answering, and when it answers again */
  constructor(
    client: Client,
    settings: Settings,
    changed: (isDown: boolean, server: string) => void,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#changed = changed;
    this.#timeouts = new Timeouts(settings.commandTimeout);
    for (const [name, lua] of SCRIPTS) client.defineCommand(commandName(name), { lua });
  }

  /** True while some server does not answer. */
  get isDown(): boolean {
    for (const { breaker } of this.#servers.values()) if (breaker.isOpen) return true;
    return false;
  }

  /** Whether what is sent later may be there first. */
  get mayOvertake(): boolean {
    return isCluster(this.#client);
  }

  /** The values of keys, in their order. Never rejects. */
  async read(keys: readonly string[]): Promise<Reading[]> {
    if (keys.length <= MOST_AT_ONCE && !isCluster(this.#client)) return this.#readGroup(keys);
    const readings = new Array<Reading>(keys.length);
    const groups = this.#grouped(keys);
    await Promise.all(
      groups.map(async (places) => {
        const group = await this.#readGroup(places.map((place) => keys[place] as string));
        places.forEach((place, at) => (readings[place] = group[at] ?? null));
      }),
    );
    return readings;
  }

  /** What the values of keys begin with: enough to tell who wrote them; empty for none. Never rejects. */
  async heads(keys: readonly string[]): Promise<(Buffer | Error)[]> {
    if (keys.length > 1 && !isCluster(this.#client)) return this.#headsInOneGo(keys);
    return Promise.all(
      keys.map((key) =>
        this.#ask(key, () => this.#client.getrangeBuffer(key, 0, BEGINNING_LENGTH - 1)).catch(
          (error: unknown) => error as Error,
        ),
      ),
    );
  }

  async #headsInOneGo(keys: readonly string[]): Promise<(Buffer | Error)[]> {
    const parts = await Promise.all(
      this.#grouped(keys).map(async (places) => {
        try {
          const part = places.map((place) => keys[place] as string);
          const heads = (await this.run('heads', part, [])) as (Buffer | null)[];
          return heads.map((head) => head ?? new Error('it is no string'));
        } catch (error) {
          return places.map(() => error as Error);
        }
      }),
    );
    return parts.flat();
  }

  /**
   * Runs a script on keys of one slot, with what else is asked of it in this turn. What is sent otherwise
   * in this turn overtakes it.
   */
  gather(script: BulkScriptName, ...call: [keys: Call['keys'], args: Call['args']]): Run {
    const [keys, args] = call;
    if (isCluster(this.#client)) {
      return { sent: Promise.resolve(), reply: this.run(script, keys, args) };
    }
    let gathered = this.#gathered.get(script);
    if (gathered === undefined) {
      gathered = new Gathered((calls) => this.#runAll(script, calls));
      this.#gathered.set(script, gathered);
    }
    return gathered.run({ keys, args });
  }

  async #runAll(script: BulkScriptName, calls: readonly Call[]): Promise<readonly unknown[]> {
    const [{ keys, args }] = calls as [Call];
    if (calls.length === 1) return [await this.run(script, keys, args)];
    const allKeys = calls.flatMap((call) => call.keys);
    const allArgs = [keys.length, args.length, ...calls.flatMap((call) => call.args)];
    const replies = await this.#run(bulkNameOf(script), allKeys, allArgs);
    return replies as readonly unknown[];
  }

  /** Runs a script on keys of one slot. @throws (rejects) when it fails or the server is away */
  run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    return this.#run(script, keys, args);
  }

  #run(name: string, keys: Call['keys'], args: Call['args']): Promise<unknown> {
    return this.#ask(keys[0] as string, () => {
      const calls = this.#client as unknown as Record<string, ScriptCall>;
      const command = `${commandName(name)}Buffer`;
      return (calls[command] as ScriptCall).call(this.#client, keys.length, ...keys, ...args);
    });
  }

  /**
   * Sets a value, unless it arrives when nobody waits for it any more.
   *
   * @param until - when its caller gives up, on the monotonic clock
   * @throws (rejects) when it was not set, or may not have been
   */
  async set(
    key: string,
    envelope: Buffer,
    life: number,
    tell: readonly [channel: string, message: string],
    until: number,
  ): Promise<void> {
    const { clock } = this.#serverOf(key);
    const sentAt = performance.now();
    if (sentAt > until) throw tooLate();
    const latest = clock.at(until) ?? Number.MAX_SAFE_INTEGER;
    const time = (await this.run('set', [key], [envelope, life, latest, ...tell])) as number;
    clock.saw(Math.abs(time), sentAt, performance.now());
    if (time < 0) throw tooLate();
  }

  /** @throws (rejects) when a server does not answer, whether it is known to or not */
  async ping(): Promise<void> {
    const client = this.#client;
    if (!isCluster(client)) await this.#watched(this.#serverOf(''), () => client.ping());
    else {
      const nodes = client.nodes('master');
      if (nodes.length === 0) throw unavailable();
      await Promise.all(nodes.map((node) => this.#timeouts.within(node.ping())));
    }
  }

  /** The connection is new: servers that did not answer may. */
  reset(): void {
    for (const { breaker } of this.#servers.values()) breaker.succeeded();
  }

  /** Looks at the clocks of servers, so that what is set can be known to be late. Never rejects. */
  async learnTimes(): Promise<void> {
    const client = this.#client;
    const nodes: (readonly [name: string, node: Redis])[] = isCluster(client)
      ? client.nodes('master').map((node) => [nameOf(node), node])
      : [['', client]];
    await Promise.all(
      nodes.map(async ([name, node]) => {
        const { clock } = this.#serverNamed(name);
        if (clock.at(0) !== undefined) return;
        try {
          const sentAt = performance.now();
          const [seconds, micros] = await this.#timeouts.within(node.time());
          const time = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
          clock.saw(time, sentAt, performance.now());
        } catch {
          // The first answer to a set tells as well.
        }
      }),
    );
  }

  stop(): void {
    this.#isStopped = true;
    for (const { breaker } of this.#servers.values()) breaker.stop();
    this.#servers.clear();
  }

  /** The values of keys that one command can read. Never rejects. */
  async #readGroup(keys: readonly string[]): Promise<Reading[]> {
    try {
      return await this.#ask(keys[0] as string, () => this.#mget(keys));
    } catch (error) {
      return keys.map(() => error as Error);
    }
  }

  #mget(keys: readonly string[]): Promise<(Buffer | null)[]> {
    const [first] = keys;
    if (keys.length > 1 || first === undefined) return this.#client.mgetBuffer([...keys]);
    return this.#client.getBuffer(first).then((value) => [value]);
  }

  /** Places of keys that one command can read. */
  #grouped(keys: readonly string[]): number[][] {
    const bySlot = new Map<number, number[]>();
    const groups: number[][] = [];
    const inCluster = isCluster(this.#client);
    keys.forEach((key, place) => {
      const slot = inCluster ? slotOf(key) : 0;
      let group = bySlot.get(slot);
      if (group === undefined || group.length === MOST_AT_ONCE) {
        group = [];
        bySlot.set(slot, group);
        groups.push(group);
      }
      group.push(place);
    });
    return groups;
  }

  async #ask<T>(key: string, call: () => Promise<T>): Promise<T> {
    if (this.#isStopped) throw unavailable();
    const server = this.#serverOf(key);
    if (server.breaker.isOpen) throw unavailable();
    this.#cork();
    return this.#watched(server, call);
  }

  async #watched<T>(server: Server, call: () => Promise<T>): Promise<T> {
    try {
      const answer = await this.#timeouts.within(call());
      answered(server);
      return answer;
    } catch (error) {
      if (isOutage(error)) server.breaker.failed(error);
      else answered(server);
      throw error;
    }
  }

  #serverOf(key: string): Server {
    const client = this.#client;
    return this.#serverNamed(isCluster(client) ? (client.slots[slotOf(key)]?.[0] ?? '') : '');
  }

  #serverNamed(name: string): Server {
    let server = this.#servers.get(name);
    if (server === undefined) {
      const { failures, openFor } = this.#settings;
      const breaker = new Breaker({
        failures,
        openFor,
        probe: () => this.#probe(name),
        changed: (isOpen) => {
          this.#changed(isOpen, name);
        },
      });
      server = { breaker, clock: new ServerClock(), lastAnswerAt: performance.now() };
      this.#servers.set(name, server);
    }
    return server;
  }

  /** Asks a server for a sign of life; a connection that has been silent for long is given up. */
  async #probe(name: string): Promise<void> {
    const client = this.#client;
    const node = isCluster(client) ? nodeNamed(client, name) : client;
    if (node === undefined) {
      // A node that is gone answers for nothing any more.
      this.#servers.delete(name);
      return;
    }
    try {
      await this.#timeouts.within(node.ping());
    } catch (error) {
      const silentFor = performance.now() - this.#serverNamed(name).lastAnswerAt;
      if (silentFor > DEAD_AFTER && node.status === 'ready') node.disconnect(!isCluster(client));
      throw error;
    }
  }

  /** Keeps what is written until the end of this tick, so that it travels together. */
  #cork(): void {
    const client = this.#client;
    if (this.#isCorked || isCluster(client)) return;
    const { stream } = client as { stream?: typeof client.stream };
    if (stream === undefined) return;
    this.#isCorked = true;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }
}

function tooLate(): Error {
  return unavailable(new Error('a value came too late to be set'));
}

function answered(server: Server): void {
  server.lastAnswerAt = performance.now();
  server.breaker.succeeded();
}

function nodeNamed(cluster: Cluster, name: string): Redis | undefined {
  return cluster.nodes().find((node) => nameOf(node) === name);
}

/** What the slots of a cluster call a node. */
export function nameOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}

function commandName(script: string): string {
  return `acache${script.charAt(0).toUpperCase()}${script.slice(1)}`;
}
