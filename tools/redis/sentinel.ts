import { host } from './free-port.js';
import { RedisServer, startRedis, isFollowing } from './redis-server.js';
import { until } from './until.js';

export interface SentinelOptions {
  /** The name that clients ask for. @defaultValue `'primary'` */
  readonly name?: string;
  /** @defaultValue `1` */
  readonly replicas?: number;
  /** @defaultValue `3`, of which a majority decides */
  readonly sentinels?: number;
  /** Milliseconds without an answer after which a sentinel takes a server for dead. @defaultValue `500` */
  readonly downAfter?: number;
  /** More arguments for the primary and the replicas. */
  readonly args?: readonly string[];
}

/**
 * Starts a primary, its replicas, and the sentinels that watch them.
 * Resolves when all of them know each other: from then on they can replace a primary.
 */
export async function startSentinel({
  name = 'primary',
  replicas = 1,
  sentinels = 3,
  downAfter = 500,
  args = [],
}: SentinelOptions = {}): Promise<RedisSentinel> {
  const started: RedisServer[] = [];
  const start = async (server: Promise<RedisServer>): Promise<RedisServer> => {
    started.push(await server);
    return server;
  };
  const settle = async (servers: readonly Promise<RedisServer>[]): Promise<RedisServer[]> => {
    await Promise.allSettled(servers);
    return Promise.all(servers);
  };
  try {
    const primary = await start(startRedis({ args }));
    const following = await settle(
      Array.from({ length: replicas }, () => start(startRedis({ args, replicaOf: primary }))),
    );
    const quorum = Math.floor(sentinels / 2) + 1;
    const watching = await settle(
      Array.from({ length: sentinels }, (_, index) => {
        // Were all to notice at once, each would vote for itself, and the next election would be seconds later. The
        // last ones notice later, which leaves them to vote for another.
        const noticeAfter = index < quorum ? downAfter : downAfter + 1500;
        return start(startWatching({ name, primary, quorum, downAfter: noticeAfter }));
      }),
    );
    const all = new RedisSentinel(name, [primary, ...following], watching);
    await all.untilSettled();
    return all;
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()));
    throw error;
  }
}

function startWatching({
  name,
  primary,
  downAfter,
  quorum,
}: {
  name: string;
  primary: RedisServer;
  downAfter: number;
  quorum: number;
}): Promise<RedisServer> {
  const config = [
    `sentinel monitor ${name} ${host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfter}`,
    // An election that nobody has won is repeated after twice this time.
    `sentinel failover-timeout ${name} 2000`,
  ];
  // By default they talk to each other every one to ten seconds; only this command, not the configuration, changes it.
  // Shorter pings would make a replica that has been silent for five of them no candidate.
  const periods = {
    'info-period': 100,
    'publish-period': 100,
    'ask-period': 100,
    'ping-period': 200,
  };
  return RedisServer.launch({
    files: { 'sentinel.conf': `${config.join('\n')}\n` },
    args: (port) => ['sentinel.conf', '--sentinel', '--port', String(port)],
    ready: (sentinel) => sentinel.command('SENTINEL', 'DEBUG', ...Object.entries(periods).flat()),
  });
}

/** A primary, its replicas and their sentinels. */
export class RedisSentinel implements AsyncDisposable {
  readonly name: string;
  /** The primary of the beginning first, its replicas after it; who is what may change. */
  readonly nodes: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];

  constructor(name: string, nodes: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.name = name;
    this.nodes = nodes;
    this.sentinels = sentinels;
  }

  /** Where a client asks for the primary, as ioredis takes it. */
  get addresses(): { host: string; port: number }[] {
    return this.sentinels.map(({ port }) => ({ host, port }));
  }

  /** Who is primary now: the one that most running sentinels name and that says so itself. */
  async primary(): Promise<RedisServer> {
    return until('the sentinels to agree about the primary', () => this.#primary());
  }

  /** Kills the primary. Resolves with its successor when that takes writes. */
  async failover(): Promise<RedisServer> {
    const before = await this.primary();
    await before.kill();
    return this.successorOf(before);
  }

  /** Waits for another primary, and gives it when it takes writes. */
  async successorOf(before: RedisServer): Promise<RedisServer> {
    return until('another primary', async () => {
      const after = await this.#primary();
      return after !== before && after;
    });
  }

  /** Waits until the running sentinels know each other and the nodes, and the running nodes follow the primary. */
  async untilSettled(): Promise<void> {
    await until('the sentinels and their nodes to agree', async () => {
      const primary = await this.#primary();
      const known = await Promise.all(this.#running.map((sentinel) => this.#knownTo(sentinel)));
      return primary !== undefined && known.every(Boolean) && (await this.#follow(primary));
    });
  }

  /** Ends all of them, and removes their folders. */
  async stop(): Promise<void> {
    await Promise.all([...this.nodes, ...this.sentinels].map((server) => server.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #running(): RedisServer[] {
    return this.sentinels.filter(({ isRunning }) => isRunning);
  }

  async #primary(): Promise<RedisServer | undefined> {
    const named = await Promise.all(
      this.#running.map(async (sentinel) => {
        const found = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name);
        return Number((found as [string, string])[1]);
      }),
    );
    const node = this.nodes.find(
      ({ port }) => named.filter((other) => other === port).length * 2 > this.sentinels.length,
    );
    if (!node?.isRunning) return undefined;
    return (await node.info('replication')).role === 'master' ? node : undefined;
  }

  /** Whether a sentinel knows all others that run, and all nodes, and holds the primary for alive. */
  async #knownTo(sentinel: RedisServer): Promise<boolean> {
    const fields = await sentinel.command<string[]>('SENTINEL', 'MASTER', this.name);
    const valueOf = (field: string): string | undefined => fields[fields.indexOf(field) + 1];
    return (
      valueOf('flags') === 'master' &&
      Number(valueOf('num-other-sentinels')) >= this.#running.length - 1 &&
      Number(valueOf('num-slaves')) === this.nodes.length - 1
    );
  }

  async #follow(primary: RedisServer): Promise<boolean> {
    const replicas = this.nodes.filter((node) => node.isRunning && node !== primary);
    const follow = await Promise.all(replicas.map((replica) => isFollowing(replica, primary)));
    return follow.every(Boolean);
  }
}
