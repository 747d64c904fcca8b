import { AsyncCache, makeKey } from '@acache/core';
import { fakeClock, memoryPersistence, memoryTier } from '@acache/core/testing';
import { asCached, invalidates } from '../src/index.js';
import type { CachedDecorator, CachedOptions } from '../src/index.js';
import { deferred } from './deferred.js';
import { DECORATORS } from './wrappers.js';

export const LOOKUP = Symbol('lookup');

/** What each of the decorated methods answers: whose it was, for what it was called, and the how manieth call that was. */
type Answer = Promise<string>;

export interface Subject {
  name: string;
  readonly calls: unknown[][];
  find: (id: number, full?: boolean) => Answer;
  [LOOKUP]: (id: number) => Answer;
  /** Takes anything for its argument. */
  take: (argument: unknown) => Answer;
  /** Returns what the test settles. */
  wait: (until: Promise<string>) => Answer;
  /** Throws at once. */
  fail: () => Promise<never>;
  factorial: (n: number) => Promise<number>;
}

export interface SubjectClass {
  new (name?: string): Subject;
  readonly prototype: Subject;
  readonly name: string;
  calls: number;
  make: (id: number) => Answer;
}

/** What the test of either kind of decorator writes down in its own syntax. */
export interface Classes {
  /** Every method is decorated. */
  readonly Service: SubjectClass;
  /** Extends Service and changes nothing. */
  readonly Inheriting: SubjectClass;
  /** Overrides `find` and `make` without a decorator: `over(${super})`. */
  readonly Overriding: SubjectClass;
  /** Overrides `find` and `make` with a decorator: `over(${super})`. */
  readonly Redecorating: SubjectClass;
  /** Its constructor binds `find`. */
  readonly Binding: SubjectClass;
  /** Its constructor freezes the instance. */
  readonly Freezing: SubjectClass;
  /** The constructor of its base class calls `find(1)`, which it decorates. */
  readonly Eager: new () => { readonly first: Answer; find: (id: number) => Answer };
}

export type MakeClasses = (decorate: () => CachedDecorator<CachedOptions>) => Classes;

/** How caching methods behave, whichever kind of decorator was put on them. */
export function methodCases(makeClasses: MakeClasses): void {
  describe.each(DECORATORS)('a method with %s', (who, decorator) => {
    const classes = (options?: CachedOptions) => makeClasses(() => decorator(options));

    describe('keeps a result', () => {
      it('for each instance apart', async () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];

        expect([await a.find(1), await a.find(1)]).toEqual(['a:1:1', 'a:1:1']);
        expect([await b.find(1), await b.find(1)]).toEqual(['b:1:1', 'b:1:1']);
        expect([await a.find(2), await a.find(1, true)]).toEqual(['a:2:2', 'a:1:3']);
        expect(a.calls).toEqual([
          [1, false],
          [2, false],
          [1, true],
        ]);
      });

      it('for each method apart', async () => {
        const { Service } = classes();
        const a = new Service('a');

        expect([await a.find(1), await a[LOOKUP](1)]).toEqual(['a:1:1', 'a:1:2']);
        expect([await a.find(1), await a[LOOKUP](1)]).toEqual(['a:1:1', 'a:1:2']);
      });

      it('of a symbol`s method', async () => {
        const { Service } = classes();
        const a = new Service('a');
        await a[LOOKUP](1);

        expect(await a[LOOKUP](1)).toBe('a:1:1');
        expect(await asCached(a, LOOKUP).refresh(1)).toBe('a:1:2');
        expect(a[LOOKUP].name).toBe('[lookup]');
      });

      it('and callers join a call that runs, of their instance', async () => {
        const { Service } = classes({ key: () => 'same' });
        const [a, b] = [new Service('a'), new Service('b')];
        const load = deferred<string>();
        const calls = [a.wait(load.promise), a.wait(load.promise), b.wait(load.promise)];
        load.resolve('value');

        expect(await Promise.all(calls)).toEqual(['value', 'value', 'value']);
        expect([a.calls.length, b.calls.length]).toEqual([1, 1]);
      });

      it('of a method that calls itself', async () => {
        const { Service } = classes();
        const a = new Service('a');

        expect(await a.factorial(5)).toBe(120);
        expect(await a.factorial(6)).toBe(720);
        expect(a.calls).toHaveLength(6);
      });

      it('and no error, of which the sync one becomes a rejection', async () => {
        const { Service } = classes();
        const a = new Service('a');
        for (let call = 0; call < 2; call++) {
          const result = a.fail();
          expect(result).toBeInstanceOf(Promise);
          await expect(result).rejects.toThrow('a failed');
        }
        expect(a.calls).toHaveLength(2);
        await expect(asCached(a, 'fail').refresh()).rejects.toThrow('a failed');
      });

      it('by keyable arguments only', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const rejection = { code: 'ERR_ACACHE_UNKEYABLE' };

        await expect(a.take(() => 1)).rejects.toMatchObject(rejection);
        await expect(asCached(a, 'take').refresh(() => 1)).rejects.toMatchObject(rejection);
        expect(a.calls).toEqual([]);
      });
    });

    describe('takes the options of a function', () => {
      it('`ttl`', async () => {
        const clock = fakeClock();
        const { Service } = classes({ clock, ttl: 1_000 });
        const a = new Service('a');
        await a.find(1);
        await clock.advance(999);
        expect(await a.find(1)).toBe('a:1:1');
        await clock.advance(1);

        expect(await a.find(1)).toBe('a:1:2');
      });

      it('`maxSize`, for each instance', async () => {
        const { Service } = classes({ maxSize: 1 });
        const [a, b] = [new Service('a'), new Service('b')];
        await a.find(1);
        await b.find(1);
        await b.find(2);

        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:1', 'b:1:3']);
      });

      it('`skipArgs` and `key`', async () => {
        const skipping = new (classes({ skipArgs: 1 }).Service)('a');
        await skipping.find(1, true);
        expect(await skipping.find(2, true)).toBe('a:1:1');

        const keyed = new (classes({ key: (id: number) => id % 2 }).Service)('a');
        await keyed.find(1);
        expect(await keyed.find(3)).toBe('a:1:1');
        expect(await asCached(keyed, 'find').invalidateCache(5)).toBe(true);
      });

      it('`name`', async () => {
        const clock = fakeClock();
        const never = new Promise<string>(() => undefined);
        const messages = [];
        for (const options of [{}, { name: 'named' }]) {
          const { Service } = classes({ clock, timeout: 5, key: () => 1, ...options });
          const waited = new Service('a').wait(never).catch(String);
          await clock.advance(5);
          messages.push(await waited);
        }

        expect(messages[0]).toContain("cache 'Service.wait'");
        expect(messages[1]).toContain("cache 'named'");
      });

      it.each([
        ['tier', { tier: memoryTier(), name: 'n' }],
        ['persistence', { persistence: memoryPersistence() }],
      ])('but no %s for instances, when it is decorated', (outside, options) => {
        expect(() => classes(options)).toThrow(
          `${who} on a method with a ${outside} needs scope: 'class': what outlives the process knows no instances`,
        );
      });

      it('but no tier without a name, when it is decorated', () => {
        expect(() => classes({ tier: memoryTier(), scope: 'class' })).toThrow(
          `${who} needs a name for`,
        );
      });
    });

    describe('has controls', () => {
      it('that are read from the instance, before the first call as well', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const find = asCached(a, 'find');

        expect(find).toBe(a.find);
        expect(find.getMetrics()).toMatchObject({ hits: 0, misses: 0, size: 0 });
        expect(await find.invalidateCache(1)).toBe(false);
        await find.clearCache();
        expect(await find.refresh(1)).toBe('a:1:1');
        expect(await a.find(1)).toBe('a:1:1');
        expect(find.getMetrics()).toMatchObject({ hits: 1, misses: 1, loads: 1, size: 1 });
      });

      it('that concern that instance alone', async () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];
        for (const service of [a, b, a]) await service.find(1);
        expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 1, misses: 1 });
        expect(asCached(b, 'find').getMetrics()).toMatchObject({ hits: 0, misses: 1 });

        expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
        expect(await b.find(1)).toBe('b:1:1');
        expect(await asCached(a, 'find').invalidateCache(1)).toBe(true);
        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:3', 'b:1:1']);
        await asCached(a, 'find').clearCache();
        expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 0, misses: 0, size: 0 });
        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:4', 'b:1:1']);
      });

      it('that need no `this`', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const { clearCache, getMetrics, invalidateCache, refresh } = asCached(a, 'find');
        await a.find(1);

        expect(await refresh(1)).toBe('a:1:2');
        expect(await invalidateCache(1)).toBe(true);
        expect(getMetrics().loads).toBe(2);
        await clearCache();
        expect(getMetrics().loads).toBe(0);
      });

      it('that cannot tell an instance when they are read from the prototype', async () => {
        const { Service } = classes();
        const { find } = Service.prototype;
        const a = new Service('a');
        const unbound = asCached(find);
        const error = {
          code: 'ERR_ACACHE_NO_INSTANCE',
          message:
            'find cannot tell which instance its cache is asked for: ' +
            'say so by asCached(this.find, this) or this.find.refresh.call(this, …)',
        };
        await expect(unbound.refresh(1)).rejects.toMatchObject(error);
        await expect(unbound.invalidateCache(1)).rejects.toMatchObject(error);
        await expect(unbound.clearCache()).rejects.toMatchObject(error);
        expect(() => unbound.getMetrics()).toThrow(error.message);

        expect(await unbound.refresh.call(a, 1)).toBe('a:1:1');
        expect(await asCached(find, a).refresh(1)).toBe('a:1:2');
        expect(await a.find(1)).toBe('a:1:2');
      });
    });

    describe('belongs to an instance', () => {
      it('and is the same each time it is read', () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];

        expect(a.find).toBe(a.find);
        expect(a.find).not.toBe(b.find);
      });

      it('and has the name and length that it had', () => {
        const { Service } = classes();
        const of = ({ find }: Subject) => [typeof find, find.name, find.length];
        const method = ['function', 'find', 1];
        expect(of(Service.prototype)).toEqual(method);

        expect(of(new Service())).toEqual(method);
        expect(of(Service.prototype)).toEqual(method);
        expect([Service.make.name, Service.make.length]).toEqual(['make', 1]);
      });

      it('when it is taken off it', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const { find } = a;

        expect(await find(1)).toBe('a:1:1');
        expect(await a.find(1)).toBe('a:1:1');
        expect(await Promise.all([1, 2].map((id) => find(id)))).toEqual(['a:1:1', 'a:2:2']);
      });

      it('unless it is called for another one', async () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];

        expect(await a.find.call(b, 1)).toBe('b:1:1');
        expect(await b.find(1)).toBe('b:1:1');
        expect(a.calls).toEqual([]);
      });

      it('when it is called by the prototype', async () => {
        const { Service } = classes();
        const { find } = Service.prototype;
        const a = new Service('a');

        expect(await find.call(a, 1)).toBe('a:1:1');
        expect(await Service.prototype.find.call(a, 1)).toBe('a:1:1');
        expect(await a.find(1)).toBe('a:1:1');
        expect(a.calls).toHaveLength(1);
      });

      it('and fails as it would without a decorator when it is called for none', async () => {
        const { Service } = classes();
        const { find } = Service.prototype;
        for (const nobody of [undefined, null]) {
          await expect(find.call(nobody, 1)).rejects.toThrow(TypeError);
        }
      });

      it('that is made without its constructor', async () => {
        const { Service } = classes();
        const made = () =>
          Object.assign(Object.create(Service.prototype) as Subject, { name: 'made', calls: [] });
        const early = made();
        expect([await early.find(1), await early.find(1)]).toEqual(['made:1:1', 'made:1:1']);
        expect(await asCached(early, 'find').refresh(1)).toBe('made:1:2');
        new Service();
        const late = made();

        expect([await late.find(1), await late.find(1)]).toEqual(['made:1:1', 'made:1:1']);
        expect(await asCached(early, 'find').refresh(1)).toBe('made:1:3');
      });

      it('that is frozen', async () => {
        const { Freezing } = classes();
        const [a, b] = [new Freezing('a'), new Freezing('b')];

        expect([await a.find(1), await a.find(1)]).toEqual(['a:1:1', 'a:1:1']);
        expect(await b.find(1)).toBe('b:1:1');
        expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
        expect(() => {
          a.find = async () => 'mine';
        }).toThrow(TypeError);
      });

      it('of a frozen class', async () => {
        const { Service } = classes();
        Object.freeze(Service.prototype);
        Object.freeze(Service);
        const [a, b] = [new Service('a'), new Service('b')];

        expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual([
          'a:1:1',
          'a:1:1',
          'b:1:1',
        ]);
        expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
      });

      it('whose constructor binds it', async () => {
        const { Binding } = classes();
        const [a, b] = [new Binding('a'), new Binding('b')];
        const { find } = a;

        expect([await find(1), await a.find(1), await b.find(1)]).toEqual([
          'a:1:1',
          'a:1:1',
          'b:1:1',
        ]);
      });

      it('whose base class calls it in its constructor', async () => {
        const { Eager } = classes();
        for (let made = 0; made < 2; made++) {
          const eager = new Eager();
          expect(await eager.first).toBe('eager:1');
          expect(await eager.find(1)).toBe('eager:1');
          expect(asCached(eager, 'find').getMetrics()).toMatchObject({ hits: 1, loads: 1 });
        }
      });

      it.each([
        ['before', false],
        ['after', true],
      ])('of a class that it is mixed into, %s there is an instance', async (_when, first) => {
        const { Service } = classes();
        if (first) new Service();
        class Mixed {
          name = 'mixed';
          calls: unknown[] = [];
        }
        const { constructor: _own, ...methods } = Object.getOwnPropertyDescriptors(
          Service.prototype,
        );
        Object.defineProperties(Mixed.prototype, methods);
        const [a, b] = [new Mixed(), new Mixed()] as unknown as [Subject, Subject];

        expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual([
          'mixed:1:1',
          'mixed:1:1',
          'mixed:1:1',
        ]);
        expect(await asCached(a, 'find').refresh(1)).toBe('mixed:1:2');
        expect(await a.find(1)).toBe('mixed:1:2');
      });

      it('or to a proxy of one, apart', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const proxy = new Proxy(a, {});
        await a.find(1);

        expect([await proxy.find(1), await proxy.find(1)]).toEqual(['a:1:2', 'a:1:2']);
        expect(await asCached(proxy, 'find').refresh(1)).toBe('a:1:3');
        expect(await a.find(1)).toBe('a:1:1');
      });

      it('and shows as little on it as another method does', () => {
        const { Service } = classes();
        const a = new Service('a');
        void a.find(1).catch(() => undefined);

        expect(Object.keys(a).sort()).toEqual(['calls', 'name']);
        expect(Object.keys(Service.prototype)).toEqual([]);
        expect('find' in a).toBe(true);
        const seen: string[] = [];
        for (const key in a) seen.push(key);
        expect(seen.sort()).toEqual(['calls', 'name']);
      });
    });

    describe('of a base class', () => {
      it('is inherited', async () => {
        const { Inheriting, Service } = classes();
        const [sub, base] = [new Inheriting('sub'), new Service('base')];

        expect([await sub.find(1), await sub.find(1)]).toEqual(['sub:1:1', 'sub:1:1']);
        expect(await base.find(1)).toBe('base:1:1');
        expect(await asCached(sub, 'find').refresh(1)).toBe('sub:1:2');
        expect(await base.find(1)).toBe('base:1:1');
        const { find } = Inheriting.prototype;
        expect(await find.call(sub, 1)).toBe('sub:1:2');
      });

      it('caches for one that overrides it without a decorator', async () => {
        const { Overriding, Service } = classes();
        const [sub, base] = [new Overriding('sub'), new Service('base')];

        expect([await sub.find(1), await sub.find(1)]).toEqual(['over(sub:1:1)', 'over(sub:1:1)']);
        expect(sub.calls).toHaveLength(1);
        expect(await base.find(1)).toBe('base:1:1');
        expect(() => asCached(sub, 'find')).toThrow('asCached takes a cached function');
      });

      it('caches for itself beside one that overrides it with a decorator', async () => {
        const { Redecorating, Service } = classes();
        const [sub, base] = [new Redecorating('sub'), new Service('base')];
        const find = asCached(sub, 'find');

        expect([await sub.find(1), await sub.find(1)]).toEqual(['over(sub:1:1)', 'over(sub:1:1)']);
        // The one that overrides is called anew, the one that it calls is cached.
        expect(await find.refresh(1)).toBe('over(sub:1:1)');
        expect(find.getMetrics()).toMatchObject({ hits: 1, loads: 2 });
        await asCached(Service.prototype.find, sub).clearCache();
        expect(await sub.find(1)).toBe('over(sub:1:1)');
        expect(await find.refresh(1)).toBe('over(sub:1:2)');
        expect(await base.find(1)).toBe('base:1:1');
      });

      it('does so whichever class has its first instance first', async () => {
        const { Overriding, Inheriting, Redecorating, Service } = classes();
        const all = [
          new Redecorating('a'),
          new Overriding('b'),
          new Inheriting('c'),
          new Service('d'),
        ];
        const answers = [];
        for (const service of [...all, ...all]) answers.push(await service.find(1));

        const once = ['over(a:1:1)', 'over(b:1:1)', 'c:1:1', 'd:1:1'];
        expect(answers).toEqual([...once, ...once]);
      });
    });

    describe('that is static', () => {
      it('is cached, with its class for `this`', async () => {
        const { Service } = classes();

        expect([await Service.make(1), await Service.make(1)]).toEqual([
          'Service:1:1',
          'Service:1:1',
        ]);
        expect(await Service.make(2)).toBe('Service:2:2');
      });

      it('has controls of its class', async () => {
        const { Service } = classes();
        const make = asCached(Service, 'make');
        expect(make.getMetrics()).toMatchObject({ hits: 0, size: 0 });
        expect(await make.refresh(1)).toBe('Service:1:1');
        expect(await Service.make(1)).toBe('Service:1:1');
        expect(await make.invalidateCache(1)).toBe(true);
        expect(await Service.make(1)).toBe('Service:1:2');
        expect(make.getMetrics()).toMatchObject({ hits: 1, loads: 2 });
        await make.clearCache();

        expect(make.getMetrics()).toMatchObject({ hits: 0, loads: 0, size: 0 });
      });

      it('is each subclass`s own', async () => {
        const { Inheriting, Overriding, Redecorating, Service } = classes();
        const answers = [];
        for (const from of [Service, Inheriting, Overriding, Redecorating]) {
          answers.push([await from.make(1), await from.make(1)]);
        }

        expect(answers).toEqual([
          ['Service:1:1', 'Service:1:1'],
          ['Inheriting:1:1', 'Inheriting:1:1'],
          ['over(Overriding:1:1)', 'over(Overriding:1:1)'],
          ['over(Redecorating:1:1)', 'over(Redecorating:1:1)'],
        ]);
        await asCached(Inheriting, 'make').clearCache();
        expect([await Service.make(1), await Inheriting.make(1)]).toEqual([
          'Service:1:1',
          'Inheriting:1:2',
        ]);
      });

      it('belongs to its class when it is taken off it', async () => {
        const { Service } = classes();
        const { make } = Service;

        expect(await make(1)).toBe('Service:1:1');
      });
    });

    describe("with scope: 'class'", () => {
      it('has one result for all instances, those of subclasses included', async () => {
        const { Inheriting, Service } = classes({ scope: 'class' });
        const [a, b, sub] = [new Service('a'), new Service('b'), new Inheriting('sub')];

        expect([await a.find(1), await b.find(1), await sub.find(1)]).toEqual([
          'a:1:1',
          'a:1:1',
          'a:1:1',
        ]);
        expect(await sub.find(2)).toBe('sub:2:1');
      });

      it('has controls that concern all, and call the instance they are read from', async () => {
        const { Service } = classes({ scope: 'class' });
        const [a, b] = [new Service('a'), new Service('b')];
        await a.find(1);

        expect(await asCached(b, 'find').refresh(1)).toBe('b:1:1');
        expect(await a.find(1)).toBe('b:1:1');
        expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 1, loads: 2 });
        expect(asCached(b, 'find').getMetrics()).toMatchObject({ hits: 1, loads: 2 });
        expect(await asCached(b, 'find').invalidateCache(1)).toBe(true);
        expect(await a.find(1)).toBe('a:1:2');
        await asCached(b, 'find').clearCache();
        expect(await a.find(1)).toBe('a:1:3');
      });

      it('works when it is called by the prototype, and for nobody', async () => {
        const { Service } = classes({ scope: 'class' });
        const { find } = Service.prototype;
        const a = new Service('a');
        await find.call(a, 1);

        expect(await find.call(undefined, 1)).toBe('a:1:1');
      });

      it('that is static has one result for all subclasses', async () => {
        const { Inheriting, Service } = classes({ scope: 'class' });

        expect([await Inheriting.make(1), await Service.make(1)]).toEqual([
          'Inheriting:1:1',
          'Inheriting:1:1',
        ]);
      });

      it('may have a tier, by its name', async () => {
        const tier = memoryTier();
        const here = classes({ scope: 'class', tier, name: 'find' });
        const there = classes({ scope: 'class', tier, name: 'find' });
        await new here.Service('a').find(1);

        expect(await new there.Service('b').find(1)).toBe('a:1:1');
      });
    });

    describe('on a cache that is given', () => {
      it('keeps a result for each instance apart', async () => {
        const cache = new AsyncCache();
        const { Service } = classes({ cache });
        const [a, b] = [new Service('a'), new Service('b')];

        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:1', 'b:1:1']);
        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:1', 'b:1:1']);
        expect(await a[LOOKUP](1)).toBe('a:1:2');
        expect(cache.size).toBe(3);
      });

      it('keeps a result for each instance apart under a name or key that is given, too', async () => {
        for (const options of [{ name: 'find' }, { key: (id: number) => `user:${id}` }]) {
          const cache = new AsyncCache();
          const { Service } = classes({ cache, ...options });
          const [a, b] = [new Service('a'), new Service('b')];

          expect([await a.find(1), await b.find(1)]).toEqual(['a:1:1', 'b:1:1']);
          expect([await a.find(1), await b.find(1)]).toEqual(['a:1:1', 'b:1:1']);
          expect(cache.size).toBe(2);
        }
      });

      it('leaves out the arguments that are skipped', async () => {
        const { Service } = classes({ cache: new AsyncCache(), skipArgs: 1 });
        const [a, b] = [new Service('a'), new Service('b')];
        await a.find(1, true);

        expect([await a.find(2, true), await b.find(2, true)]).toEqual(['a:1:1', 'b:2:1']);
      });

      it('has controls that concern that instance alone', async () => {
        const cache = new AsyncCache();
        const { Service } = classes({ cache });
        const [a, b] = [new Service('a'), new Service('b')];
        for (const service of [a, a, b]) await service.find(1);
        await a[LOOKUP](1);

        expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 1, misses: 1 });
        expect(asCached(b, 'find').getMetrics()).toMatchObject({ hits: 0, misses: 1 });
        await asCached(a, 'find').clearCache();
        expect(cache.size).toBe(2);
        expect([await a.find(1), await b.find(1)]).toEqual(['a:1:3', 'b:1:1']);
        expect(await asCached(b, 'find').refresh(1)).toBe('b:1:2');
        expect(await asCached(b, 'find').invalidateCache(1)).toBe(true);
        expect(await a.find(1)).toBe('a:1:3');
      });

      it("has the keys that makeKey makes, with scope: 'class'", async () => {
        const cache = new AsyncCache();
        const { Inheriting, Service } = classes({ cache, scope: 'class' });
        await new Inheriting('sub').find(1);
        await new Service('a').find(2, true);
        await Inheriting.make(3);

        expect(cache.peek(makeKey('Service.find', [1]))).toBe('sub:1:1');
        expect(cache.peek(makeKey('Service.find', [2, true]))).toBe('a:2:1');
        expect(cache.peek(makeKey('Service.make', [3]))).toBe('Inheriting:3:1');
      });

      it("has the name and key that are given, with scope: 'class'", async () => {
        const cache = new AsyncCache();
        const named = classes({ cache, scope: 'class', name: 'users' });
        await new named.Service('a').find(1);
        const keyed = classes({ cache, scope: 'class', name: 'k', key: (id: number) => `k${id}` });
        await new keyed.Service('b').find(1);

        expect(cache.peek(makeKey('users', [1]))).toBe('a:1:1');
        expect(cache.peek('k1')).toBe('b:1:1');
      });

      it("refuses another class of its name, with scope: 'class'", async () => {
        const cache = new AsyncCache();
        const { Service } = classes({ cache, scope: 'class' });
        await new Service().find(1);
        const useAnother = async () => new (classes({ cache, scope: 'class' }).Service)().find(1);

        await expect(useAnother()).rejects.toThrow(
          /needs a name: another function on the same cache is called 'Service\..*', too/,
        );
      });
    });

    describe('can be replaced', () => {
      it('on one instance by an assignment', async () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];
        await a.find(1);
        a.find = async () => 'mine';

        expect([await a.find(1), await b.find(1)]).toEqual(['mine', 'b:1:1']);
        expect(Object.keys(a)).toContain('find');
        delete (a as Partial<Subject>).find;
        expect(await a.find(1)).toBe('a:1:1');
      });

      it('on one instance by a spy, which lets calls through', async () => {
        const { Service } = classes();
        const [a, b] = [new Service('a'), new Service('b')];
        const spy = jest.spyOn(a, 'find');
        await a.find(1);
        expect(await a.find(1)).toBe('a:1:1');
        expect([spy.mock.calls.length, a.calls.length]).toEqual([2, 1]);
        spy.mockResolvedValue('mock');
        expect([await a.find(1), await b.find(1)]).toEqual(['mock', 'b:1:1']);
        spy.mockRestore();

        expect(await a.find(1)).toBe('a:1:1');
        expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
        expect(a.find.call(undefined, 1)).toBeInstanceOf(Promise);
        expect(await a.find.call(undefined, 1)).toBe('a:1:2');
      });

      it.each([
        ['before', false],
        ['after', true],
      ])('on all by a spy on the prototype, %s there is an instance', async (_when, first) => {
        const { Inheriting, Service } = classes();
        const early = first ? new Service('a') : undefined;
        const spy = jest.spyOn(Service.prototype, 'find');
        const a = early ?? new Service('a');
        const sub = new Inheriting('sub');
        await a.find(1);
        expect([await a.find(1), await sub.find(1)]).toEqual(['a:1:1', 'sub:1:1']);
        expect(spy).toHaveBeenCalledTimes(3);
        spy.mockResolvedValue('mock');
        expect([await a.find(1), await sub.find(1)]).toEqual(['mock', 'mock']);
        spy.mockRestore();
        new Service();

        expect([await a.find(1), await sub.find(1)]).toEqual(['a:1:1', 'sub:1:1']);
        expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
        expect(asCached(a, 'find')).toBe(a.find);
      });

      it('on a class by a spy', async () => {
        const { Inheriting, Service } = classes();
        const spy = jest.spyOn(Service, 'make').mockResolvedValue('mock');
        expect([await Service.make(1), await Inheriting.make(1)]).toEqual(['mock', 'mock']);
        spy.mockRestore();

        expect([await Service.make(1), await Inheriting.make(1)]).toEqual([
          'Service:1:1',
          'Inheriting:1:1',
        ]);
      });

      it('on the prototype by an assignment', async () => {
        const { Inheriting, Service } = classes();
        const a = new Service('a');
        Inheriting.prototype.find = async () => 'inheriting';
        expect([await a.find(1), await new Inheriting().find(1)]).toEqual(['a:1:1', 'inheriting']);
        Service.prototype.find = async () => 'all';

        expect([await a.find(1), await new Service().find(1)]).toEqual(['all', 'all']);
      });

      it('by one that goes on to the cached one', async () => {
        const { Service } = classes();
        const a = new Service('a');
        const { find } = a;
        a.find = async (id) => `mine ${await find(id)}`;

        expect([await a.find(1), await a.find(1)]).toEqual(['mine a:1:1', 'mine a:1:1']);
      });
    });
  });
}

/** What cannot be decorated, whichever kind of decorator is put on it. */
export type Refused = readonly (readonly [what: string, make: () => unknown, message: RegExp])[];

/** A decorator that is put where types would not let it. */
export type AnyDecorator = (...args: any[]) => any;
export const untyped = (decorator: unknown): AnyDecorator => decorator as AnyDecorator;

export function refusals(cases: (decorator: AnyDecorator, who: string) => Refused): void {
  const decorators = [
    ...DECORATORS.map(([who, decorator]) => [who, untyped(decorator())] as const),
    ['invalidates', untyped(invalidates({ tags: [] }))] as const,
  ];
  describe.each(decorators)('%s refuses', (who, decorator) => {
    it.each(cases(decorator, who))('%s, when it is decorated', (_what, make, message) => {
      let error: unknown;
      try {
        make();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({
        code: 'ERR_ACACHE_INVALID_OPTION',
        message: expect.stringMatching(message) as string,
      });
    });
  });
}
