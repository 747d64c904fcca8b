import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AsyncCache } from '@acache/core';
import { percentile, play } from './play.js';
import { readTrace } from './trace.js';

const letters = 'a b c d e f g h i j'.split(' ');

describe('play', () => {
  it('asks for every key in order, as many at a time as allowed', async () => {
    const asked: string[] = [];
    let inFlight = 0;
    let most = 0;
    const { latencies, wallMs } = await play(
      letters,
      async (key) => {
        asked.push(key);
        most = Math.max(most, ++inFlight);
        await setImmediate();
        inFlight--;
      },
      { concurrency: 3 },
    );
    expect(asked).toEqual(letters);
    expect(most).toBe(3);
    expect(latencies).toHaveLength(10);
    expect(Math.min(...latencies)).toBeGreaterThan(0);
    expect(wallMs).toBeGreaterThanOrEqual(Math.max(...latencies));
  });

  it('tells how far it is, and lets timers run, even if every answer is at once', async () => {
    const progress: number[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++);
    await play(Array<string>(100_000).fill('a'), () => Promise.resolve(), {
      concurrency: 32,
      onProgress: (done) => progress.push(done),
    });
    clearInterval(timer);
    expect(progress.at(-1)).toBe(100_000);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(ticks).toBeGreaterThan(0);
  });

  it('passes on the error of a request, once nothing is in flight any more', async () => {
    const failure = new Error('the database is gone');
    let inFlight = 0;
    const asked: string[] = [];
    let answerOthers = (): void => undefined;
    const others = new Promise<void>((resolve) => {
      answerOthers = resolve;
    });
    let isOver = false;
    const run = play(
      letters,
      async (key) => {
        asked.push(key);
        inFlight++;
        if (key !== 'b') await others;
        inFlight--;
        if (key === 'b') throw failure;
      },
      { concurrency: 3 },
    ).finally(() => {
      isOver = true;
    });
    run.catch(() => undefined);
    await setImmediate();
    expect(isOver).toBe(false);
    answerOthers();
    await expect(run).rejects.toBe(failure);
    expect(inFlight).toBe(0);
    expect(asked).toEqual(['a', 'b', 'c']);
  });
});

describe('percentile', () => {
  it('is the least latency that so many requests stayed within', () => {
    const latencies = Float64Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(latencies, 0.5)).toBe(50);
    expect(percentile(latencies, 0.99)).toBe(99);
    expect(percentile(Float64Array.of(3), 0.99)).toBe(3);
  });
});

describe('web12 through AsyncCache, one request at a time', () => {
  it('has the hit rate of LRU: 68.49 % with a tenth of the pages', async () => {
    const { requests } = await readTrace(join(__dirname, '../data/web12.u32.gz'));
    const cache = new AsyncCache<string, string>({ maxSize: 1376 });
    let loads = 0;
    await play(requests, (key) => cache.get(key, () => `page ${++loads}`), { concurrency: 1 });

    const { hits, misses, hitRate } = cache.getMetrics();
    expect(100 * hitRate).toBeCloseTo(68.49, 2);
    expect(hits + misses).toBe(95_607);
    expect(misses).toBe(loads);
    await cache.close();
  });
});
