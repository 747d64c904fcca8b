import { AsyncCache } from '@acache/core';
import { is, type, use, type User } from '../test/type-assertions.js';
import { invalidates } from './index.js';
import type { InvalidatesDecorator, InvalidatesOptions } from './index.js';

declare function rename(id: number, name: string): Promise<User>;
declare function syncRename(id: number): User;
declare function maybeAsync(id: number): User | Promise<User>;
declare function list(kind: 'ids'): Promise<number[]>;
declare function list(kind: 'names', limit: number): Promise<string[]>;
declare function identity<T>(value: T): Promise<T>;
declare function find(this: { readonly table: string }, id: number): Promise<User>;

// A function has the type that it had, and nothing besides.
{
  const fn = invalidates({ tags: ['t'] })(rename);
  is<typeof rename>()(fn);
  is<Promise<User>>()(fn(1, 'a'));
  is<Promise<number[]>>()(invalidates({ tags: [] })(list)('ids'));
  is<Promise<string[]>>()(invalidates({ tags: [] })(list)('names', 5));
  is<Promise<'a'>>()(invalidates({ tags: [] })(identity)<'a'>('a'));
  is<Promise<User>>()(invalidates({ tags: [] })(find).call({ table: 't' }, 1));
  // @ts-expect-error an argument of another type
  void fn('1', 'a');
  // @ts-expect-error it is not cached
  use(fn.refresh);
  // @ts-expect-error it needs a table
  void invalidates({ tags: [] })(find)(1);
}

// A sync one promises its result.
{
  is<Promise<User>>()(invalidates({ tags: [] })(syncRename)(1));
}

{
  is<Promise<User>>()(invalidates({ tags: [] })(maybeAsync)(1));
}

// Tags and keys are lists, or functions of the arguments.
{
  void invalidates({ tags: (id: number) => [`${id}`] })(rename);
  void invalidates({ tags: (id: number, name: string) => [`${id}`, name] as const })(rename);
  void invalidates({ keys: (id: number) => [{ id }], tags: ['t'] as const })(rename);
  void invalidates({ keys: [1, 'a', { id: 1 }], cache: new AsyncCache() })(rename);
  void invalidates({ tags: () => [] })(rename);
  // @ts-expect-error another argument
  void invalidates({ tags: (id: string) => [id] })(rename);
  // @ts-expect-error another argument
  void invalidates({ keys: (id: string) => [id] })(rename);
  // @ts-expect-error more arguments than there are
  void invalidates({ keys: (_id: number, _name: string, more: string) => [more] })(rename);
  // @ts-expect-error it is no list
  void invalidates({ tags: 'user' });
  // @ts-expect-error it is no list
  void invalidates({ tags: () => 'user' });
  // @ts-expect-error they are no texts
  void invalidates({ tags: [1] });
  // @ts-expect-error nothing at all
  void invalidates();
  // @ts-expect-error it is no cache
  void invalidates({ tags: [], cache: new Map() });
}

// The types can be named.
{
  const options: InvalidatesOptions = { tags: ['t'] };
  const decorate: InvalidatesDecorator<InvalidatesOptions> = invalidates(options);
  is<typeof rename>()(decorate(rename));
  is<InvalidatesOptions['tags']>()(type<InvalidatesOptions['tags']>());
}

{
  const decorate: InvalidatesDecorator = invalidates({ tags: ['t'] });
  use(decorate);
}
