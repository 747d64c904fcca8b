import { runInNewContext } from 'node:vm';
import { inspect } from 'node:util';
import { asCached, cached, invalidates } from './index.js';

class Point {
  loads = 0;
  constructor(readonly id = 0) {}
  @cached()
  async at(x: number): Promise<number[]> {
    this.loads++;
    return [this.id, x];
  }
}

describe('an instance whose method was called', () => {
  const used = async () => {
    const point = new Point(3);
    await point.at(1);
    return point;
  };

  it('has no more properties than before', async () => {
    const point = await used();
    const looped: string[] = [];
    for (const key in point) looped.push(key);
    expect(Reflect.ownKeys(point).sort()).toEqual(['id', 'loads']);
    expect(looped.sort()).toEqual(['id', 'loads']);
    expect(Object.assign({}, point)).toEqual({ id: 3, loads: 1 });
  });

  it('is printed, serialized, cloned and compared as before', async () => {
    const point = await used();
    const fresh = new Point(3);
    fresh.loads = 1;
    expect(JSON.stringify(point)).toBe(JSON.stringify(fresh));
    expect(inspect(point)).toBe(inspect(fresh));
    expect(structuredClone(point)).toEqual({ id: 3, loads: 1 });
    expect(point).toStrictEqual(fresh);
  });

  it('copied by Object.create and Object.assign, has no results in common with the copy', async () => {
    const point = await used();
    const copy: Point = Object.assign<Point, Point>(
      Object.create(Object.getPrototypeOf(point) as object) as Point,
      point,
    );
    await copy.at(1);
    expect([point.loads, copy.loads]).toEqual([1, 2]);
  });
});

describe('who a cached method belongs to', () => {
  it('is told by call, apply and bind', async () => {
    const [one, two] = [new Point(1), new Point(2)];
    await one.at(1);
    expect(await one.at.call(two, 1)).toEqual([2, 1]);
    expect(await one.at.apply(two, [1])).toEqual([2, 1]);
    expect(await Point.prototype.at.bind(two)(1)).toEqual([2, 1]);
    expect([one.loads, two.loads]).toEqual([1, 1]);
  });

  it('is the object that inherits it, not the one it was read from', async () => {
    const one = new Point(1);
    const heir = Object.create(one, { id: { value: 9 } }) as Point;
    expect(await one.at(1)).toEqual([1, 1]);
    expect(await heir.at(1)).toEqual([9, 1]);
  });

  it('may be frozen, with its prototype', async () => {
    class Stone {
      @cached()
      async weight(): Promise<object> {
        return {};
      }
    }
    Object.freeze(Stone.prototype);
    const stone = Object.freeze(new Stone());
    expect(await stone.weight()).toBe(await stone.weight());
    expect(asCached(stone, 'weight').getMetrics().hits).toBe(1);
  });

  it('may be a class that has the method by a mixin', async () => {
    const counting = <T extends new (...args: any[]) => object>(Base: T) =>
      class extends Base {
        count = 0;
        @cached()
        async next(): Promise<number> {
          return ++this.count;
        }
      };
    class One extends counting(Object) {}
    class Two extends counting(Object) {}
    const [one, two] = [new One(), new Two()];
    expect([await one.next(), await one.next(), await two.next()]).toEqual([1, 1, 1]);
  });

  it('may be another class that the descriptors, or the method, were copied to', async () => {
    for (const copy of [
      () => Object.getOwnPropertyDescriptor(Point.prototype, 'at')!,
      () => ({ value: Point.prototype.at, configurable: true, writable: true }),
    ]) {
      class Other {
        loads = 0;
        constructor(readonly id: number) {}
        declare at: Point['at'];
      }
      Object.defineProperty(Other.prototype, 'at', copy());
      const [one, two] = [new Other(1), new Other(2)];
      expect([await one.at(5), await one.at(5), await two.at(5)]).toEqual([
        [1, 5],
        [1, 5],
        [2, 5],
      ]);
      expect([one.loads, two.loads]).toEqual([1, 1]);
    }
  });

  it('is the subclass of a static method', async () => {
    class Base {
      @cached()
      static async title(): Promise<string> {
        return this.name;
      }
    }
    class Heir extends Base {}
    expect([await Base.title(), await Heir.title(), await Base.title()]).toEqual([
      'Base',
      'Heir',
      'Base',
    ]);
  });

  it('may be bound in the constructor', async () => {
    class Bound {
      count = 0;
      constructor() {
        this.next = this.next.bind(this);
      }
      @cached()
      async next(): Promise<number> {
        return ++this.count;
      }
    }
    const { next } = new Bound();
    expect([await next(), await next()]).toEqual([1, 1]);
  });
});

describe('what a wrapped function may answer with', () => {
  it('rejects with what is no Error, each time anew', async () => {
    for (const reason of [undefined, null, 0, '']) {
      let calls = 0;
      const fail = cached(async () => {
        calls++;
        throw reason;
      });
      for (let times = 0; times < 2; times++)
        expect(
          await fail().then(
            () => 'fine',
            (error: unknown) => [error],
          ),
        ).toEqual([reason]);
      expect(calls).toBe(2);

      const write = invalidates({ tags: ['x'] })(async () => {
        throw reason;
      });
      expect(
        await write().then(
          () => 'fine',
          (error: unknown) => [error],
        ),
      ).toEqual([reason]);
    }
  });

  it('takes thenables and promises of another realm', async () => {
    const thenable = cached(
      () => ({ then: (resolve: (value: number) => void) => resolve(5) }) as PromiseLike<number>,
    );
    const foreign = cached(() => runInNewContext('Promise.resolve(6)') as Promise<number>);
    expect([await thenable(), await foreign(), await foreign()]).toEqual([5, 6, 6]);
  });

  it('rejects where a then getter, a key or a tags function throws', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    for (const call of [
      cached(() => Object.defineProperty({}, 'then', { get: boom })),
      cached(async () => 1, { key: boom }),
      cached(async () => 1, { tags: boom }),
      invalidates({ tags: boom })(async () => 1),
      invalidates({ keys: boom })(async () => 1),
    ] as (() => Promise<unknown>)[]) {
      let promise: Promise<unknown> | undefined;
      expect(() => (promise = call())).not.toThrow();
      await expect(promise).rejects.toThrow('boom');
    }
  });
});
