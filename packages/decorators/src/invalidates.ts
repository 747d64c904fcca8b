import { InvalidOptionError } from '@acache/core';
import type { AnyCache } from './any-cache.js';
import type { AnyFunction, Async, AsyncFunction } from './cached-function.js';
import { checkCache, checkOptionsObject } from './cached-options.js';
import { checkList, keysFor, tagsFor, type CallList } from './call-list.js';
import { checkFunctionKind, checkResult } from './function-kind.js';
import type { IfTheyTake, NothingElse } from './if-they-take.js';
import { invalidate, type Invalidation } from './invalidation.js';
import { likeOriginal } from './like-original.js';
import { decorator } from './method-decorator.js';

/** What a mutation makes invalid: `tags`, `keys` or both. */
export interface InvalidatesOptions {
  /** Tags, or what gives those of a call by its arguments. */
  tags?: CallList<string>;
  /** Keys, or what gives those of a call by its arguments: those that the `key` of a cached function gives. */
  keys?: CallList<unknown>;
  /**
   * Where.
   * @defaultValue the caches that decorated functions of this process have of their own: for tags those of
   *   functions with `tags`, for keys those of functions with `key`
   */
  cache?: AnyCache;
}

/** Invalidates around what it is put on: a function, or a method by a decorator of either kind. */
export interface InvalidatesDecorator<O = any> {
  /** As a TC39 method decorator. */
  <This, F extends (this: This, ...args: any) => PromiseLike<any>>(
    method: F,
    context: ClassMethodDecoratorContext<This, F>,
  ): IfTheyTake<O, 'keys' | 'tags', F, F>;
  /** As a legacy (`experimentalDecorators`) method decorator. */
  <F extends AsyncFunction>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): IfTheyTake<O, 'keys' | 'tags', F, TypedPropertyDescriptor<F>>;
  /** As a wrapper. */
  <F extends AnyFunction>(
    fn: F & IfTheyTake<O, 'keys' | 'tags', F, unknown>,
    context?: never,
  ): Async<F>;
}

/**
 * Makes results invalid **before and after** a mutation, also when it throws: a read that overlaps it is
 * returned to its callers and not kept.
 *
 * ```ts
 * const renameUser = invalidates({ tags: (id: number) => [`user:${id}`] })(
 *   async (id: number, name: string) => database.rename(id, name),
 * );
 * ```
 *
 * What the tags and keys are is decided once, before the mutation. A sync function becomes async.
 *
 * @throws InvalidOptionError for an option that cannot be meant, and for a generator
 */
export function invalidates<O extends InvalidatesOptions>(
  options: O & NothingElse<O, InvalidatesOptions>,
): InvalidatesDecorator<O>;
export function invalidates(options: InvalidatesOptions, ...further: unknown[]): unknown {
  const who = 'invalidates';
  checkOptionsObject(options, who, further);
  const { cache, keys, tags } = options;
  checkList(tags, 'tags');
  checkList(keys, 'keys');
  // What is given as it is can be told now.
  if (typeof tags !== 'function') tagsFor(tags, []);
  if (typeof keys !== 'function') keysFor(keys, []);
  if (cache !== undefined) checkCache(cache);
  if (tags === undefined && keys === undefined) {
    throw new InvalidOptionError(`${who} needs tags or keys, got neither`);
  }
  const wrap = (fn: AnyFunction): AnyFunction => {
    checkFunctionKind(fn, who);
    return likeOriginal(mutation(fn, options), fn);
  };
  return decorator({ who, wrap, replace: (method) => ({ method: wrap(method) }) });
}

function mutation(fn: AnyFunction, { cache, keys, tags }: InvalidatesOptions) {
  return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const what: Invalidation = {
      cache,
      keys: keysFor(keys, args),
      tags: tagsFor(tags, args),
    };
    await invalidate(what);
    let result: unknown;
    try {
      result = await checkResult(fn.apply(this, args), fn.name);
    } catch (error) {
      // The caller has to learn of the mutation's error, whatever becomes of the invalidation.
      await invalidate(what).catch(() => undefined);
      throw error;
    }
    await invalidate(what);
    return result;
  };
}
