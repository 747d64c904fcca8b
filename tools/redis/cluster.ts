import { freePort, host } from './free-port.js';
import { dataArguments, RedisServer, untilFollowing } from './redis-server.js';
import { until } from './until.js';

export interface ClusterOptions {
  /** @defaultValue `3` */
  readonly primaries?: number;
  /** Replicas of each primary. @defaultValue `0` */
  readonly replicas?: number;
  /** Milliseconds without an answer after which a node is taken for dead. @defaultValue `2000` */
  readonly nodeTimeout?: number;
  /** More arguments for every node: `['--cluster-require-full-coverage', 'no']`. */
  readonly args?: readonly string[];
}

const slotCount = 16_384;

/**
 * Starts a cluster whose primaries share the slots evenly. Resolves when every node answers for the whole of it, which
 * takes two seconds: that long a primary that has just started waits before it takes writes, and nothing changes it.
 */
export async function startCluster({
  primaries = 3,
  replicas = 0,
  nodeTimeout = 2000,
  args = [],
}: ClusterOptions = {}): Promise<RedisCluster> {
  const size = primaries * (1 + replicas);
  const starts = await Promise.allSettled(
    Array.from({ length: size }, () => startNode(nodeTimeout, args)),
  );
  const nodes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const cluster = new RedisCluster(nodes.map(({ server }) => server));
  try {
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    await form(nodes, primaries);
    await cluster.untilSettled();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

type Node = { server: RedisServer; busPort: number };

async function startNode(nodeTimeout: number, args: readonly string[]): Promise<Node> {
  let busPort = 0;
  const server = await RedisServer.launch({
    args: async (port) => {
      busPort = await freePort();
      return [
        ...dataArguments,
        ...['--port', String(port), '--cluster-enabled', 'yes'],
        ...['--cluster-port', String(busPort), '--cluster-node-timeout', String(nodeTimeout)],
        ...args,
      ];
    },
  });
  return { server, busPort };
}

async function form(nodes: readonly Node[], primaries: number): Promise<void> {
  await Promise.all(
    nodes.map(async ({ server }, index) => {
      // Epochs of their own from the start: nodes that share one would argue about it first.
      await server.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index < primaries) {
        const first = Math.ceil((slotCount * index) / primaries);
        const last = Math.ceil((slotCount * (index + 1)) / primaries) - 1;
        await server.command('CLUSTER', 'ADDSLOTSRANGE', first, last);
      }
      for (const other of nodes.slice(index + 1)) {
        await server.command('CLUSTER', 'MEET', host, other.server.port, other.busPort);
      }
    }),
  );
  await Promise.all(
    nodes.slice(primaries).map(async ({ server }, index) => {
      const primary = nodes[index % primaries] as Node;
      // Refused until it has heard of that primary.
      await until('the replica to know its primary', async () =>
        server.command('CLUSTER', 'REPLICATE', await idOf(primary.server)),
      );
      await untilFollowing(server, primary.server);
      // A replica that has nothing yet is kept from clients. This is replicated even where there is nothing to flush.
      await primary.server.command('FLUSHALL');
    }),
  );
}

const idOf = (server: RedisServer): Promise<string> => server.command<string>('CLUSTER', 'MYID');

/** A range of slots and the ports of those who serve it, the primary's first. */
type Range = { first: number; last: number; ports: [number, ...number[]] };

/** The nodes of a cluster; who is primary, and of which slots, may change. */
export class RedisCluster implements AsyncDisposable {
  /** The primaries of the beginning first. */
  readonly nodes: readonly RedisServer[];

  constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  /** Where a client may begin, as ioredis takes it. */
  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ port }) => ({ host, port }));
  }

  /** The primaries that serve slots now. */
  async primaries(): Promise<RedisServer[]> {
    const ports = (await this.#ranges()).map((range) => range.ports[0]);
    return this.nodes.filter(({ port }) => ports.includes(port));
  }

  /** The replicas of a primary now. */
  async replicasOf(primary: RedisServer): Promise<RedisServer[]> {
    const range = (await this.#ranges()).find(({ ports }) => ports[0] === primary.port);
    return this.nodes.filter(({ port }) => range?.ports.slice(1).includes(port));
  }

  /** The primary that serves a key now. */
  async ownerOf(key: string): Promise<RedisServer> {
    const slot = await this.slotOf(key);
    const range = (await this.#ranges()).find(({ first, last }) => first <= slot && slot <= last);
    return this.#at(range?.ports[0]);
  }

  async slotOf(key: string): Promise<number> {
    return this.#running().command<number>('CLUSTER', 'KEYSLOT', key);
  }

  /** Kills a primary that has a replica. Resolves with its successor when all agree about that. */
  async failover(primary: RedisServer): Promise<RedisServer> {
    const replicas = await this.replicasOf(primary);
    if (replicas.length === 0) throw new Error('a primary without a replica has no successor');
    await primary.kill();
    return this.#successor(replicas);
  }

  /** Makes a replica and its primary change places, with both alive. Resolves with the new primary. */
  async handOver(primary: RedisServer): Promise<RedisServer> {
    const replicas = await this.replicasOf(primary);
    await this.#at(replicas[0]?.port).command('CLUSTER', 'FAILOVER');
    return this.#successor(replicas);
  }

  /** Moves the slot of a key, with all that is in it, to another primary. */
  async moveSlotOf(key: string, to: RedisServer): Promise<void> {
    const slot = await this.slotOf(key);
    const from = await this.ownerOf(key);
    const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    for (;;) {
      const keys = await from.command<string[]>('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (keys.length === 0) break;
      await from.command('MIGRATE', host, to.port, '', 0, 5000, 'KEYS', ...keys);
    }
    for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    await this.untilSettled();
  }

  /** Waits until all slots are served, replicas are in step, and the running nodes agree about who is what. */
  async untilSettled(): Promise<void> {
    const running = this.nodes.filter(({ isRunning }) => isRunning);
    await until('the nodes of the cluster to agree', async () => {
      const views = await Promise.all(running.map(viewOf));
      return views.every((view) => view !== undefined && view === views[0]);
    });
  }

  /** Ends all of them, and removes their folders. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #successor(candidates: readonly RedisServer[]): Promise<RedisServer> {
    return until('a replica to take over', async () => {
      const primaries = await this.primaries();
      const successor = candidates.find((replica) => primaries.includes(replica));
      if (successor) await this.untilSettled();
      return successor;
    });
  }

  #running(): RedisServer {
    const node = this.nodes.find(({ isRunning }) => isRunning);
    if (!node) throw new Error('no node of the cluster is running');
    return node;
  }

  #at(port: number | undefined): RedisServer {
    const node = this.nodes.find((other) => other.port === port);
    if (!node) throw new Error('the cluster has no such node');
    return node;
  }

  #ranges(): Promise<Range[]> {
    return rangesKnownTo(this.#running());
  }
}

async function rangesKnownTo(node: RedisServer): Promise<Range[]> {
  type Served = [first: number, last: number, ...by: [host: string, port: number][]];
  const slots = await node.command<Served[]>('CLUSTER', 'SLOTS');
  return slots.map(([first, last, ...by]) => {
    const [primary, ...replicas] = by.map(([, port]) => port);
    return { first, last, ports: [primary as number, ...replicas.sort()] };
  });
}

/** What a node believes about the cluster, as a text to compare; `undefined` while it is not well itself. */
async function viewOf(node: RedisServer): Promise<string | undefined> {
  if (!(await node.command<string>('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    return undefined;
  }
  const ranges = await rangesKnownTo(node);
  const { role, master_link_status: link } = await node.info('replication');
  const isKnown = ranges.some(({ ports }) => ports.includes(node.port));
  if (role === 'slave' && !(isKnown && link === 'up')) return undefined;
  return ranges
    .map(({ first, last, ports }) => `${first}-${last} ${ports.join()}`)
    .sort()
    .join('\n');
}
