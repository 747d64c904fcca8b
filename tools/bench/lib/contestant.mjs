import { existsSync, readFileSync } from 'node:fs';

/**
 * A cache as the cases use it. What a library lacks is left out, and the cases that need it do not
 * list that library.
 *
 * @typedef {import('./data.mjs').Value} Value
 * @typedef {(key: string) => Promise<Value>} Loader
 * @typedef {ReadonlyMap<string, Value> | readonly (Value | undefined)[]} Bulk as the library gives it
 *
 * @typedef {object} Contestant
 * @property {(key: string) => PromiseLike<Value | undefined>} get loads on a miss
 * @property {(key: string) => Value | undefined} [peek] synchronous
 * @property {(keys: string[]) => Promise<Bulk>} [getMany]
 * @property {(key: string, value: Value) => unknown} [set]
 * @property {() => number} [size]
 * @property {() => boolean} [isWell] whether it uses its memory and its Redis as if nothing had been
 * @property {() => unknown} [close] where it would outlive its last use: a timer for each entry, say
 *
 * @typedef {object} OpenOptions
 * @property {number} maxSize
 * @property {number | null} ttl milliseconds; `null` never expires
 * @property {Loader} loader
 *
 * @typedef {(options: OpenOptions) => Contestant} Open
 *
 * Memory in front of the Redis on that port of this machine.
 * @typedef {OpenOptions & { port: number }} OpenTierOptions
 * @typedef {(options: OpenTierOptions) => Contestant | Promise<Contestant>} OpenTier
 *
 * A cache in front of a source, with what its manual offers of the options that are asked for.
 *
 * @typedef {object} Source
 * @property {(key: string, signal?: AbortSignal) => PromiseLike<any>} get
 * @property {(keys: string[]) => PromiseLike<unknown>} [getMany] where many keys can be loaded together
 * @property {(key: string, value: any) => unknown} [set]
 * @property {(key: string) => unknown} [delete]
 * @property {(tag: string) => unknown} [invalidateTag]
 * @property {readonly ('staleWhileRevalidate' | 'staleIfError' | 'timeout' | 'signal')[]} has which of these it has
 *
 * @typedef {object} SourceOptions
 * @property {(key: string, signal?: AbortSignal) => Promise<any>} load
 * @property {(keys: readonly string[]) => Promise<any[]>} [loadMany]
 * @property {number} maxSize
 * @property {number} ttl milliseconds, as all that follow
 * @property {number} [staleWhileRevalidate]
 * @property {number} [staleIfError]
 * @property {number} [timeout]
 * @property {boolean} [leaving] whether callers are to leave by their signals
 * @property {string} [tag] of every value
 *
 * @typedef {(options: SourceOptions) => Source} OpenSource
 *
 * A key-value store in a folder.
 *
 * @typedef {object} Store
 * @property {(keys: string[], values: object[]) => unknown} set not waited for, unless it must be
 * @property {() => Promise<unknown>} flush resolves when all of it would outlive a loss of power, or,
 *   where that is left to the system, the process
 * @property {(key: string) => unknown} get
 * @property {() => unknown} close
 * @property {string} [file] one that it rewrites when half of it is garbage
 *
 * @typedef {(folder: string, options?: { synced?: boolean }) => Store | Promise<Store>} OpenStore
 *
 * What is back in memory after a restart.
 *
 * @typedef {object} Restored
 * @property {number} size
 * @property {(key: string) => unknown} get
 * @property {boolean} [lazy] whether the first get of a key makes its value
 *
 * Gets ready, untimed, to restore what a `Store` left in the folder.
 * @typedef {(folder: string) => () => Restored | Promise<Restored>} Restoring
 *
 * A loader of one request.
 * @typedef {{ load(id: number): Promise<Value> }} IdLoader
 * @typedef {(loadMany: (ids: readonly number[]) => Promise<Value[]>, keep: boolean) => IdLoader} OpenLoader
 *
 * Calls of one tool of an agent.
 *
 * @typedef {object} Calls
 * @property {(key: string) => Promise<Value>} call
 * @property {(work: () => Promise<number>) => Promise<number>} within runs calls in one session
 *
 * @typedef {object} CallsOptions
 * @property {'guard' | 'read' | 'mutate'} effect
 * @property {boolean} sdk whether it is the `execute` of a tool of `ai`
 * @property {Loader} load the tool
 *
 * @typedef {(options: CallsOptions) => Calls} OpenCalls
 *
 * A tool set of `ai`, whose reads are cached.
 *
 * @typedef {object} OpenedTools
 * @property {Record<string, any>} tools
 * @property {<T>(user: string, work: () => Promise<T>) => Promise<T>} as runs an agent for that user
 * @property {() => unknown} close
 *
 * @typedef {object} ToolSetOptions
 * @property {Record<string, { effect: 'read' | 'mutate', resource?: string }>} effects of each tool
 * @property {() => string} currentUser for whom an agent runs
 * @property {number} [port] of the Redis to keep answers in
 *
 * @typedef {(tools: Record<string, any>, options: ToolSetOptions) => Promise<OpenedTools>} OpenToolSet
 */

/**
 * The npm package of each contestant that has one; the rest are ours and the limits.
 *
 * @type {Record<string, string | string[]>}
 */
const packages = {
  'lru-cache': 'lru-cache',
  'lru-autopurge': 'lru-cache',
  'lru-purge-stale': 'lru-cache',
  'layered-loader': 'layered-loader',
  'p-memoize': 'p-memoize',
  memoizee: 'memoizee',
  'async-cache-dedupe': 'async-cache-dedupe',
  'cache-manager': 'cache-manager',
  cacheable: 'cacheable',
  cachified: '@epic-web/cachified',
  bentocache: 'bentocache',
  dataloader: 'dataloader',
  'ai-sdk-tools': ['@ai-sdk-tools/cache', 'ai'],
  'ai-sdk-tools-options': ['@ai-sdk-tools/cache', 'ai'],
  lmdb: 'lmdb',
  'better-sqlite3': 'better-sqlite3',
  cacache: 'cacache',
  ioredis: 'ioredis',
  'ioredis-pipelining': 'ioredis',
  'bentocache-timeouts': 'bentocache',
  'cacheable-nonblocking': ['cacheable', '@keyv/redis'],
  'layered-loader-timeouts': 'layered-loader',
  'safe-stable-stringify': 'safe-stable-stringify',
  'object-hash': 'object-hash',
};

export const peerNames = Object.keys(packages);

/**
 * Imported only when it takes part: how many caches live in a process changes the figures.
 *
 * @param {string} name
 * @returns {Promise<{ open: Open, openTier: OpenTier, openLoader: OpenLoader, openStore: OpenStore, restoring: Restoring, openCalls: OpenCalls, openToolSet: OpenToolSet, openSource: OpenSource }>}
 *   what it can be: a cache, one with Redis behind it, a loader, a store, what caches tools, or several of them
 */
export const contestant = (name) => import(`../contestants/${name}.mjs`);

/**
 * The installed versions of those contestants that are packages, by package; an optional one may not be
 * installed.
 *
 * @param {readonly string[]} names
 * @returns {Record<string, string>}
 */
export function versionsOf(names) {
  const used = new Set(names.flatMap((name) => packages[name] ?? []));
  return Object.fromEntries(
    [...used].flatMap((name) => {
      const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
      return existsSync(file) ? [[name, JSON.parse(readFileSync(file, 'utf8')).version]] : [];
    }),
  );
}
