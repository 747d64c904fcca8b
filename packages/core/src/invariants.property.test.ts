import fc from 'fast-check';
import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';

/** A strict LRU in its plainest form: a Map in order of use, the least recent first. */
class ReferenceLru {
  readonly #entries = new Map<number, { value: number; until: number }>();

  constructor(
    readonly maxSize: number,
    readonly now: () => number,
  ) {}

  #fresh(key: number) {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.now() < entry.until ? entry : undefined;
  }

  get(key: number): number | undefined {
    const entry = this.#fresh(key);
    this.#entries.delete(key);
    if (entry !== undefined) this.#entries.set(key, entry);
    return entry?.value;
  }

  peek(key: number): number | undefined {
    return this.#fresh(key)?.value;
  }

  has(key: number): boolean {
    return this.#fresh(key) !== undefined;
  }

  set(key: number, value: number, ttl: number | null): void {
    this.#entries.delete(key);
    if (ttl === 0) return;
    this.#entries.set(key, { value, until: ttl === null ? Infinity : this.now() + ttl });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > this.maxSize && oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: number): boolean {
    const held = this.has(key);
    this.#entries.delete(key);
    return held;
  }

  /** What has expired makes room before anything that has not. */
  sweep(): void {
    for (const key of this.#entries.keys()) {
      if (!this.has(key)) this.#entries.delete(key);
    }
  }

  get keys(): number[] {
    return [...this.#entries.keys()].filter((key) => this.has(key));
  }
}

const key = fc.nat(7);
const untimed = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('load' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('peek' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('has' as const), key }) },
);
const timed = fc.oneof(
  { weight: 8, arbitrary: untimed },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      key,
      ttl: fc.constantFrom(0, 10, 50, null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(40) }) },
);
type Step =
  | { do: 'get' | 'load' | 'delete' | 'peek' | 'has'; key: number }
  | { do: 'set'; key: number; ttl?: number | null }
  | { do: 'advance'; ms: number };

const maxSize = fc.integer({ min: 1, max: 5 });
const runs = { numRuns: 300 };

/** Plays a trace against both; every answer and, after every step, every key must agree. */
async function play(size: number, steps: readonly Step[], ttl: number | null = null) {
  const clock = fakeClock();
  const cache = new AsyncCache<number, number>({ clock, maxSize: size, ttl });
  const model = new ReferenceLru(size, () => clock.now());
  let gets = 0;
  let hits = 0;
  let version = 0;
  for (const step of steps) {
    version++;
    // A cache may give back what expired when it likes, so that here it does so at once.
    model.sweep();
    switch (step.do) {
      case 'get': {
        const expected = model.get(step.key);
        gets++;
        if (expected !== undefined) hits++;
        expect(await cache.get(step.key)).toBe(expected);
        break;
      }
      case 'load': {
        const found = model.get(step.key);
        gets++;
        if (found === undefined) model.set(step.key, version, ttl);
        else hits++;
        expect(await cache.get(step.key, () => version)).toBe(found ?? version);
        break;
      }
      case 'set': {
        const { ttl: own = ttl } = step;
        model.set(step.key, version, own);
        await cache.set(step.key, version, { ttl: own });
        break;
      }
      case 'delete':
        expect(await cache.delete(step.key)).toBe(model.delete(step.key));
        break;
      case 'peek':
        expect(cache.peek(step.key)).toBe(model.peek(step.key));
        break;
      case 'has':
        expect(cache.has(step.key)).toBe(model.has(step.key));
        break;
      case 'advance':
        await clock.advance(step.ms);
        break;
    }
    const held = [0, 1, 2, 3, 4, 5, 6, 7].filter((each) => cache.has(each));
    expect(held).toEqual(model.keys.sort());
    expect(cache.size).toBe(held.length);
  }
  return { cache, gets, hits };
}

describe('policy lru', () => {
  it('equals a reference LRU on every trace', async () => {
    const trace = fc.array(untimed, { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(maxSize, trace, async (size, steps) => {
        await play(size, steps);
      }),
      runs,
    );
  });

  it('equals a reference LRU on traces with ttl, whatever expired making room first', async () => {
    const trace = fc.array(timed, { maxLength: 80 });
    const ttl = fc.constantFrom(null, 30);
    await fc.assert(
      fc.asyncProperty(maxSize, trace, ttl, async (size, steps, own) => {
        await play(size, steps, own);
      }),
      runs,
    );
  });
});

describe('metrics', () => {
  it('count every get as a hit or a miss, and nothing else', async () => {
    const trace = fc.array(timed, { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(maxSize, trace, async (size, steps) => {
        const { cache, gets, hits } = await play(size, steps);
        const metrics = cache.getMetrics();
        expect(metrics).toMatchObject({ hits, misses: gets - hits, size: cache.size });
        expect(metrics.hitRate).toBe(gets === 0 ? 0 : hits / gets);
        expect(metrics.loads).toBeLessThanOrEqual(metrics.misses);
        expect(Object.values(metrics).every((metric) => typeof metric === 'number')).toBe(true);
      }),
      runs,
    );
  });

  it('count callers: all but one who ask for one cold key at once are joined', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 30 }), async (keys) => {
        const cache = new AsyncCache<number, number>();
        await Promise.all(keys.map((each) => cache.get(each, async () => each)));
        const cold = new Set(keys).size;
        expect(cache.getMetrics()).toMatchObject({
          hits: 0,
          misses: keys.length,
          joined: keys.length - cold,
          loads: cold,
        });
      }),
      runs,
    );
  });
});

describe('getMany', () => {
  const keys = fc.array(fc.oneof(key, fc.constantFrom('0', '1', 'x')), { maxLength: 20 });
  const some = fc.array(fc.oneof(key, fc.constantFrom('0', '1', 'x')), { maxLength: 10 });

  it('answers in the order of the keys, asks for each missing key once, and counts each', async () => {
    await fc.assert(
      fc.asyncProperty(keys, some, fc.boolean(), async (asked, cached, asMap) => {
        const cache = new AsyncCache<number | string, string>();
        for (const each of cached) await cache.set(each, `cached ${each}`);
        const distinct = [...new Set(asked)];
        const missing = distinct.filter((each) => !cached.includes(each));
        const calls: unknown[] = [];
        const found = await cache.getMany(asked, async (wanted) => {
          calls.push([...wanted]);
          const loaded = wanted.map((each) => [each, `loaded ${each}`] as const);
          return asMap ? new Map([...loaded].reverse()) : loaded.map(([, value]) => value);
        });
        expect([...found]).toEqual(
          distinct.map((each) => [each, `${missing.includes(each) ? 'loaded' : 'cached'} ${each}`]),
        );
        expect(calls).toEqual(missing.length === 0 ? [] : [missing]);
        const { hits, misses, loads } = cache.getMetrics();
        expect({ hits, loads }).toEqual({ hits: distinct.length - misses, loads: missing.length });
        expect(misses).toBe(missing.length);
      }),
      runs,
    );
  });

  it('stores the others when some results are errors, and rejects with the first', async () => {
    const plan = fc.uniqueArray(key, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(plan, fc.array(key, { minLength: 1 }), async (asked, failing) => {
        const cache = new AsyncCache<number, string>();
        const errors = new Map(failing.map((each) => [each, new Error(`${each}`)]));
        const many = cache.getMany(asked, async (wanted) =>
          wanted.map((each) => errors.get(each) ?? `${each}`),
        );
        const first = asked.find((each) => errors.has(each));
        if (first === undefined) expect([...(await many).keys()]).toEqual(asked);
        else await expect(many).rejects.toBe(errors.get(first));
        expect(asked.filter((each) => cache.has(each))).toEqual(
          asked.filter((each) => !errors.has(each)),
        );
      }),
      runs,
    );
  });
});
