import type { CacheMetrics } from '@acache/core';
import { is, type, use, type User } from '../test/type-assertions.js';
import { asCached, AsyncLRU, AsyncTTL, cached, invalidates } from './index.js';
import type { CachedFunction } from './index.js';

const LOOKUP = Symbol('lookup');

export class Service<T extends User> {
  readonly text = 'text';

  @cached()
  async find(id: number, full?: boolean): Promise<T> {
    use(id, full);
    return type<T>();
  }

  @AsyncLRU({ maxSize: 10 })
  async [LOOKUP](id: number): Promise<T | undefined> {
    use(id);
    return type<T>();
  }

  @AsyncTTL({ ttl: (user: User) => user.id, tags: (id: number) => [`${id}`] })
  findSoon(id: number): Promise<T> {
    return this.find(id);
  }

  @AsyncLRU()
  thenable(id: number): PromiseLike<T> {
    return this.find(id);
  }

  @cached({ key: (from: object, key: PropertyKey) => [from, key] })
  async pick<F extends object, K extends keyof F>(from: F, key: K): Promise<F[K]> {
    return from[key];
  }

  list(kind: 'ids'): Promise<number[]>;
  list(kind: 'names', limit: number): Promise<string[]>;
  @cached()
  async list(kind: 'ids' | 'names', limit?: number): Promise<number[] | string[]> {
    use(kind, limit);
    return type<number[] & string[]>();
  }

  @AsyncTTL()
  async ofUsers(this: Service<User>, ...ids: number[]): Promise<number> {
    return ids.length;
  }

  @cached()
  static async make(name: string): Promise<Service<User>> {
    use(name);
    return type<Service<User>>();
  }

  @invalidates({ tags: (id: number) => [`${id}`] })
  async rename(id: number, name: string): Promise<boolean> {
    return id > 0 && name !== '';
  }

  @invalidates({ keys: ['all'] })
  static async reset(): Promise<void> {}
}

declare const service: Service<User>;

// A method has the type that it had.
{
  is<Promise<User>>()(service.find(1, true));
  is<Promise<User | undefined>>()(service[LOOKUP](1));
  is<PromiseLike<User>>()(service.thenable(1));
  is<Promise<string>>()(service.pick(type<User>(), 'name'));
  is<Promise<number[]>>()(service.list('ids'));
  is<Promise<string[]>>()(service.list('names', 5));
  is<Promise<number>>()(service.ofUsers(1, 2));
  is<Promise<Service<User>>>()(Service.make('a'));
  is<Promise<boolean>>()(service.rename(1, 'a'));
  is<[id: number, full?: boolean]>()(type<Parameters<typeof service.find>>());
  // @ts-expect-error an argument of another type
  void service.find('1');
  // @ts-expect-error no overload takes that
  void service.list('other');
  // @ts-expect-error no property of a user
  void service.pick(type<User>(), 'total');
}

// asCached shows what else it has.
{
  const found = asCached(service, 'find');
  is<CachedFunction<(id: number, full?: boolean) => Promise<User>>>()(found);
  is<Promise<User>>()(found.refresh(1, true));
  is<Promise<boolean>>()(found.invalidateCache(1));
  is<CacheMetrics>()(found.getMetrics());
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is told its instance
  is<Promise<User>>()(asCached(service.find, service).refresh(1));
  is<Promise<User | undefined>>()(asCached(service, LOOKUP).refresh(1));
  is<Promise<number[]>>()(asCached(service, 'list').refresh('ids'));
  is<Promise<string[]>>()(asCached(service, 'list').refresh('names', 5));
  is<Promise<string>>()(asCached(service, 'pick').refresh(type<User>(), 'name'));
  is<Promise<Service<User>>>()(asCached(Service, 'make').refresh('a'));
  is<never>()(asCached(service, 'text'));
  // @ts-expect-error no method of a service
  asCached(service, 'other');
  // @ts-expect-error an argument of another type
  void asCached(service, 'find').refresh('1');
  // @ts-expect-error no overload takes that
  void asCached(service, 'list').invalidateCache('other');
  // @ts-expect-error it is no function
  asCached(service);
}

// What cannot be decorated.
export class Refused {
  // @ts-expect-error a sync method, which would become async
  @cached()
  sync(id: number): number {
    return id;
  }

  // @ts-expect-error a method that is sync at times
  @AsyncLRU()
  maybe(id: number): number | Promise<number> {
    return id;
  }

  // @ts-expect-error an async generator
  @AsyncTTL()
  async *pages(): AsyncGenerator<number> {
    yield 1;
  }

  // @ts-expect-error key takes another argument
  @cached({ key: (id: string) => id })
  async byKey(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error tags takes another argument
  @AsyncTTL({ tags: (id: string) => [id] })
  async byTags(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error key takes more arguments than there are
  @AsyncLRU({ key: (id: number, name: string) => [id, name] })
  async byMore(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error tags takes another argument
  @invalidates({ tags: (id: string) => [id] })
  async invalidate(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error keys takes another argument
  @invalidates({ keys: (id: string) => [id] })
  static async invalidateKeys(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error it is a getter
  @cached()
  get getter() {
    return async () => 1;
  }

  // @ts-expect-error it is a property
  @cached()
  property = async () => 1;

  // @ts-expect-error without a call
  @AsyncLRU
  async bareLru(id: number): Promise<number> {
    return id;
  }
}

export class RefusedSync {
  // @ts-expect-error a sync method, which would become async
  @cached()
  sync(): void {}

  // @ts-expect-error a sync method, which would become async
  @invalidates({ tags: [] })
  write(): void {}

  // @ts-expect-error a sync method, which would become async
  @AsyncLRU()
  static reset(): void {}
}

export class RefusedWithoutCall {
  // @ts-expect-error without a call
  @cached
  async bare(id: number): Promise<number> {
    return id;
  }
}

// @ts-expect-error it is a class
@cached()
export class RefusedClass {
  readonly id = 1;
}

// A private method.
export class Vault {
  @cached({ tags: (id: number) => [`${id}`] })
  async #open(id: number, full = false): Promise<User> {
    use(id, full);
    return type<User>();
  }

  @AsyncLRU()
  static async #make<T>(value: T): Promise<T> {
    return value;
  }

  @invalidates({ tags: [] })
  async #write(id: number): Promise<number> {
    return id;
  }

  // @ts-expect-error a sync method
  @cached()
  #sync(): number {
    return 1;
  }

  use(): void {
    is<Promise<User>>()(this.#open(1));
    is<Promise<User>>()(asCached(this.#open, this).refresh(1, true));
    is<Promise<boolean>>()(asCached(this.#open, this).invalidateCache(1));
    is<Promise<'a'>>()(asCached(Vault.#make, Vault).refresh<'a'>('a'));
    is<Promise<number>>()(this.#write(1));
    is<number>()(this.#sync());
    // @ts-expect-error an argument of another type
    void asCached(this.#open, this).refresh('1');
  }
}

// An accessor.
export class RefusedAccessor {
  // @ts-expect-error it is an accessor
  @cached()
  accessor find = async () => 1;
}
