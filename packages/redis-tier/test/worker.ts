/*
 * The program of a process with a cache in it. It does what it is asked to through its channel, and
 * ends when that does. See `start-worker.ts`.
 */
import { AsyncCache, type Loader } from '@acache/core';
import { Cluster, Redis } from 'ioredis';
import { redisTier, type RedisTier, type RedisTierOptions } from '../src/index.js';
import { Fuzzer, type FuzzPlan, type FuzzReport, type Shown } from './fuzzer.js';
import { movedClock } from './moved-clock.js';
import { randomFrom } from './random.js';

/** Where Redis is: a URL, or nodes of a cluster. */
export type Place = string | readonly { host: string; port: number }[];

export interface Setup {
  readonly at: Place;
  readonly name: string;
  readonly tier?: Omit<RedisTierOptions, 'serializer'>;
  readonly cache?: {
    ttl?: number;
    staleWhileRevalidate?: number;
    refreshAhead?: number;
    maxSize?: number;
  };
  /** Where loaders of the fuzz read. */
  readonly database?: string;
  /** Whether the test moves its clock. A clock that is handed in is looked at more often than the system's. */
  readonly movesClock?: true;
}

/** What a loader does. */
export interface Load {
  /** What it brings. */
  readonly value?: unknown;
  /** What it fails with. */
  readonly fail?: string;
  /** Milliseconds that it takes; without, and with `gate`, as long as nobody opens it. */
  readonly ms?: number;
  readonly gate?: true;
  /** Tags that it names at its end. */
  readonly tags?: readonly string[];
}

export interface GetOptions {
  readonly ttl?: number;
  readonly staleWhileRevalidate?: number;
  readonly tags?: readonly string[];
  readonly refresh?: boolean;
}

export interface Got {
  readonly value: unknown;
  readonly status: string;
  readonly source: string | undefined;
  /** Milliseconds that it took. */
  readonly took: number;
}

export interface Storm {
  readonly keys: readonly string[];
  /** Gets of each key. */
  readonly gets: number;
  readonly seed: number;
  readonly ms: number;
  /** Tags of each key. */
  readonly tags?: readonly string[];
  /** Asks with getMany, so many keys at once. */
  readonly many?: number;
}

export interface StormReport {
  readonly loads: number;
  readonly gets: number;
  readonly wrong: readonly string[];
  readonly slowest: number;
}

/** Reads of one key, without a pause. */
export interface Watch {
  readonly key: string;
  readonly ms: number;
}

export interface WatchReport {
  /** The values that were read, in the order in which they came. */
  readonly values: readonly unknown[];
  /** The longest turn of the event loop, in milliseconds. */
  readonly stall: number;
  /** How often, and for how long, the first value was still read after that turn. */
  readonly stillRead: { times: number; ms: number };
}

let cache: AsyncCache<string, unknown>;
let tier: RedisTier;
let fuzzer: Fuzzer | undefined;
let loads = new Map<string, number>();
let gates = new Map<string, () => void>();
let errors: string[] = [];
let states: string[] = [];
let traffic: Promise<unknown> | undefined;
let isBusy = false;
/** Reads of the watch, and of the traffic, that runs or ran last. */
let reads = 0;
let clock = movedClock();

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function place(at: Place): string | Cluster {
  return typeof at === 'string' ? at : new Cluster([...at], { lazyConnect: true });
}

function loaderOf({ value, fail, ms, gate, tags = [] }: Load): Loader<string, unknown> {
  return async (key, context) => {
    loads.set(key, (loads.get(key) ?? 0) + 1);
    if (gate) await new Promise<void>((resolve) => gates.set(key, resolve));
    if (ms !== undefined) await sleep(ms);
    context.tag(...tags);
    if (fail !== undefined) throw new Error(fail);
    return value;
  };
}

async function storm({ keys, gets, seed, ms, tags, many }: Storm): Promise<StormReport> {
  const random = randomFrom(seed);
  const order = random.shuffled(keys.flatMap((key) => Array.from({ length: gets }, () => key)));
  const wrong: string[] = [];
  const isWrong = (key: string, value: unknown): void => {
    if (value !== `value of ${key}`) wrong.push(`${key} was ${String(value)}`);
  };
  const count = (key: string): void => void loads.set(key, (loads.get(key) ?? 0) + 1);
  let slowest = 0;
  const before = total();
  const ask = async (asked: readonly string[]): Promise<void> => {
    const since = performance.now();
    if (many === undefined) {
      const key = asked[0]!;
      const loader = async (): Promise<string> => {
        count(key);
        await sleep(ms);
        return `value of ${key}`;
      };
      isWrong(key, await cache.get(key, { loader, ...(tags && { tags }) }));
    } else {
      const loadMany = async (missing: readonly string[]): Promise<string[]> => {
        missing.forEach(count);
        await sleep(ms);
        return missing.map((key) => `value of ${key}`);
      };
      const found = await cache.getMany(asked, { loadMany, ...(tags && { tags }) });
      for (const key of asked) isWrong(key, found.get(key));
    }
    slowest = Math.max(slowest, performance.now() - since);
  };
  const asking: Promise<void>[] = [];
  for (let at = 0; at < order.length; at += many ?? 1) {
    asking.push(ask(order.slice(at, at + (many ?? 1))));
    if (asking.length % 500 === 0) await turn();
  }
  await Promise.all(asking);
  return { loads: total() - before, gets: order.length, wrong, slowest };
}

async function watch({ key, ms }: Watch): Promise<WatchReport> {
  const values: unknown[] = [];
  const start = performance.now();
  let [stall, stalledUntil] = [0, 0];
  let stillRead = { times: 0, ms: 0 };
  reads = 0;
  for (let last = start; last - start < ms;) {
    await turn();
    const now = performance.now();
    if (now - last > stall) {
      [stall, stalledUntil] = [now - last, now];
      stillRead = { times: 0, ms: 0 };
    }
    last = now;
    const value = cache.peek(key) ?? (await cache.get(key));
    if (values.length === 0 || values.at(-1) !== value) values.push(value);
    reads++;
    if (value === values[0]) stillRead = { times: stillRead.times + 1, ms: now - stalledUntil };
  }
  return { values, stall, stillRead };
}

function total(): number {
  let sum = 0;
  for (const count of loads.values()) sum += count;
  return sum;
}

const jobs = {
  async pid(): Promise<number> {
    return process.pid;
  },

  /** Has a new cache from now on, connected and coherent; the one before is closed. */
  async open({
    at,
    name,
    tier: tierOptions,
    cache: options,
    database,
    movesClock,
  }: Setup): Promise<void> {
    await jobs.close();
    [loads, gates, errors, states] = [new Map(), new Map(), [], []];
    tier = redisTier(place(at), { commandTimeout: 1000, ...tierOptions });
    clock = movedClock();
    cache = new AsyncCache<string, unknown>({
      maxSize: null,
      ...options,
      name,
      tier,
      ...(movesClock && { clock }),
    });
    cache.on('error', ({ error }) => errors.push(String(error)));
    cache.on('tier', ({ state }) => states.push(state));
    if (database !== undefined) fuzzer = new Fuzzer(cache, new Redis(database));
    await cache.ready;
    await jobs.untilCoherent();
  },

  async untilCoherent(): Promise<void> {
    const end = performance.now() + 10_000;
    const isCoherent = (): boolean => {
      const { coherent, down, unsent } = tier.getMetrics();
      return coherent && !down && unsent === 0;
    };
    while (!isCoherent()) {
      if (performance.now() > end) {
        const facts = JSON.stringify([tier.getMetrics(), states.slice(-20), errors.slice(-20)]);
        throw new Error(`never became coherent: ${facts}`);
      }
      await sleep(5);
    }
  },

  async close(): Promise<void> {
    fuzzer?.stop();
    fuzzer = undefined;
    await (cache as typeof cache | undefined)?.close();
  },

  async get(key: string, load?: Load, options?: GetOptions): Promise<Got> {
    const since = performance.now();
    const loader = load && loaderOf(load);
    const { value, status, source } = await cache.getWithMeta(key, {
      ...options,
      ...(loader && { loader }),
    });
    return { value, status, source, took: performance.now() - since };
  },

  /** Several gets of one key at once: how each ended. */
  async gets(key: string, times: number, load: Load): Promise<string[]> {
    const loader = loaderOf(load);
    const outcomes = await Promise.allSettled(
      Array.from({ length: times }, () => cache.get(key, loader)),
    );
    return outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? String(outcome.value) : String(outcome.reason),
    );
  },

  async getMany(keys: readonly string[]): Promise<[string, unknown][]> {
    return [...(await cache.getMany(keys))];
  },

  async peek(key: string): Promise<unknown> {
    return cache.peek(key);
  },

  async set(key: string, value: unknown, options?: { tags?: string[]; ttl?: number }) {
    await cache.set(key, value, options);
  },

  async delete(key: string): Promise<void> {
    await cache.delete(key);
  },

  async expire(key: string): Promise<void> {
    await cache.expire(key);
  },

  async invalidateTags(...tags: string[]): Promise<void> {
    await cache.invalidateTags(...tags);
  },

  async clear(): Promise<void> {
    await cache.clear();
  },

  async flush(): Promise<void> {
    await cache.flush();
  },

  /** How often loaders were called, for a key or in all. */
  async loads(key?: string): Promise<number> {
    return key === undefined ? total() : (loads.get(key) ?? 0);
  },

  /** Lets the loader go on that waits at its gate. */
  async openGate(key: string): Promise<void> {
    gates.get(key)!();
  },

  async metrics() {
    return tier.getMetrics();
  },

  /** What the cache has told of. */
  async told(): Promise<{ errors: string[]; states: string[] }> {
    return { errors, states };
  },

  /** Keeps the event loop from turning, once this is answered; what runs next has not seen its input. */
  async block(ms: number): Promise<void> {
    queueMicrotask(() => {
      process.nextTick(() => {
        const end = performance.now() + ms;
        while (performance.now() < end);
      });
    });
  },

  /** Moves the clock on, of a cache that was opened with `movesClock`. */
  async advance(ms: number): Promise<void> {
    clock.ahead += ms;
  },

  storm,
  watch,

  async fuzz(plan: FuzzPlan): Promise<FuzzReport> {
    return fuzzer!.run(plan);
  },

  async shown(keys: number): Promise<Shown[]> {
    return fuzzer!.show(keys);
  },

  /** How often the watch, or the traffic, has had an answer. */
  async reads(): Promise<number> {
    return reads;
  },

  /** Begins to ask for keys, over and over, until it is told to rest. */
  async begin(keys: readonly string[], pause: number): Promise<void> {
    isBusy = true;
    reads = 0;
    const loop = async (at: number): Promise<void> => {
      for (let round = at; isBusy; round++) {
        const key = keys[round % keys.length]!;
        const value = await cache.get(key, loaderOf({ value: `value of ${key}`, ms: 5 }));
        if (value !== `value of ${key}`) throw new Error(`${key} was ${String(value)}`);
        reads++;
        await sleep(pause);
      }
    };
    traffic = Promise.all(keys.map((_, at) => loop(at)));
    traffic.catch(() => undefined);
  },

  /** Ends it. @throws what went wrong meanwhile */
  async rest(): Promise<void> {
    isBusy = false;
    await traffic;
  },

  /** Whether what every object inherits from is as it was. */
  async isClean(): Promise<boolean> {
    const added = Object.keys(Object.prototype).length + Object.keys(Array.prototype).length;
    return added === 0 && ({} as { polluted?: unknown }).polluted === undefined;
  },
};

export type Jobs = typeof jobs;

interface Request {
  readonly id: number;
  readonly job: keyof Jobs;
  readonly args: never[];
}

const byName: Record<keyof Jobs, (...args: never[]) => Promise<unknown>> = jobs;

process.on('disconnect', () => process.exit());
process.on('message', ({ id, job, args }: Request) => {
  byName[job](...args).then(
    (answer) => process.send!({ id, answer }),
    (error: unknown) => {
      process.send!({ id, error: error instanceof Error ? error.message : String(error) });
    },
  );
});
