import { describeValue, InvalidOptionError } from '@acache/core';
import { Redis, type Cluster, type RedisOptions } from 'ioredis';
import { checkPrefix } from './options.js';

export type Client = Redis | Cluster;

/** What `redisTier` connects to: a URL, options of ioredis, or a client, which is only copied. */
export type RedisTarget = string | RedisOptions | Redis | Cluster;

/** Milliseconds between two reconnections for one reason. */
const RECONNECT_PAUSE = 2000;

/** Makes the tier's own connections, which never wait longer than a caller would. */
export interface Clients {
  /** What stands before every key by the wish of the given client. */
  readonly keyPrefix: string;
  /** The connection for commands. */
  data(): Client;
  /** A connection that hears of changes, to the server, or to one node of a cluster. */
  listener(node?: Redis): Redis;
}

/** @throws InvalidOptionError when it is nothing to connect to */
export function clientsFor(target: RedisTarget): Clients {
  const original = originalOf(target);
  const keyPrefix = keyPrefixOf(original);
  if (keyPrefix !== '') checkPrefix(keyPrefix, 'keyPrefix of the client');
  const common: RedisOptions = {
    // As a RESP3 connection ioredis drops what the server tells of changes.
    protocol: 2,
    keyPrefix: '',
    db: dbOf(original),
    lazyConnect: true,
    readOnly: false,
    monitor: false,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    replyMapping: 'legacy',
    socketTimeout: undefined,
    role: 'master',
    sentinelRetryStrategy: pauseBefore,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    stringNumbers: false,
    // Ours are timed by what waits for them.
    commandTimeout: undefined,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    retryStrategy: pauseBefore,
    reconnectOnError: reconnectFromReplica(),
    // A primary that was replaced may go on answering those who are connected to it.
    failoverDetector: true,
    disconnectTimeout: 50,
  };
  return {
    keyPrefix,
    data() {
      if (!isCluster(original)) return original.duplicate(common);
      const { retryStrategy, enableOfflineQueue, readOnly, ...forNodes } = common;
      return original.duplicate([], {
        keyPrefix: '',
        lazyConnect: true,
        // A node is connected to with the first command for it; those that follow wait with it.
        enableOfflineQueue: true,
        enableAutoPipelining: false,
        scaleReads: 'master',
        maxRedirections: 3,
        // What is sent again after its caller gave up on it would undo what came later.
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        retryDelayOnTryAgain: 1,
        slotsRefreshTimeout: 1000,
        slotsRefreshInterval: 5000,
        clusterRetryStrategy: pauseBefore,
        redisOptions: forNodes,
      });
    },
    listener(node) {
      const from = node ?? (original as Redis);
      return from.duplicate({ ...common, failoverDetector: false });
    },
  };
}

/** The client to copy: a given one as it is; another one never connects. */
function originalOf(target: RedisTarget): Client {
  if (typeof target === 'string') {
    checkUrl(target);
    return checked(() => new Redis(target, { lazyConnect: true }));
  }
  if (typeof target === 'object' && (target as unknown) !== null && !('attach' in target)) {
    // Clients of other makers can be copied as well.
    if ('defineCommand' in target && 'duplicate' in target) return target;
    if (Object.getPrototypeOf(target) === Object.prototype) {
      return checked(() => new Redis({ ...target, lazyConnect: true }));
    }
  }
  throw new InvalidOptionError(
    `redis must be a URL, options of ioredis or a client of ioredis, got ${describeValue(target)}`,
  );
}

/** @throws InvalidOptionError for what ioredis cannot mean; without its words, which may hold a password */
function checked(make: () => Redis): Redis {
  let client: Redis;
  try {
    client = make();
  } catch {
    throw new InvalidOptionError('redis must be a URL or options that ioredis can connect to');
  }
  const { db = 0, port = 6379 } = client.options;
  // It would be taken for the first one, in silence.
  if (!Number.isInteger(db) || db < 0) {
    throw new InvalidOptionError(`db of redis must be a whole number, got ${describeValue(db)}`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidOptionError(`port of redis must be a port, got ${describeValue(port)}`);
  }
  return client;
}

function checkUrl(url: string): void {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  const isGood =
    scheme === undefined
      ? url.trim() !== ''
      : /^rediss?$/i.test(scheme) && url.trim() === url && URL.canParse(url);
  if (isGood) return;
  // The URL itself may hold a password.
  const got = scheme === undefined ? describeValue(url) : `a URL of ${scheme}:`;
  throw new InvalidOptionError(`redis must be a URL such as 'redis://localhost:6379', got ${got}`);
}

export function isCluster(client: Client): client is Cluster {
  return client.isCluster;
}

function keyPrefixOf(client: Client): string {
  const own = client.options.keyPrefix;
  const ofNodes = isCluster(client) ? client.options.redisOptions?.keyPrefix : undefined;
  return own ?? ofNodes ?? '';
}

/** The database that a client uses now: `select` may have changed it. */
function dbOf(client: Client): number {
  if (isCluster(client)) return 0;
  return client.condition?.select ?? client.options.db ?? 0;
}

/** Connects anew where a server has become a replica, but not over and over to one that stays it. */
function reconnectFromReplica(): (error: Error) => boolean {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (!error.message.includes('READONLY') || now - last < RECONNECT_PAUSE) return false;
    last = now;
    return true;
  };
}

/** Milliseconds before the next attempt to connect. */
function pauseBefore(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), 1000) * (0.5 + 0.5 * Math.random());
}
