import {
  startProxy,
  until,
  type ProxyConnection,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import { redisAndWorkersForAll, type Worker } from './start-worker.js';
import type { Load } from './worker.js';

let server: RedisServer;
let reader: Worker;
let other: Worker;
let writer: Worker;
let names = 0;

redisAndWorkersForAll(3, (redis, workers) => {
  server = redis;
  [reader, other, writer] = workers as [Worker, Worker, Worker];
});

const redisKey = (key: string): string => `acache:v:{cache ${names}:s${key.length}:${key}}`;

type Change = (key: string) => Promise<unknown>;

const ofOneKey: [what: string, left: unknown, change: Change][] = [
  ['set', 'new', (key) => writer.ask('set', key, 'new')],
  ['deleted', undefined, (key) => writer.ask('delete', key)],
  ['expired', undefined, (key) => writer.ask('expire', key)],
  ['deleted by a stranger', undefined, (key) => server.command('DEL', redisKey(key))],
  ['overwritten by a stranger', undefined, (key) => server.command('SET', redisKey(key), 1)],
];
const ofAllKeys: [what: string, change: () => Promise<unknown>][] = [
  ['invalidated by a tag', () => writer.ask('invalidateTags', 'tag')],
  ['invalidated by a tag named late', () => writer.ask('invalidateTags', 'late')],
  ['cleared', () => writer.ask('clear')],
  ['flushed', () => server.command('FLUSHALL')],
];
/** Those that Redis alone can tell of. */
const isForeign = (what: string): boolean => /stranger|flushed/.test(what);

describe.each(['tracking', 'pubsub'] as const)('a network that delays, with %s', (coherence) => {
  const LAG = 60;
  let proxy: TcpProxy;
  /** What the reader sends commands on, and where it hears of changes. */
  let commands: ProxyConnection;
  let changes: ProxyConnection;

  beforeEach(async () => {
    proxy = await startProxy(server);
    const setup = { name: `cache ${++names}`, tier: { coherence } };
    await Promise.all([
      reader.ask('open', { ...setup, at: proxy.url }),
      writer.ask('open', { ...setup, at: server.url }),
    ]);
    const isListener = (line: ProxyConnection): boolean => line.heard('SUBSCRIBE');
    commands = proxy.connections.find((line) => !isListener(line))!;
    changes = proxy.connections.find(isListener)!;
  });
  afterEach(async () => {
    await reader.ask('close');
    await proxy.stop();
  });

  /** Has answers be late: to a load, a set, a get and a getMany, each of a key that changes. */
  async function answersCross(
    left: unknown,
    change: (keys: readonly string[]) => Promise<unknown>,
  ) {
    const keys = ['load', 'set', 'get', 'bulk'];
    const tags = ['tag'];
    for (const key of ['get', 'bulk']) await writer.ask('set', key, 'old', { tags });
    // The stamps are known: what is late are the values.
    await reader.ask('get', 'other', { value: 1, ms: 0 }, { tags });
    commands.shape({ lag: LAG }, 'toClient');
    const load = reader.ask('get', 'load', { value: 'old', ms: 0 }, { tags });
    await untilStored('load');
    const running = [
      reader.ask('set', 'set', 'old', { tags }),
      reader.ask('get', 'get'),
      reader.ask('getMany', ['none', 'bulk', 'nothing']),
    ];
    await untilStored('set');
    await change(keys);
    expect((await load).value).toBe('old');
    await Promise.all(running);
    // What is asked later is answered later: the last late answer has come by then.
    await reader.ask('get', 'asked last');
    for (const key of keys) expect([undefined, left]).toContain(await reader.ask('peek', key));
    const found = await reader.ask('getMany', keys);
    expect(found).toEqual(left === undefined ? [] : keys.map((key) => [key, left]));
    for (const key of keys) expect(await reader.ask('peek', key)).toBe(left);
  }

  /** Has the reader load something that changes, and not hear of that before it stores it. */
  async function messageCrosses(
    [what, left, change]: (typeof ofOneKey)[number],
    refresh: boolean,
  ): Promise<void> {
    if (refresh) {
      await writer.ask('set', 'key', 'older', { tags: ['tag', 'late'] });
      await until('that to be heard of', async () => {
        return (await reader.ask('metrics')).invalidations > 0;
      });
    }
    const load: Load = {
      value: 'old',
      gate: true,
      ...(what.endsWith('late') && { tags: ['late'] }),
    };
    const loading = reader.ask('get', 'key', load, { tags: ['tag'], refresh });
    await until('the load to begin', async () => (await reader.ask('loads')) > 0);
    changes.hold('toClient');
    await change('key');
    await reader.ask('openGate', 'key');
    expect((await loading).value).toBe('old');
    expect(await reader.ask('metrics')).toMatchObject({ refusals: 1 });
    expect(await reader.ask('peek', 'key')).not.toBe('old');
    expect((await writer.ask('get', 'key')).value).toBe(left);
    changes.resume();
    await until('the reader to hear of it', async () => {
      return (await reader.ask('get', 'key')).value === left;
    });
  }

  const can = ([what]: readonly [string, ...unknown[]]): boolean =>
    coherence === 'tracking' || !isForeign(what);

  it.each(ofOneKey.filter(can))(
    'leaves no outdated value of a key whose answers are late and that was %s',
    (_, left, change) => answersCross(left, (keys) => Promise.all(keys.map(change))),
  );

  it.each(ofAllKeys.filter((change) => can(change) && !change[0].endsWith('late')))(
    'leaves no outdated value of keys whose answers are late and that were %s',
    (_, change) => answersCross(undefined, change),
  );

  const all = [
    ...ofOneKey,
    ...ofAllKeys.map(([what, change]): (typeof ofOneKey)[number] => [what, undefined, change]),
  ];

  it.each(all)(
    'lets nothing be stored of a load that is late to hear that its key was %s',
    (...change) => messageCrosses(change, false),
  );

  it.each(all.filter(can))(
    'lets nothing be stored of a refresh that is late to hear that its key was %s',
    (...change) => messageCrosses(change, true),
  );

  /** Waits until an entry of the key is in Redis; its writer does not know yet. */
  async function untilStored(key: string): Promise<void> {
    await until('the entry to be stored', async () => {
      const start = await server.commandBuffer<Buffer | null>('GETRANGE', redisKey(key), 0, 3);
      return start?.[3] === 2;
    });
  }
});

describe('processes that do not run for a second while another changes a value', () => {
  const STOPPED = 1000;

  async function open(staleness: number): Promise<void> {
    const setup = { name: `cache ${++names}`, at: server.url, tier: { staleness } };
    await Promise.all([reader, other, writer].map((worker) => worker.ask('open', setup)));
    await writer.ask('set', 'key', 'old');
    for (const worker of [reader, other]) {
      expect((await worker.ask('get', 'key')).value).toBe('old');
    }
  }

  /** For how long they still read the old value once they run again: one was stopped, one was busy. */
  async function stillRead(): Promise<{ times: number; ms: number }[]> {
    const watching = [reader, other].map((worker) =>
      worker.ask('watch', { key: 'key', ms: STOPPED + 500 }),
    );
    for (const worker of [reader, other]) {
      await until('it to read', async () => (await worker.ask('reads')) > 0);
    }
    await reader.freeze();
    await other.ask('block', STOPPED);
    await writer.ask('set', 'key', 'new');
    // Who is busy answers afterwards.
    await other.ask('pid');
    reader.thaw();
    const reports = await Promise.all(watching);
    for (const { values, stall } of reports) {
      expect(values).toEqual(['old', 'new']);
      expect(stall).toBeGreaterThan(STOPPED / 2);
    }
    return reports.map((report) => report.stillRead);
  }

  it('read the old one no more once they have seen their input', async () => {
    await open(2000);
    for (const { times } of await stillRead()) expect(times).toBeLessThanOrEqual(2);
  });

  it('read the old one no more at all once `staleness` is over', async () => {
    await open(STOPPED / 2);
    for (const { times } of await stillRead()) expect(times).toBe(0);
  });

  it('read the old one, where it is their own, until they have asked whose the change is', async () => {
    await open(2000);
    await Promise.all([reader, other].map((worker) => worker.ask('expire', 'key')));
    await reader.ask('get', 'key', { value: 'old', ms: 0 });
    await other.ask('get', 'key');
    for (const { ms } of await stillRead()) expect(ms).toBeLessThan(500);
  });
});
