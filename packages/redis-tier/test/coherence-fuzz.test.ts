import { Cluster, Redis } from 'ioredis';
import { startCluster, type RedisCluster, type RedisServer } from '../../../tools/redis/index.js';
import type { Coherence } from '../src/index.js';
import { clock, isOwned, keyAt, recordOf, type Floor, type FuzzReport } from './fuzzer.js';
import { redisForAll } from './processes.js';
import { randomFrom, type Random } from './random.js';
import { redisAndWorkersForAll, type Worker } from './start-worker.js';
import type { Place } from './worker.js';

/** How long each of the situations is tried; more by an environment variable. */
const LONGER = Number(process.env.ACACHE_FUZZ_MS ?? 0);
const SEED = Number(process.env.ACACHE_FUZZ_SEED ?? Date.now() % 1e9);
/** Milliseconds after which all is let come to rest, and looked at. */
const ROUND = 1400;
/** Milliseconds that a change may take to reach everybody, beside what a process stood still. */
const PROPAGATION = 300;
/** Milliseconds that `staleness` is where commands are cut off, and then comes on top of that. */
const STALENESS = 400;
const KEYS = 50;
const LOOPS = 30;

interface Situation {
  readonly at: Place;
  /** The servers that the caches use. */
  readonly servers: readonly RedisServer[];
  /** A client of the caches' server that is no cache; for when others than caches write there. */
  readonly stranger?: Redis | Cluster;
  readonly coherence?: Coherence;
  readonly ms: number;
  /** Also cuts the connections for commands. What is loaded meanwhile may be kept for `staleness`. */
  readonly cutsCommands?: boolean;
}

let database: RedisServer;
let records: Redis;
let workers: Worker[];

afterAll(() => records.disconnect());
redisAndWorkersForAll(3, (redis, started) => {
  [database, workers, records] = [redis, started, new Redis(redis.url)];
});
jest.setTimeout(60_000 + 3 * LONGER);

const keys = Array.from({ length: KEYS }, (_, at) => at);
const foreignKeys = keys.filter((at) => !isOwned(at));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Where a cache named `fuzz` keeps a key. */
const placeOf = (at: number): string => {
  const key = keyAt(at);
  return `acache:v:{fuzz:s${key.length}:${key}}`;
};

async function fuzz(situation: Situation): Promise<void> {
  const { at, coherence, ms, cutsCommands = false } = situation;
  await records.mset(keys.flatMap((key) => [recordOf(key), '1']));
  await Promise.all(
    workers.map((worker, index) =>
      worker.ask('open', {
        at,
        name: 'fuzz',
        database: database.url,
        // Where commands are cut off, nobody may give back what was being claimed.
        tier: {
          ...(coherence && { coherence }),
          ...(cutsCommands && { lockTtl: 300, staleness: STALENESS }),
        },
        cache: { ...(index === 1 && { refreshAhead: 0.5 }), ...(index === 2 && { maxSize: 25 }) },
      }),
    ),
  );
  const end = clock() + Math.max(ms, LONGER);
  for (let round = 0; clock() < end; round++) {
    const seed = SEED + round;
    const told = await one(situation, seed, cutsCommands);
    if (told.length > 0) {
      const facts = await Promise.all(workers.map((worker) => worker.ask('told')));
      const states = facts.map((fact) => fact.states.slice(-30).join(' ')).join('\n');
      throw new Error(`ACACHE_FUZZ_SEED=${seed} (round ${round}):\n${told.join('\n')}\n${states}`);
    }
  }
}

/** One round; what was wrong with it. */
async function one(situation: Situation, seed: number, confirms: boolean): Promise<string[]> {
  const shared = { ms: ROUND, keys: KEYS, loops: LOOPS, processes: workers.length, confirms };
  const running = Promise.all(
    workers.map((worker, process) =>
      worker.ask('fuzz', { ...shared, process, seed: seed * 8 + process }),
    ),
  );
  let isOver = false;
  const floors: Floor[] = [];
  const random = randomFrom(seed * 8 + 7);
  const others = [
    // In between, memory lives longer.
    ...(seed % 2 === 0 ? [disturb(situation, random, () => isOver)] : []),
    ...(situation.stranger ? [write(situation, random, floors, () => isOver)] : []),
  ];
  const reports = await running.finally(() => (isOver = true));
  await Promise.all(others);
  const within = PROPAGATION + (confirms ? STALENESS : 0);
  const wrong = reports.flatMap((report) => report.wrong);
  wrong.push(...outdated(reports, floors, within), ...(await staleAtRest(confirms)));
  return wrong.slice(0, 20);
}

/** Changes records, and tells Redis itself instead of a cache. */
async function write(
  { stranger, servers }: Situation,
  random: Random,
  floors: Floor[],
  isOver: () => boolean,
): Promise<void> {
  const client = stranger!;
  while (!isOver()) {
    await sleep(random.below(20));
    if (random.chance(0.005)) {
      const versions = await Promise.all(foreignKeys.map((at) => records.incr(recordOf(at))));
      await Promise.all(servers.map((server) => server.command('FLUSHALL')));
      const now = clock();
      foreignKeys.forEach((at, index) => floors.push([at, versions[index]!, now, 0]));
      continue;
    }
    const at = random.of(foreignKeys);
    const version = await records.incr(recordOf(at));
    const how = random.below(4);
    if (how === 0) await client.del(placeOf(at));
    else if (how === 1) await client.unlink(placeOf(at));
    else if (how === 2) await client.set(placeOf(at), `no value ${version}`);
    else await client.pexpire(placeOf(at), -1);
    floors.push([at, version, clock(), 0]);
  }
}

/** Ends connections of the caches, mostly those on which they hear of changes, and stops processes. */
async function disturb(
  { servers, cutsCommands }: Situation,
  random: Random,
  isOver: () => boolean,
): Promise<void> {
  const connections = async (server: RedisServer, type: string): Promise<string[]> => {
    const list = await server.command<string>('CLIENT', 'LIST', 'TYPE', type);
    return [...list.matchAll(/^id=(\d+) /gm)].map(([, id]) => id!);
  };
  const kill = async (server: RedisServer, type: string): Promise<void> => {
    const ids = await connections(server, type);
    if (ids.length > 0) await server.command('CLIENT', 'KILL', 'ID', random.of(ids));
  };
  while (!isOver()) {
    await sleep(100 + random.below(500));
    const server = random.of(servers);
    if (random.chance(0.3)) {
      const worker = random.of(workers);
      await worker.freeze();
      await sleep(random.below(500));
      worker.thaw();
    } else if (cutsCommands && random.chance(0.5)) await kill(server, 'normal');
    else if (random.chance(0.5)) await kill(server, 'pubsub');
    else await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
}

/** Reads that began long after a change was acknowledged, and were older than it. */
function outdated(
  reports: readonly FuzzReport[],
  foreign: readonly Floor[],
  within: number,
): string[] {
  const all = [...foreign, ...reports.flatMap(({ floors }) => floors)];
  const byKey = keys.map((key) =>
    [0, 1].map((most) => rising(all.filter(([at, , , isSoft]) => at === key && isSoft <= most))),
  );
  return reports.flatMap(({ reads, stall }, process) => {
    const late = new Map<number, string[]>();
    for (const [at, begun, version, isMaybeStale] of reads) {
      const floors = byKey[at]![1 - isMaybeStale]!;
      const floor = floors.findLast(([, , since]) => since + within + stall <= begun);
      if (floor === undefined || floor[1] <= version) continue;
      const [, missed, since, isSoft] = floors.find((other) => other[1] > version)!;
      const kind = isSoft === 1 ? 'expire' : 'removal';
      const words = `${version} ${(begun - since).toFixed()} ms after a ${kind} at ${missed}`;
      late.set(at, [...(late.get(at) ?? []), words]);
    }
    return [...late].map(([at, words]) => {
      const [first, last] = [words[0], words.at(-1)];
      return `${keyAt(at)} in process ${process} (stall ${stall.toFixed()}) was ${first}, … ${last}`;
    });
  });
}

/** The changes that count at some time: each is later than the one before, and of a higher number. */
function rising(floors: Floor[]): Floor[] {
  let highest = 0;
  return floors
    .sort((a, b) => a[2] - b[2])
    .filter(([, version]) => version > highest && (highest = version) > 0);
}

/** What memory holds, and what is given out, that is not what the database has, now that all is quiet. */
async function staleAtRest(confirms: boolean): Promise<string[]> {
  await Promise.all(workers.map((worker) => worker.ask('untilCoherent')));
  await sleep(confirms ? STALENESS : 50);
  const versions = (await records.mget(keys.map(recordOf))).map(Number);
  const shown = await Promise.all(workers.map((worker) => worker.ask('shown', KEYS)));
  return shown.flatMap((values, process) =>
    values.flatMap(([peeked, got, after], at) => {
      const now = versions[at]!;
      const isRight = [peeked, got, after].every((value) => value === undefined || value === now);
      if (isRight) return [];
      return `${keyAt(at)} at rest in process ${process}: ${peeked} ${got} ${after}, not ${now}`;
    }),
  );
}

describe('three processes on one server', () => {
  let server: RedisServer;
  let stranger: Redis;

  afterAll(() => stranger.disconnect());
  redisForAll((redis) => {
    [server, stranger] = [redis, new Redis(redis.url)];
  });

  it('read nothing outdated, whoever writes, and whatever listener is cut', async () => {
    await fuzz({ at: server.url, servers: [server], stranger, ms: 6000 });
  });

  it('read nothing outdated where they tell each other', async () => {
    await fuzz({ at: server.url, servers: [server], coherence: 'pubsub', ms: 1500 });
  });

  it('read nothing outdated though their commands are cut off as well', async () => {
    await fuzz({ at: server.url, servers: [server], cutsCommands: true, ms: 1500 });
  });
});

describe('three processes on a cluster', () => {
  let cluster: RedisCluster;
  let stranger: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    stranger = new Cluster(cluster.addresses);
  });
  afterAll(async () => {
    stranger.disconnect();
    await cluster.stop();
  });

  it('read nothing outdated, whoever writes, and whatever listener is cut', async () => {
    await fuzz({ at: cluster.addresses, servers: cluster.nodes, stranger, ms: 1500 });
  });

  it('read nothing outdated where they tell each other', async () => {
    await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
    await fuzz({ at: cluster.addresses, servers: cluster.nodes, coherence: 'pubsub', ms: 1500 });
  });

  it('read nothing outdated though their commands are cut off as well', async () => {
    const { addresses, nodes } = cluster;
    await fuzz({ at: addresses, servers: nodes, stranger, cutsCommands: true, ms: 1400 });
  });
});
