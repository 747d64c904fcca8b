import { until, type RedisServer } from '../../../tools/redis/index.js';
import { bulk, polite, startFake, through, type Answer, type FakeServer } from './fake-server.js';
import { failOnUnhandledRejections, SOON, sourceOf, timed } from './illness.js';
import { counting, endProcesses, redisForAll, startProcess, untilCoherent } from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let fake: FakeServer;
afterEach(async () => {
  await endProcesses();
  await fake[Symbol.asyncDispose]();
});

const lies: [what: string, answer: Answer][] = [
  ['never answers', () => undefined],
  [
    'closes at once',
    (_command, socket) => {
      socket.destroy();
      return undefined;
    },
  ],
  ['answers what is no RESP', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['answers an unexpected error', () => '-WAT what is that\r\n'],
  ['lets clients in, and answers all else with an error', polite(() => '-WAT what is that\r\n')],
  ['lets clients in, and answers all else with OK', polite(() => '+OK\r\n')],
  ['lets clients in, and answers all else with 1', polite(() => ':1\r\n')],
  ['lets clients in, and answers all else with -1', polite(() => ':-1\r\n')],
  ['lets clients in, and answers all else with nothing', polite(() => '$-1\r\n')],
  ['lets clients in, and answers all else with an empty list', polite(() => '*0\r\n')],
  ['lets clients in, and answers all else with lists', polite(() => '*2\r\n*1\r\n:1\r\n$-1\r\n')],
  ['lets clients in, and answers all else with a text', polite(() => bulk('surprise'))],
  ['lets clients in, and answers all else with a long text', polite(() => bulk('x'.repeat(1e5)))],
  ['lets clients in, and never ends an answer', polite(() => '$100\r\ntruncated')],
  [
    'lets clients in, and ends in the middle of an answer',
    polite((_command, socket) => {
      socket.end('$100\r\ntruncated');
      return undefined;
    }),
  ],
  ['lets clients in, and answers what is no RESP', polite(() => '\0\x01\xff$-5\r\n*x\r\n')],
];

describe.each(lies)('a server that %s', (_what, answer) => {
  it('hurts nobody: loaders answer, no error gets out, memory is not trusted', async () => {
    fake = await startFake(answer);
    const a = await startProcess(fake.url, { commandTimeout: 30 });
    const took = await timed(async () => {
      for (let at = 0; at < 10; at++) {
        const load = counting(`loaded ${at}`);
        expect(await a.cache.get(at, load)).toBe(`loaded ${at}`);
        expect(load.calls).toBe(1);
      }
      const many = await a.cache.getMany(['x', 'y'], async (keys) => keys.map(String));
      expect([...many.values()]).toEqual(['x', 'y']);
    });
    expect(took).toBeLessThan(10_000);
    await a.cache.set('k', 'v', { tags: ['tag'] });
    await a.cache.expire('k');
    await a.cache.delete('k');
    await a.cache.invalidateTags('tag');
    await a.cache.clear();
    expect(await a.cache.get('k')).toBeUndefined();
    expect(a.tier.getMetrics().coherent).toBe(false);
    expect(await timed(() => a.cache.close())).toBeLessThan(3000 + SOON);
  });
});

describe('a server whose links are not what they seem', () => {
  let redis: RedisServer;
  redisForAll((server) => (redis = server));

  it('accepts tracking and never tells of a change: memory is not trusted', async () => {
    const real = through(redis.port);
    fake = await startFake((command, socket) =>
      command[1] === 'TRACKING' ? '+OK\r\n' : real(command, socket),
    );
    const a = await startProcess(fake.url, { commandTimeout: 100 });
    const b = await startProcess(redis.url);
    await untilCoherent(b);
    await b.cache.set('k', 'old');
    await until('links to be tried', () => fake.accepted > 2);
    expect(await a.cache.get('k')).toBe('old');
    await b.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    expect(await sourceOf(a, 'k')).toBe('tier');
    expect(a.tier.getMetrics().coherent).toBe(false);
  });

  it('does so and runs no scripts: memory is not trusted either', async () => {
    const real = through(redis.port);
    fake = await startFake((command, socket) => {
      if (command[1] === 'TRACKING') return '+OK\r\n';
      // By way of the real one, so that its answer comes in its turn.
      if (command[0]?.startsWith('EVAL')) return real(['NO.SUCH.COMMAND'], socket);
      return real(command, socket);
    });
    const b = await startProcess(redis.url);
    await untilCoherent(b);
    await b.cache.set('k', 'old');
    const a = await startProcess(fake.url, { commandTimeout: 100 });
    await until('a proof to be tried', () => fake.asked.some(([name]) => name === 'EVAL'));
    await a.cache.ready;
    expect(await a.cache.get('k')).toBe('old');
    await b.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    expect(a.tier.getMetrics().coherent).toBe(false);
  });

  it('refuses tracking: the processes tell each other', async () => {
    const real = through(redis.port);
    fake = await startFake((command, socket) =>
      command[1] === 'TRACKING' ? '-ERR unknown subcommand\r\n' : real(command, socket),
    );
    const a = await startProcess(fake.url);
    const b = await startProcess(fake.url);
    await untilCoherent(a, b);
    expect(a.states).toContain('refused');
    await b.cache.set('k', 'old');
    expect(await a.cache.get('k')).toBe('old');
    await b.cache.set('k', 'new');
    await until('the change to be seen', async () => (await a.cache.get('k')) === 'new');
  });

  it('refuses every kind: each value is asked for', async () => {
    const real = through(redis.port);
    fake = await startFake((command, socket) =>
      command[1] === 'TRACKING' || command[0] === 'SUBSCRIBE'
        ? '-ERR not here\r\n'
        : real(command, socket),
    );
    const a = await startProcess(fake.url);
    const b = await startProcess(redis.url);
    await b.cache.set('k', 'old');
    expect(await a.cache.get('k')).toBe('old');
    await b.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    expect(a.states.filter((state) => state === 'refused')).toHaveLength(2);
  });

  it('gets better: it is used as if nothing had been', async () => {
    const real = through(redis.port);
    fake = await startFake(polite(() => '-WAT what is that\r\n'));
    const a = await startProcess(fake.url, { commandTimeout: 100 });
    expect(await a.cache.get('k', () => 'own')).toBe('own');
    fake.answer = real;
    const b = await startProcess(redis.url);
    await b.cache.set('shared', 'v');
    await until('it to be used', async () => (await a.cache.get('shared')) === 'v');
  });
});
