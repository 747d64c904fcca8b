import fc from 'fast-check';
import type { Entry, TierHost, TierLease, TierNamespace } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import { settle, ShuffledStore } from '../test/stores.js';
import { keyvTier } from './index.js';

const KEYS = ['a', 'b'];
const TAGS = ['t', 'u'];
const HOUR = 3_600_000;

type Action =
  | {
      readonly kind: 'set' | 'delete' | 'expire' | 'read';
      readonly key: string;
      readonly by: number;
    }
  | { readonly kind: 'load'; readonly key: string; readonly by: number; readonly late: boolean }
  | { readonly kind: 'invalidate'; readonly tag: string; readonly by: number }
  | { readonly kind: 'clear'; readonly by: number }
  | { readonly kind: 'commit'; readonly which: number }
  | { readonly kind: 'step'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number };

/** A change that ends what was there before, and when it was told and through. */
interface Ending {
  readonly by: number;
  readonly toldAt: number;
  readonly throughAt: number;
  readonly key?: string;
  readonly tag?: string;
}

/** Where a value comes from: what was told after its birth ends it. */
interface Birth {
  readonly by: number;
  readonly key: string;
  readonly tag: string;
  readonly toldAt: number;
  /** For a load: when it began. For a set: when it was through. */
  readonly beganAt: number;
}

const keys = fc.constantFrom(...KEYS);

function actions(processes: number, wait: boolean): fc.Arbitrary<Action[]> {
  const by = fc.nat(processes - 1);
  const which = fc.nat(1000);
  const kinds: fc.MaybeWeightedArbitrary<Action>[] = [
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('set' as const), key: keys, by }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('read' as const), key: keys, by }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('load' as const),
        key: keys,
        by,
        late: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), which }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('invalidate' as const),
        tag: fc.constantFrom(...TAGS),
        by,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), by }) },
    { weight: 16, arbitrary: fc.record({ kind: fc.constant('step' as const), which }) },
  ];
  // No fence holds between processes for these two.
  if (processes === 1) {
    kinds.push({
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('delete' as const, 'expire' as const),
        key: keys,
        by,
      }),
    });
  }
  if (wait) {
    kinds.push({
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.constantFrom(50, 100, 1000),
      }),
    });
  }
  return fc.array(fc.oneof(...kinds), { minLength: 10, maxLength: 80 });
}

class World {
  readonly store = new ShuffledStore();
  readonly clock: FakeClock = fakeClock();
  readonly spaces: TierNamespace[];
  readonly endings: Ending[] = [];
  readonly births = new Map<string, Birth>();
  readonly leases: { readonly lease: TierLease; readonly birth: Birth }[] = [];
  readonly problems: string[] = [];
  #now = 0;

  constructor(processes: number) {
    this.spaces = Array.from({ length: processes }, () => this.#join());
  }

  async run(plan: readonly Action[]): Promise<void> {
    for (const action of plan) {
      await this.#do(action);
      await settle();
    }
    await this.#end();
  }

  #join(): TierNamespace {
    const nothing = (): void => undefined;
    const host: TierHost = {
      clock: this.clock,
      ...{ invalidate: nothing, invalidateTags: nothing, invalidateAll: nothing },
      ...{ report: nothing, fail: nothing },
    };
    return keyvTier(this.store).attach('n', host);
  }

  async #do(action: Action): Promise<void> {
    const at = ++this.#now;
    if (action.kind === 'step') {
      if (this.store.waiting > 0) this.store.step(action.which);
      return;
    }
    if (action.kind === 'wait') {
      await this.clock.advance(action.ms);
      return;
    }
    if (action.kind === 'commit') {
      const [given] = this.leases.splice(action.which % Math.max(1, this.leases.length), 1);
      if (given !== undefined)
        void given.lease.commit(this.#entry(given.birth)).catch(() => undefined);
      return;
    }
    const { by } = action;
    const space = this.spaces[by] as TierNamespace;
    switch (action.kind) {
      case 'read':
        void this.#read(space, action.key, by, at);
        return;
      case 'load':
        void this.#load(space, action.key, by, at, action.late);
        return;
      case 'set': {
        this.#ends({ by, key: action.key }, undefined);
        const birth = { by, key: action.key, tag: 't', toldAt: at, beganAt: Infinity };
        const name = this.#name(birth);
        void space.set(action.key, this.#entry(birth)).then(
          () => this.births.set(name, { ...birth, beganAt: ++this.#now }),
          () => undefined,
        );
        return;
      }
      case 'delete':
        this.#ends({ by, key: action.key }, space.delete(action.key));
        return;
      case 'expire':
        this.#ends({ by, key: action.key }, space.expire(action.key));
        return;
      case 'invalidate':
        this.#ends({ by, tag: action.tag }, space.invalidateTags([action.tag]));
        return;
      case 'clear':
        this.#ends({ by }, space.clear());
    }
  }

  /** Notes a change. A set ends what was there, and is no ending for the other processes. */
  #ends(
    what: { by: number; key?: string; tag?: string },
    through: Promise<void> | undefined,
  ): void {
    const ending = { ...what, toldAt: this.#now, throughAt: Infinity };
    this.endings.push(ending);
    through?.then(
      () => (ending.throughAt = ++this.#now),
      () => undefined,
    );
  }

  async #read(space: TierNamespace, key: string, by: number, toldAt: number): Promise<void> {
    const [answer] = await space
      .lookup([{ key, intent: 'read', tags: [] }])
      .catch(() => [{ kind: 'unavailable' as const }]);
    if (answer?.kind === 'found') this.#check(answer.entry.value as string, by, toldAt);
  }

  async #load(
    space: TierNamespace,
    key: string,
    by: number,
    toldAt: number,
    late: boolean,
  ): Promise<void> {
    const tags = late ? [] : TAGS;
    const [answer] = await space
      .lookup([{ key, intent: 'renew', tags }])
      .catch(() => [{ kind: 'unavailable' as const }]);
    if (answer === undefined || !('lease' in answer) || answer.lease === undefined) return;
    const birth = { by, key, tag: late ? 'u' : 't', toldAt, beganAt: ++this.#now };
    this.#name(birth);
    this.leases.push({ lease: answer.lease, birth });
  }

  #name(birth: Birth): string {
    const name = `${birth.by} ${birth.key} ${birth.toldAt}`;
    this.births.set(name, birth);
    return name;
  }

  #entry(birth: Birth): Entry {
    const createdAt = this.clock.now();
    const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
    const value = `${birth.by} ${birth.key} ${birth.toldAt}`;
    return { value, createdAt, freshUntil: createdAt + HOUR, ...windows, tags: [birth.tag] };
  }

  /** Whether a process that asked at an instant may be given a value. */
  #check(value: string, by: number, askedAt: number): void {
    const birth = this.births.get(value) as Birth;
    const ended = this.endings.find((ending) => {
      if (ending.key !== undefined && ending.key !== birth.key) return false;
      if (ending.tag !== undefined && ending.tag !== birth.tag) return false;
      // Within a process all is in the order in which it was told.
      if (ending.by === birth.by && by === birth.by) {
        return birth.toldAt < ending.toldAt && ending.toldAt < askedAt;
      }
      // Between processes a set may yet be replaced; who invalidates, ends what had begun before.
      return birth.beganAt < ending.toldAt && ending.throughAt < askedAt;
    });
    if (ended !== undefined) {
      this.problems.push(`${value} was found at ${askedAt} after ${JSON.stringify(ended)}`);
    }
  }

  /** Everything gets through; then another process looks. */
  async #end(): Promise<void> {
    const drain = async (): Promise<void> => {
      await settle();
      while (this.store.waiting > 0) {
        this.store.step(0);
        await settle();
      }
    };
    for (const { lease, birth } of this.leases.splice(0)) {
      void lease.commit(this.#entry(birth)).catch(() => undefined);
    }
    await drain();
    await this.clock.advance(61_000);
    for (const space of this.spaces) {
      const flushed = space.flush();
      await drain();
      await flushed;
    }
    const fresh = this.#join();
    await drain();
    for (const key of KEYS) {
      for (const by of this.spaces.keys()) {
        const read = this.#read(fresh, key, by, ++this.#now);
        await drain();
        await read;
      }
    }
  }
}

describe('a store whose calls take effect in any order', () => {
  it.each([
    ['in time', false],
    ['or so late that they were given up on', true],
  ])(
    'holds nothing that this process had ended before: %s',
    async (_, wait) => {
      await fc.assert(
        fc.asyncProperty(actions(1, wait), async (plan) => {
          const world = new World(1);
          await world.run(plan);
          expect(world.problems).toEqual([]);
        }),
        { numRuns: 300 },
      );
    },
    120_000,
  );

  it('gives no process what an invalidation by tag or a clear elsewhere has ended', async () => {
    await fc.assert(
      fc.asyncProperty(actions(2, false), async (plan) => {
        const world = new World(2);
        await world.run(plan);
        expect(world.problems).toEqual([]);
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
