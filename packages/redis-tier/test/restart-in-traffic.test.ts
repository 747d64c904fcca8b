import { setTimeout as sleep } from 'node:timers/promises';
import { until, type RedisServer } from '../../../tools/redis/index.js';
import { redisAndWorkersForAll, type Worker } from './start-worker.js';

/** By default. */
const STALENESS = 2000;
const keys = Array.from({ length: 10 }, (_, at) => `key ${at}`);

let server: RedisServer;
let workers: Worker[];

redisAndWorkersForAll(3, (redis, started) => ([server, workers] = [redis, started]));

const loadsOf = (worker: Worker): Promise<number[]> =>
  Promise.all(keys.map((key) => worker.ask('loads', key)));

describe('three processes whose Redis is killed and started again while they are asked', () => {
  const OUTAGE = 2500;

  beforeAll(async () => {
    // What is said of slowness is said of the default.
    const setup = { at: server.url, name: 'cache', tier: { commandTimeout: 100 } };
    await Promise.all(workers.map((worker) => worker.ask('open', setup)));
  });

  it('answer rightly, load rarely, and are coherent afterwards', async () => {
    await Promise.all(workers.map((worker) => worker.ask('begin', keys, 1)));
    await until('everything to be loaded', async () => {
      const all = await Promise.all(workers.map(loadsOf));
      return keys.every((_, at) => all.some((loads) => loads[at]! > 0));
    });
    await until('each of them to be asked for all, over and over', async () => {
      const reads = await Promise.all(workers.map((worker) => worker.ask('reads')));
      return reads.every((count) => count > 30 * keys.length);
    });
    const before = await Promise.all(workers.map(loadsOf));
    expect(before.flat().reduce((sum, loads) => sum + loads)).toBe(keys.length);

    const killedAt = performance.now();
    await server.kill();
    // Longer than memory is trusted, by the clock of the processes: time itself is under test.
    await sleep(OUTAGE);
    const during = await Promise.all(workers.map(loadsOf));
    const outage = performance.now() - killedAt;
    await server.restart();
    await Promise.all(workers.map((worker) => worker.ask('untilCoherent')));
    await Promise.all(workers.map((worker) => worker.ask('rest')));

    const most = Math.ceil(outage / STALENESS) + 1;
    for (const [at, loads] of during.entries()) {
      loads.forEach((count, key) => {
        expect(count - before[at]![key]!).toBeLessThanOrEqual(most);
        expect(count - before[at]![key]!).toBeGreaterThan(0);
      });
    }
    await expectCoherent();
  });

  it('answer rightly, and are coherent afterwards, however often it happens', async () => {
    await Promise.all(workers.map((worker) => worker.ask('begin', keys, 1)));
    for (let round = 0; round < 4; round++) {
      await server.kill();
      await sleep(50 + 150 * round);
      await server.restart();
      await sleep(100);
    }
    await Promise.all(workers.map((worker) => worker.ask('untilCoherent')));
    await Promise.all(workers.map((worker) => worker.ask('rest')));
    await expectCoherent();
  });

  /** That what one does is seen by all, and that nothing went wrong that nobody was told of. */
  async function expectCoherent(): Promise<void> {
    for (const [at, writer] of workers.entries()) {
      for (const key of keys) await writer.ask('set', key, `set by ${at}`);
      for (const worker of workers) {
        await until('it to be seen', async () => {
          const found = await worker.ask('getMany', keys);
          return (
            found.length === keys.length && found.every(([, value]) => value === `set by ${at}`)
          );
        });
      }
    }
    await Promise.all(workers.map((worker) => worker.ask('flush')));
    await workers[0]!.ask('clear');
    for (const worker of workers) {
      await until('it to be gone', async () => (await worker.ask('getMany', keys)).length === 0);
      // A rejection that nobody handles ends a process.
      expect(worker.isGone).toBe(false);
      expect(worker.log).toBe('');
    }
  }
});
