import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AsyncCache } from '@acache/core';
import { buildSync } from 'esbuild';
import { freePort, startRedis, until, type RedisServer } from '../../../tools/redis/index.js';
import { redisTier } from '../src/index.js';
import { startFake } from './fake-server.js';
import { failOnUnhandledRejections, timed, untilUsed } from './illness.js';
import {
  connectionsTo,
  redisForEach,
  startCoherent,
  startProcess,
  untilCoherent,
  untilLoading,
  type Process,
} from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

/** What is promised, and a little for the machine. */
const WITHIN = 3500;

let redis: RedisServer;
redisForEach((server) => (redis = server));

describe('close', () => {
  it('sends what is unsent, ends both connections, and may be called again', async () => {
    const [a, b] = await startCoherent(redis.url);
    await a.cache.set('k', 'v');
    await untilUsed(b, 'k', 'v');
    const removing = a.cache.delete('k');
    await Promise.all([a.cache.close(), a.cache.close()]);
    await a.cache.close();
    await removing;
    await until('the connections to end', async () => (await connectionsTo(redis)).length === 2);
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
    await expect(a.cache.get('k')).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    await expect(a.cache.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
  });

  it('of one cache leaves another one on the tier alone', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    const other = new AsyncCache<string, string>({ name: 'other', tier: a.tier });
    await other.set('k', 'v');
    await a.cache.close();
    expect(a.tier.getMetrics().coherent).toBe(true);
    await other.set('k', 'still');
    await other.flush();
    const again = new AsyncCache<string, string>({ name: 'other', tier: a.tier });
    expect(await again.get('k')).toBe('still');
    await Promise.all([other.close(), again.close()]);
    expect(a.tier.getMetrics().coherent).toBe(false);
    await until('the connections to end', async () => (await connectionsTo(redis)).length === 0);
    // A tier that was left may be joined again.
    const last = new AsyncCache<string, string>({ name: 'other', tier: a.tier });
    await last.ready;
    await until('it to be used', async () => (await last.get('k')) === 'still');
    await last.close();
  });

  it('gives back the right to load, so that others need not wait for it', async () => {
    const [a, b] = await startCoherent(redis.url);
    const never = a.cache.get('k', () => new Promise<string>(() => undefined));
    never.catch(() => undefined);
    await untilLoading(a);
    await a.cache.close();
    await expect(never).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    expect(await timed(() => b.cache.get('k', () => 'v'))).toBeLessThan(2000);
  });

  it.each([
    ['frozen', () => redis.freeze()],
    ['killed', () => redis.kill()],
  ] as const)('ends in time while Redis is %s, with much unsent', async (_what, fall) => {
    const a = await startProcess(redis.url, { commandTimeout: 100 });
    await untilCoherent(a);
    const never = a.cache.get('loading', () => new Promise<string>(() => undefined));
    never.catch(() => undefined);
    await untilLoading(a);
    await fall();
    await Promise.all([
      a.cache.delete('k'),
      a.cache.set('l', 1),
      a.cache.invalidateTags('tag'),
      a.cache.clear(),
    ]);
    const flushing = a.cache.flush().catch((error: unknown) => error);
    expect(await timed(() => a.cache.close())).toBeLessThan(WITHIN);
    expect(await flushing).toBeInstanceOf(Error);
  });

  it('ends in time where commands may take for ever', async () => {
    const a = await startProcess(redis.url, { commandTimeout: '1h' });
    await untilCoherent(a);
    await redis.freeze();
    const calls = [a.cache.delete('k'), a.cache.get('k', () => 1).catch(() => undefined)];
    expect(await timed(() => a.cache.close())).toBeLessThan(WITHIN);
    await Promise.all(calls);
  });

  it('ends in time in the midst of connecting', async () => {
    const a = startProcess(`redis://127.0.0.1:${await freePort()}`);
    await (await a).cache.close();
    await redis.freeze();
    const b = new AsyncCache<string, string>({ name: 'b', tier: redisTier(redis.url) });
    const getting = b.get('k', () => 'v').catch(() => undefined);
    expect(await timed(() => b.close())).toBeLessThan(WITHIN);
    await getting;
  });

  it('has no client try again afterwards', async () => {
    await using fake = await startFake((_command, socket) => void socket.destroy());
    const startAs = (password: string): Promise<Process> =>
      startProcess(fake.url.replace('//', `//:${password}@`));
    const attempts = (password: string): number =>
      fake.asked.filter(([name, given]) => name === 'AUTH' && given === password).length;
    const untilTried = (password: string, times: number): Promise<unknown> =>
      until(`${password} to try again`, () => attempts(password) >= times);
    await startAs('other');
    const a = await startAs('a');
    await Promise.all([untilTried('a', 3), untilTried('other', 3)]);
    await a.cache.close();
    // What was on its way has arrived when the other one has come after it.
    await untilTried('other', attempts('other') + 1);
    const before = attempts('a');
    // Each of the other one's two clients pauses for longer than one that was here as often.
    await untilTried('other', attempts('other') + 4);
    expect(attempts('a')).toBe(before);
  });
});

describe('a process that has closed its cache', () => {
  let library: string;
  beforeAll(() => {
    library = join(mkdtempSync(join(tmpdir(), 'acache-redis-tier-')), 'tier.cjs');
    const core = join(__dirname, '../../core/src');
    buildSync({
      stdin: {
        contents: `export { AsyncCache } from '@acache/core'; export { redisTier } from './index.js';`,
        resolveDir: join(__dirname, '../src'),
      },
      alias: {
        '@acache/core/values': join(core, 'values.ts'),
        '@acache/core': join(core, 'index.ts'),
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'es2022',
      outfile: library,
    });
  });
  afterAll(() => rmSync(dirname(library), { recursive: true }));

  interface Child {
    /** Waits for a line that it prints. */
    says(line: string): Promise<void>;
    tell(line: string): void;
    /** How it ended, and the milliseconds that `close` took, and the process to end after it. */
    readonly ended: Promise<{ code: number | null; closing: number; lingering: number }>;
  }

  /** Has a process close, once something has happened to Redis, and end by itself soon after. */
  async function expectEnd(child: Child, fall = async () => {}, soon = 1500): Promise<void> {
    await child.says('ready');
    await fall();
    child.tell('close');
    const { code, closing, lingering } = await child.ended;
    expect(code).toBe(0);
    expect(closing).toBeLessThan(WITHIN);
    expect(lingering).toBeLessThan(soon);
  }

  /** A process that connects, does what is asked for, is told to close, and should then end by itself. */
  function run(url: string, work: string): Child {
    const script = `
      const { AsyncCache, redisTier } = require(${JSON.stringify(library)});
      const tier = redisTier(${JSON.stringify(url)});
      const cache = new AsyncCache({ name: 'users', tier });
      const trusted = async () => {
        while (!tier.getMetrics().coherent) await new Promise((next) => setTimeout(next, 5));
      };
      const told = () => new Promise((resolve) => process.stdin.once('data', resolve));
      void (async () => {
        ${work}
        console.log('ready');
        await told();
        const begun = performance.now();
        await cache.close();
        console.log('closed ' + (performance.now() - begun));
        process.stdin.destroy();
      })();`;
    const args = ['--unhandled-rejections=strict', '--no-warnings', '--eval', script];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    let closedAt = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (closedAt === 0 && out.includes('closed')) closedAt = performance.now();
    });
    child.stdin.on('error', () => undefined);
    const limit = setTimeout(() => child.kill('SIGKILL'), 15_000);
    return {
      says: async (line) => {
        await until(`'${line}'`, () => out.includes(line));
      },
      tell: (line) => child.stdin.write(`${line}\n`),
      ended: new Promise((resolve) => {
        child.on('close', (code) => {
          clearTimeout(limit);
          resolve({
            code,
            closing: Number(/closed (\S+)/.exec(out)?.[1]),
            lingering: performance.now() - closedAt,
          });
        });
      }),
    };
  }

  it.each([
    ['well', 'await trusted(); await cache.set("k", 1);', async () => undefined],
    [
      'frozen',
      'await trusted(); await cache.get("k", () => 1);',
      (): Promise<void> => redis.freeze(),
    ],
    ['killed', 'await trusted(); await cache.set("k", 1);', (): Promise<void> => redis.kill()],
  ])('ends by itself, with Redis %s', async (_what, work, fall) => {
    await expectEnd(run(redis.url, work), fall);
  });

  it('ends by itself, with Redis never there', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    await expectEnd(run(nowhere, 'await cache.get("k", () => 1);'));
  });

  it('ends by itself, with a server that takes no connection, and gives no answer either', async () => {
    const deaf = await startRedis({ args: ['--tcp-backlog', '1'] });
    await deaf.freeze();
    const fillers: Socket[] = [];
    for (let at = 0; at < 6; at++) {
      const filler = connect({ port: deaf.port, host: deaf.host });
      fillers.push(filler.on('error', () => undefined));
    }
    try {
      await until('the queue to be full', () => fillers[1]!.readyState === 'open');
      await expectEnd(run(deaf.url, 'await cache.get("k", () => 1);'), undefined, 3000);
    } finally {
      for (const filler of fillers) filler.destroy();
      await deaf.stop();
    }
  });
});
